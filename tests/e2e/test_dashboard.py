"""The dashboard in a real browser: a link logs in, and a deploy is seen line by line."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chromium import Tab, chromium
from tests.e2e.server import DOMAIN, Repository, Server, User
from tests.e2e.tiny import Pause, tiny
from tests.waiting import wait_for

APP = "dashboard-shop"
JOBS = '{"cron": [{"name": "mail", "command": "true", "schedule": "@yearly"}]}'


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    """A browser that has been nowhere."""
    with chromium(tmp_path / "profile") as opened:
        yield opened


@pytest.fixture
def pause() -> Iterator[Pause]:
    """Where the build waits."""
    made = Pause()
    yield made
    made.close()


def test_a_deploy_is_seen_live(
    server: Server,
    alice: User,
    tab: Tab,
    pause: Pause,
    repository: Callable[[dict[str, str | bytes]], Repository],
) -> None:
    """From the link of a command to the line that says it is live; then the log, as it grows.

    At last a cron job is run by a click, and is listed with its end.
    """
    base = f"http://dashboard.{DOMAIN}:{server.http_port}"
    alice.ssh("apps:create", APP)
    link = alice.ssh("dashboard:open").stdout.split()[-1]
    assert link.startswith(f"{base}/login/")
    tab.open(link)
    tab.run("document.querySelector('main button').click()")
    tab.wait_for(APP)
    hook = f"#!/bin/bash\necho before\n{pause.shell}\n"
    source = repository(tiny(**{"bin/pre_compile": hook, "app.json": JOBS}))
    push = alice.start_push(source, APP)
    try:
        pause.wait()
        tab.open(f"{base}/apps/{APP}/deploys/latest")
        tab.wait_for("before")
        tab.wait_for("building")
        assert "Live:" not in tab.text()
        tab.wait_for("Cancel")
        pause.go()
        tab.wait_for("-----> Live: ")
        wait_for(lambda: "Cancel" not in tab.text(), what="the page shows that it is over")
        assert push.wait(150) == 0
    finally:
        push.kill()
        push.communicate()
    tab.open(f"{base}/apps/{APP}/logs")
    tab.wait_for("Live")
    assert server.get(APP, "/seen-in-the-log").status == 200
    tab.wait_for("/seen-in-the-log")
    tab.open(f"{base}/apps/{APP}/cron")
    tab.run("document.querySelector('form[action$=\"/cron/run\"] button').click()")
    tab.wait_for("The job runs in the background")

    def ended() -> bool:
        tab.open(f"{base}/apps/{APP}/cron?job=mail")
        return tab.text().count("succeeded") == 2

    wait_for(ended, what="the job and its run have ended")
    alice.ssh("maintenance:on", APP)
    tab.open(f"{base}/")
    tab.wait_for("maintenance")
    assert tab.errors == []
