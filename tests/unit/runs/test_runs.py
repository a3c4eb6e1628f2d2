"""One-off processes: what is typed, what is run, and who may."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from paas.domain.runs.runs import app_first, command_text, run_label, terminal_name
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, VarName
from paas.services.runs.runs import RunRequest
from tests.fakes.world import ROOT, World


class Nobody:
    """A Caller who has no terminal and stays."""

    @contextmanager
    def terminal(self) -> Iterator[None]:
        yield

    def fileno(self) -> int:
        return -1

    def is_connected(self) -> bool:
        return True

    def mark_waiting(self, has_ended: Callable[[], bool]) -> None:
        """Nobody counts."""

    def in_foreground(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("bash", "bash"),
        ("bash -a shop", "-a shop bash"),
        ("rake db:migrate --app shop", "--app shop rake db:migrate"),
        ("rake --app=shop", "--app=shop rake"),
        ("-e A=b bash -a shop", "-a shop -e A=b bash"),
        ("-a shop ls -a x", "-a shop ls -a x"),
        ("--app=shop ls -a x", "--app=shop ls -a x"),
        ("-ashop ls -a x", "-ashop ls -a x"),
        ("-- ls -a x", "-- ls -a x"),
        ("--no-tty -- ls -a x", "--no-tty -- ls -a x"),
        ("ls -- -a x", "ls -- -a x"),
        ("ls -a", "ls -a"),
        ("grep -a word file", "grep -a word file"),
        ("-a shop", "-a shop"),
        ("", ""),
    ],
)
def test_app_behind_the_command(typed: str, read: str) -> None:
    """An app named at the end counts, unless one or ``--`` stands before the command."""
    assert app_first(typed.split()) == read.split()


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["echo $HOME | cat"], "echo $HOME | cat"),
        (["echo", "$HOME", "a b"], "echo '$HOME' 'a b'"),
        (["console"], "python manage.py shell"),
        (["console", "--plain", "a b"], "python manage.py shell --plain 'a b'"),
        (["./console"], "./console"),
    ],
)
def test_command(world: World, words: list[str], command: str) -> None:
    """One word is a shell's line, several are quoted, a process type stands for its command."""
    world.repository.procfiles["a" * 40] = b"web: serve\nconsole: python manage.py shell\n"
    world.app()
    world.push()
    world.app_runs.detach(ROOT, "shop", RunRequest(words, {}))
    assert world.runs.wanted[-1].command == command


@pytest.mark.parametrize("words", [[], [""], ["a\0b"], ["--help"], ["-x", "ls"]])
def test_no_command(words: list[str]) -> None:
    """Nothing to run, NUL, and what bash would take for its own options, are refused."""
    with pytest.raises(PaasError) as caught:
        command_text(words, {})
    assert (caught.value.reference, caught.value.exit_code) == ("run-command", 2)


@pytest.mark.parametrize(
    "name", ["", "run", "run.", "run.0", "run.01", "web.1", "run.1\n", "run.x"]
)
def test_names_of_no_one_off(name: str) -> None:
    """Only run.N is the name of a one-off process."""
    with pytest.raises(PaasError) as caught:
        run_label(name)
    assert caught.value.reference == "run-name"


def test_terminal_names() -> None:
    """TERM is passed on as it is, or not at all."""
    assert terminal_name("xterm-256color") == "xterm-256color"
    for text in (None, "", "x y", "../x", "x\n", "-x", "x" * 65):
        assert terminal_name(text) == "dumb"


def test_status_environment_and_log(world: World) -> None:
    """It has the release's config and its own variables; the log says who ran what, and its end."""
    alice = world.user("alice")
    world.app(actor=alice)
    world.push()
    world.config.set(alice, "shop", {VarName("A"): "1", VarName("B"): "2"}, world.progress)
    world.runs.status = 3
    request = RunRequest(["bash"], {VarName("B"): "3"}, "xterm")
    assert world.app_runs.run(alice, "shop", request, Nobody(), world.progress) == 3
    wanted = world.runs.wanted[-1]
    assert {key: value.reveal() for key, value in wanted.env.items()} == {
        "A": "1",
        "B": "3",
        "TERM": "xterm",
    }
    assert (wanted.version, wanted.terminal) == (2, True)
    assert [line[1:] for line in world.logs.lines[-2:]] == [
        ("run.1", "Starting process with command `bash` by alice"),
        ("run.1", "Process exited with status 3"),
    ]
    assert world.progress.lines[-1] == "-----> Running bash on shop: run.1"


def test_out_of_memory(world: World) -> None:
    """The log and the waiting client say so, since the command itself could not."""
    world.app()
    world.push()
    world.runs.status, world.runs.shortage = 137, "the limit is 512 MiB"
    assert (
        world.app_runs.run(ROOT, "shop", RunRequest(["bash"], {}), Nobody(), world.progress) == 137
    )
    words = "Process exited with status 137 (out of memory: the limit is 512 MiB)"
    assert world.logs.lines[-1][1:] == ("run.1", words)
    assert world.progress.lines[-1] == " !     run.1 ran out of memory: the limit is 512 MiB."


def test_a_command_cannot_forge_a_log_line(world: World) -> None:
    """A newline in a command is shown escaped."""
    world.app()
    world.push()
    world.app_runs.detach(ROOT, "shop", RunRequest(["true\n2026 app[web.1]: x"], {}))
    assert "\n" not in world.logs.lines[-1][2]


def test_listing_and_stopping(world: World) -> None:
    """One that runs can be stopped, once; none is where one of them is unknown."""
    world.app()
    world.push()
    for _ in range(2):
        world.app_runs.detach(ROOT, "shop", RunRequest(["sleep 9"], {}))
    assert [run.label for run in world.app_runs.listing(ROOT, "shop")] == ["run.1", "run.2"]
    with pytest.raises(PaasError) as caught:
        world.app_runs.stop(ROOT, "shop", ["run.1", "run.3"], world.progress)
    assert caught.value.reference == "no-such-run"
    assert len(world.runs.running) == 2
    world.app_runs.stop(ROOT, "shop", ["run.1"], world.progress)
    assert [run.label for run in world.app_runs.listing(ROOT, "shop")] == ["run.2"]


def test_not_deployed_and_not_yours(world: World) -> None:
    """An app without a release runs nothing; another's looks like none."""
    world.app()
    bob = world.user("bob")
    for actor, reference in ((ROOT, "not-deployed"), (bob, "no-such-app")):
        for call in (
            lambda who: world.app_runs.run(
                who, "shop", RunRequest(["id"], {}), Nobody(), world.progress
            ),
            lambda who: world.app_runs.detach(who, "shop", RunRequest(["id"], {})),
        ):
            with pytest.raises(PaasError) as caught:
                call(actor)
            assert caught.value.reference == reference
    with pytest.raises(PaasError):
        world.app_runs.listing(bob, "shop")


def test_slug_in_use_is_kept(world: World) -> None:
    """Deploys do not take the files away from a process that runs; the first after its end does."""
    world.app()
    world.push()
    world.app_runs.detach(ROOT, "shop", RunRequest(["sleep 9"], {}))
    used = world.runs.running[0].slug_id
    for letter in "bcdef":
        world.push(commit=letter * 40)
    assert used in world.slugs.frozen
    world.runs.running.clear()
    world.push(commit="0" * 40)
    assert used not in world.slugs.frozen


def test_destroying_an_app_ends_them(world: World) -> None:
    """With the app its one-off processes go."""
    world.app()
    world.push()
    world.app_runs.detach(ROOT, "shop", RunRequest(["sleep 9"], {}))
    world.apps.destroy(ROOT, AppName("shop"), "shop", world.progress)
    assert world.runs.running == []
    assert world.runs.removed == [1]
