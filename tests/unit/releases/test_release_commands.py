"""The release phase, scripts and config vars of app.json, in the deploy sequence."""

import json

import pytest

from paas.domain.releases.releases import Status
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType, VarName
from tests.fakes.world import ROOT, World

A, B, C = "a" * 40, "b" * 40, "c" * 40


def declare(world: World, commit: str, **content: object) -> None:
    """Give a commit an app.json."""
    world.repository.contents[commit, "app.json"] = json.dumps(content).encode()


def procfile(world: World, commit: str, release: str) -> None:
    """Give a commit a release: line."""
    world.repository.procfiles[commit] = f"web: serve\nrelease: {release}\n".encode()


def current(world: World) -> int | None:
    """The version that is live."""
    app = world.store.apps.find("shop")
    assert app is not None
    return app.current


def test_runs_before_any_instance_starts(world: World) -> None:
    """With the new slug and the new config, its output told, logged, and kept for the release."""
    world.app()
    procfile(world, A, "echo migrated")
    world.push()
    (ran,) = world.one_off.ran
    slug_id = world.store.slugs.of_app(1)[0].id
    assert (ran.name, ran.command) == ("release.1", "echo migrated")
    assert ran.artifact.directory.name == slug_id
    assert world.progress.lines.index("migrated") < world.progress.lines.index(
        "-----> Starting web.1"
    )
    assert world.logs.release_output(1, 1) == ["migrated"]
    assert world.logs.printed["release.1"] == ["migrated"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("echo no table; exit 3", "exited with status 3. Its last lines:\n  no table"),
        ("kill -KILL $$", "was killed by signal 9. It printed nothing."),
        ("echo x; hog", "more than 512 MiB (paas resource:limit). Its last lines:\n  x"),
        ("sleep 5000", "did not end within 900 s (setting release_limit_s)"),
    ],
)
def test_failure_rejects_the_push(world: World, command: str, words: str) -> None:
    """The old release serves, and no instance of the new one was started."""
    world.app()
    world.push()
    procfile(world, B, command)
    with pytest.raises(PaasError) as caught:
        world.push(commit=B)
    assert caught.value.reference == "release-failed"
    assert words in caught.value.report
    assert current(world) == 1
    assert [release.status for release in world.store.releases.of_app(1)] == [
        Status.FAILED,
        Status.SUCCEEDED,
    ]
    assert [call for call in world.runtime.calls if call.startswith("start")] == ["start 1-v1-1"]


def test_a_database_that_is_closed_to_apps(world: World) -> None:
    """A migration fails, and the push says how the server's database is opened."""
    world.app()
    world.runtime.refused = {5432}
    procfile(world, A, "echo connection refused; exit 1")
    with pytest.raises(PaasError, match=r"127\.0\.0\.1:5432 \(PostgreSQL\)") as caught:
        world.push()
    assert "add 5432 to the list host_ports" in str(caught.value.hint)


def test_a_database_file_without_its_directory(world: World) -> None:
    """The hint names what is missing: a storage directory."""
    procfile(world, A, "echo OperationalError: unable to open database file; exit 1")
    world.app()
    with pytest.raises(PaasError) as failed:
        world.push()
    assert "storage:add" in (failed.value.hint or "")


def test_a_flood_of_output_is_cut(world: World) -> None:
    """8 MiB are passed on; the last lines are known all the same."""
    world.app()
    procfile(world, A, "flood 10; echo the end; exit 1")
    with pytest.raises(PaasError) as caught:
        world.push()
    assert "the end" in caught.value.report
    assert world.logs.printed["release.1"] == ["x" * 1_000_000] * 8
    assert (
        " !     3 lines of the output of the release command were left out." in world.progress.lines
    )


def test_runs_for_each_new_release_and_only_then(world: World) -> None:
    """A change of config is one, as on Heroku; restart, scaling and rollback do without."""
    world.app()
    procfile(world, A, "echo x")
    world.push()
    world.config.set(ROOT, "shop", {VarName("A"): "1"}, world.progress)
    assert [ran.env for ran in world.one_off.ran] == [{}, {"A": "1"}]
    world.processes.scale(ROOT, "shop", ["web=2"], world.progress)
    assert len(world.one_off.ran) == 2
    world.push(commit=B)
    world.releases.rollback(ROOT, "shop", 1, world.progress)
    assert len(world.one_off.ran) == 2


def test_config_vars_are_declared_once(world: World) -> None:
    """A value and a secret are set where there is none, and stay as they are from then on."""
    world.app()
    env = {"GREETING": "hello", "KEY": {"generator": "secret"}}
    declare(world, A, env=env)
    world.push()
    assert world.environment() == {"GREETING": "hello", "KEY": "secret-1"}
    world.config.set(ROOT, "shop", {VarName("GREETING"): "hi"}, world.progress)
    declare(world, B, env=env)
    world.push(commit=B)
    assert world.environment() == {"GREETING": "hi", "KEY": "secret-1"}


def test_what_was_unset_stays_unset(world: World) -> None:
    """An optional var that someone unset does not come back; a new one is set."""
    world.app()
    optional = {"value": "1", "required": False}
    declare(world, A, env={"OLD": optional})
    world.push()
    world.config.unset(ROOT, "shop", [VarName("OLD")], world.progress)
    declare(world, B, env={"OLD": optional, "NEW": optional})
    world.push(commit=B)
    assert world.environment() == {"NEW": "1"}


def test_a_required_var_without_value_rejects(world: World) -> None:
    """It is named, before anything is built; with a value the push goes through."""
    world.app()
    declare(world, A, env={"API_KEY": {"description": "from them"}, "X": {"required": False}})
    with pytest.raises(PaasError) as caught:
        world.push()
    assert caught.value.reference == "env-required"
    assert "API_KEY" in caught.value.report
    assert "-----> Fake app detected" not in world.progress.lines
    world.config.set(ROOT, "shop", {VarName("API_KEY"): "k"}, world.progress)
    world.push()
    assert world.environment() == {"API_KEY": "k"}


def test_formation_until_someone_scales(world: World) -> None:
    """app.json says how many of each at first; ps:scale wins from then on."""
    world.app()
    declare(world, A, formation={"web": {"quantity": 3}})
    world.push()
    assert len(world.store.instances.of_app(1)) == 3
    world.processes.scale(ROOT, "shop", ["web=1"], world.progress)
    declare(world, B, formation={"web": {"quantity": 2}})
    world.push(commit=B)
    assert len(world.store.instances.of_app(1)) == 1
    assert world.processes.formation(ROOT, "shop") == {ProcessType("web"): 1}


def test_scripts(world: World) -> None:
    """predeploy in the build's tree; postdeploy after the switch, Heroku's only the first time."""
    world.app()
    scripts = {"dokku": {"predeploy": "echo a", "postdeploy": "echo b"}, "postdeploy": "echo c"}
    for commit in (A, B):
        declare(world, commit, scripts=scripts)
        world.push(commit=commit)
    assert [(ran.command, ran.artifact.directory.parts[1]) for ran in world.one_off.ran] == [
        ("echo a", "builds"),
        ("echo c", "slugs"),
        ("echo b", "slugs"),
        ("echo a", "builds"),
        ("echo b", "slugs"),
    ]


def test_scripts_that_fail(world: World) -> None:
    """predeploy rejects the push; what runs after the switch can only be told."""
    world.app()
    declare(world, A, scripts={"dokku": {"postdeploy": "exit 4"}})
    world.push()
    assert current(world) == 1
    assert " !     scripts.dokku.postdeploy exited with status 4. It printed nothing." in (
        world.progress.lines
    )
    declare(world, B, scripts={"dokku": {"predeploy": "exit 5"}})
    with pytest.raises(PaasError) as caught:
        world.push(commit=B)
    assert caught.value.reference == "predeploy-failed"
    assert world.slugs.building == set()
    assert current(world) == 1


def test_warnings_are_told(world: World) -> None:
    """An unknown key does not reject the push."""
    world.app()
    declare(world, A, nmae="shop")
    world.push()
    assert " !     app.json, line 1, column 2: nmae means nothing here and is ignored." in (
        world.progress.lines
    )
