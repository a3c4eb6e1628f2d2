"""Images that mean harm, or are broken: each ends in a sentence, and nothing else happens.

Those of which a test is elsewhere: what reaches a cloud's metadata or the server while it is built
(tests/e2e/test_dockerfile.py), heroku.yml (tests/unit/manifest), references and labels
(tests/unit/builds/test_images.py), archives that are none (test_sources.py) or are small and huge
when unpacked (test_context_archives.py), who reaches whom (test_bridges.py).
"""

from pathlib import Path

import pytest

from paas.adapters.docker.connection import docker_client
from paas.adapters.runtime.docker.commands import DockerOneOff
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.builds.builders import DockerfileBuild
from paas.domain.releases.artifacts import Artifact, Image
from paas.domain.releases.releases import State
from paas.domain.values.errors import PaasError
from tests.contract.builds.building import an_app
from tests.contract.docker.workshop import Workshop
from tests.contract.runtime.runtime_harness import WEB, Harness
from tests.docker_engine import BASE, DockerEngine
from tests.processes import processes_of

SEVEN = {0, 1, 3, 5, 6, 7, 10}  # capabilities(7): CHOWN to NET_BIND_SERVICE


@pytest.mark.parametrize(
    ("user", "uid", "capabilities"), [("0", 0, SEVEN), ("33:1000", 33, set[int]())]
)
def test_the_user_of_an_image(
    docker_engine: DockerEngine, user: str, uid: int, capabilities: set[int]
) -> None:
    """Root, or another program's uid: it has little of root's rights, and none can be gained."""
    said = ran(
        docker_engine,
        docker_engine.changed(f"USER {user}"),
        "id -u; cat /proc/self/status; echo 1 > /proc/sys/kernel/panic; echo 1 > /sys/x; ls /dev",
    )
    status = dict(line.split(":\t", 1) for line in said if ":\t" in line)
    assert str(uid) in said
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    effective, most = (int(status[name], 16) for name in ("CapEff", "CapBnd"))
    assert {bit for bit in range(64) if effective >> bit & 1} == capabilities
    assert {bit for bit in range(64) if most >> bit & 1} == SEVEN
    refused = [line for line in said if line.startswith("/bin/sh: ")]
    assert len(refused) == 2, said
    assert not {"mem", "kmsg", "sda", "vda"} & set(said)


def ran(engine: DockerEngine, image: Image, command: str) -> list[str]:
    """What a command prints in a container of the image."""
    lines: list[bytes] = []
    DockerOneOff(engine.settings, Cgroups(engine.settings)).run(
        an_app(1),
        Artifact(Path("/"), image),
        {},
        command,
        name="release.1",
        output=lines.append,
        limit_s=120.0,
    )
    return [line.decode() for line in lines]


def test_an_image_that_does_not_end(docker: Harness, docker_engine: DockerEngine) -> None:
    """It ignores TERM, its health check hangs, and it wants volumes: it is found out and ended."""
    docker.image = docker_engine.changed(
        """ENTRYPOINT ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1000; done"]""",
        "HEALTHCHECK --interval=1s --timeout=1s --retries=1 CMD sleep 1001",
        "VOLUME /data",
        "EXPOSE 22",
        "ONBUILD RUN false",
    )
    instance = docker.one("", port=22)
    docker.wait_for(instance, State.CRASHED)
    assert "unhealthy by the image's HEALTHCHECK" in (docker.state(instance).exit_reason or "")
    assert docker.runtime.stop([instance], 0.5) == {instance.id}
    assert processes_of(docker.app.uid) == set()
    assert docker_engine.containers() == []
    with docker_client(docker_engine.settings) as client:
        assert client.api.volumes()["Volumes"] in (None, [])


@pytest.mark.parametrize(
    ("instruction", "why"),
    [
        ("USER who-is-that", "who-is-that"),
        ("WORKDIR /etc/passwd/x", "/etc/passwd"),
        ("VOLUME /proc", "proc"),
    ],
)
def test_an_image_that_cannot_start(
    docker: Harness, docker_engine: DockerEngine, instruction: str, why: str
) -> None:
    """The reason is reported, in one line, and nothing is left."""
    docker.image = docker_engine.changed('CMD ["/bin/sleep", "60"]', instruction)
    (instance,) = docker.instances(WEB)
    with pytest.raises(PaasError, match=why) as caught:
        docker.start([instance], "")
    assert "\n" not in caught.value.message
    assert docker_engine.containers() == []
    assert docker.state(instance).state is State.STOPPED


@pytest.mark.parametrize(
    ("dockerfile", "first", "why"),
    [
        (f"FROM {BASE}\nRUN exit 3", "", r"step \[2/2\] RUN exit 3 failed: it exited with .* 3\."),
        (f"FROM {BASE}\nCOPY nothing /", "", "nothing"),
        (f"FETCH {BASE}", "", "unknown instruction: FETCH"),
        ("", "", "has no Dockerfile"),
        ("", "ln -s /etc/shadow Dockerfile", "has no Dockerfile"),
        ("", "mkdir Dockerfile", "has no Dockerfile"),
        ("", "mkfifo Dockerfile", "has no Dockerfile"),
        ("FROM no.such.registry.invalid/x", "", "no.such.registry.invalid"),
        (f"FROM {BASE}\nEXPOSE 22 65536", "", "65536"),
        (f"FROM {BASE}\nRUN --network=host id", "", "network"),
        (f"FROM {BASE}\nRUN --security=insecure id", "", "security"),
        (f"FROM {BASE}\nLABEL paas.instance=web.1", "", "label 'paas.instance'"),
    ],
)
def test_what_cannot_be_built(workshop: Workshop, dockerfile: str, first: str, why: str) -> None:
    """Each ends in a sentence that names what is wrong."""
    with pytest.raises(PaasError, match=why) as caught:
        workshop.build(dockerfile, first=first)
    assert caught.value.message.endswith(".")
    assert "root:" not in caught.value.report + workshop.output()


def test_a_folder_that_is_a_link(workshop: Workshop) -> None:
    """A path through a link to a folder of the server is no Dockerfile of the app's."""
    with pytest.raises(PaasError, match="behind a symbolic link"):
        workshop.build("", DockerfileBuild(path="deploy/shadow"), first="ln -s /etc deploy")


def test_links_in_the_context(workshop: Workshop) -> None:
    """They stay links: nothing of the server's files is copied."""
    workshop.build(
        f"FROM {BASE}\nCOPY . /x\nRUN ls -l /x; cat /x/shadow || echo emp''ty\n",
        first="ln -s /etc/shadow shadow; ln -s / root",
    )
    # What cat says of it may be on the same line.
    assert "empty" in workshop.output()
    assert "root:" not in workshop.output()


def test_an_image_that_says_much(workshop: Workshop) -> None:
    """A foreign uid, a health check that hangs, ONBUILD and volumes: nothing of it is run."""
    built = workshop.build(
        f"FROM {BASE}\nUSER 33:1000\nEXPOSE 22 53/udp\nHEALTHCHECK CMD sleep 1000\n"
        'ONBUILD RUN id\nVOLUME /data\nENTRYPOINT ["/bin/sleep"]\nSTOPSIGNAL SIGKILL\n'
    )
    assert built.image is not None
    assert built.image.port == 22
    with docker_client(workshop.settings) as client:
        assert client.api.containers(all=True) == []
        assert client.api.volumes()["Volumes"] in (None, [])
