"""BuildKit's copy of an app's files from one build to the next, on the real engine."""

import pytest

from paas.adapters.docker.build_context import notes_path
from paas.adapters.docker.connection import docker_client
from paas.domain.builds.builders import DockerfileBuild
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from tests.contract.docker.workshop import NUMBERS, Workshop
from tests.docker_engine import BASE

APP = 31
# Prints what COPY made of the files: never from the cache, as N is another each time.
SHOW = (
    f"FROM {BASE}\nCOPY . /app/\nARG N\n"
    "RUN : $N; cd /app; for f in [a-z]*; do "
    '[ -x "$f" ] && x=x || x=; [ -h "$f" ] && x=l; echo "$f$x $(cat "$f")"; done\n'
)


def shown(workshop: Workshop, commit: str, *, dockerfile: str = SHOW) -> list[str]:
    """What is in the image of a commit that these shell commands make."""
    args = {VarName("N"): str(next(NUMBERS))}
    workshop.build(dockerfile, DockerfileBuild(args=args), first=commit, app_id=APP)
    return [line.strip() for line in workshop.lines if line.startswith("       ")]


def test_the_image_has_what_the_commit_has(workshop: Workshop) -> None:
    """Whatever changed since the last build, also if size and time of change are the same."""
    at = "touch -h -d @1700000000 *"
    one = f"echo 1 > a; echo 2 > b; echo 3 > gone; ln -s a link; {at}"
    other = f"echo 2 > a; echo 1 > b; chmod 755 b; ln -s b link; {at}"
    first = ["a 1", "b 2", "gone 3", "linkl 1"]
    assert shown(workshop, one) == first
    assert shown(workshop, other) == ["a 2", "bx 1", "linkl 1"]
    with pytest.raises(PaasError):
        shown(workshop, one, dockerfile=f"FROM {BASE}\nCOPY . /app/\nRUN false\n")
    assert shown(workshop, other) == ["a 2", "bx 1", "linkl 1"]
    notes_path(workshop.settings.paths.docker, APP).write_text("{")
    assert shown(workshop, one) == first
    assert shown(workshop, f"{one}; printf 'b\\ngone\\n.d*\\n' > .dockerignore") == [
        "a 1",
        "linkl 1",
    ]
    assert shown(workshop, one) == first


def test_unchanged_files_stay_with_the_engine(workshop: Workshop) -> None:
    """The next build of the app transfers what changed, and makes no second copy of the rest."""
    first = "head -c 3000000 /dev/zero > large; date +%N > small"
    dockerfile = f"FROM {BASE}\nCOPY . /app/\n"
    workshop.build(dockerfile, first=first, app_id=APP)
    before = contexts(workshop)
    workshop.build(dockerfile, first=first, app_id=APP)
    assert contexts(workshop) == before
    workshop.build(dockerfile, first=first, app_id=APP + 1)
    assert len(contexts(workshop)) > len(before)


def contexts(workshop: Workshop) -> set[str]:
    """The copies that the engine has."""
    with docker_client(workshop.settings) as client:
        found = client.api.df()["BuildCache"] or ()
    return {record["ID"] for record in found if record["Type"] == "source.local"}
