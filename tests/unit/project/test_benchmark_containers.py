"""What the figures of containers decide: names, programs that count, and the words beside them."""

from pathlib import Path

import pytest

from benchmarks import main
from benchmarks.containers.memory import CONTAINERD, CONTAINERS, DOCKERD, SHIM, kind_of
from benchmarks.figures.containers_memory import grown
from benchmarks.figures.containers_push import parts

ROOT = Path("/srv/bench")


def test_one_name_stands_for_all_figures_of_containers() -> None:
    """Beside names of single figures, in the order in which all are measured."""
    names = [figure.name for figure in main.chosen(["containers", "boot"])]
    assert names[0] == "containers-push"
    assert names[-1] == "boot"
    assert {name.partition("-")[0] for name in names[:-1]} == {"containers"}
    assert main.chosen(None) == list(main.FIGURES)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("/usr/sbin/dockerd --config-file /srv/bench/run/docker/dockerd.json", DOCKERD),
        ("/usr/bin/containerd --config /srv/bench/run/docker/containerd.toml", CONTAINERD),
        ("python -I -m paas.entrypoints.daemons.containers --etc /srv/bench/etc", CONTAINERS),
        ("/usr/bin/shim -id 1 -address /srv/bench/run/docker/containerd.sock", SHIM),
        ("python -I -m paas.entrypoints.gate --etc /srv/bench/etc", None),
        ("/usr/sbin/dockerd --config-file /srv/other/run/docker/dockerd.json", None),
        ("/usr/bin/shim -id 1 -address /run/containerd/containerd.sock", None),
    ],
)
def test_programs_of_this_server_count(line: str, kind: str | None) -> None:
    """Of several engines on a machine only its own."""
    assert kind_of(line.split(), ROOT) == kind


def test_growth_is_told_for_each_container() -> None:
    """By kind of program."""
    before = {DOCKERD: 10 * 1024**2, SHIM: 5 * 1024**2}
    after = {DOCKERD: 10 * 1024**2 - 20 * 1024, SHIM: 25 * 1024**2}
    assert grown(before, after, 4) == "dockerd -5 KiB, shim +5120 KiB"


def test_a_push_is_told_with_and_without_ssh_and_git() -> None:
    """The target counts all of it."""
    words = parts(ours=[1.6, 1.4, 9.0], bare=[0.1, 0.4, 0.3], build=[0.4] * 3, start=[0.6] * 3)
    assert "0.40 s for docker build, 0.60 s for docker run" in words
    assert "takes 0.30 s" in words
    assert words.endswith("the ratio is 1.30")
