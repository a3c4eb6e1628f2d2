import time
from pathlib import Path

from huey import SqliteHuey, signals

# /app/data on the server: a storage directory that web and worker share.
DATA = Path("data")
DATA.mkdir(exist_ok=True)

huey = SqliteHuey(filename=str(DATA / "huey.db"))


@huey.task()
def resize(name):
    time.sleep(1)
    with (DATA / "done.txt").open("a") as done:
        done.write(f"{name}\n")


@huey.signal(signals.SIGNAL_INTERRUPTED)
def interrupted(signal, task, exc=None):
    """Still at work when the time to shut down was over: a later worker does it again."""
    huey.enqueue(task)
