"""Rollback, retry, and what releases and pushes are compared with."""

from pathlib import Path

import pytest

from paas.domain.git.refs import RefUpdate
from paas.domain.releases.diffs import Entry, NameChanges
from paas.domain.releases.regression import Answers
from paas.domain.releases.releases import State, Status
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.interfaces import Built, Quarantine
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World

QUARANTINE = Quarantine(Path("/quarantine"))
GREETING = VarName("GREETING")


@pytest.fixture
def shop(world: World) -> World:
    """An app with v1 (code a), v2 (GREETING=hello) and v3 (code b)."""
    world.app()
    world.push()
    world.config.set(ROOT, "shop", {GREETING: "hello"}, world.progress)
    world.push(commit="b" * 40)
    world.runtime.calls.clear()
    world.proxy.calls.clear()
    return world


def current(world: World) -> int | None:
    app = world.store.apps.find("shop")
    assert app is not None
    return app.current


def fail_push(world: World, commit: str = "c" * 40) -> None:
    """A deploy that fails after its build, as instances cannot be started now."""
    world.runtime.failure = PaasError("start", "supervisord does not answer.")
    with pytest.raises(PaasError):
        world.push(commit=commit)


def roll_back(world: World, version: int | None = None) -> int | None:
    return world.releases.rollback(ROOT, "shop", version, world.progress)


def refused(world: World, version: int | None = None) -> PaasError:
    """Why a rollback is refused; asserts that it changed nothing."""
    before = (
        world.store.releases.of_app(1),
        world.store.instances.all(),
        list(world.runtime.calls),
    )
    with pytest.raises(PaasError) as caught:
        roll_back(world, version)
    assert (
        world.store.releases.of_app(1),
        world.store.instances.all(),
        world.runtime.calls,
    ) == before
    return caught.value


def test_the_log_says_why_a_release_failed(shop: World) -> None:
    """Of a deploy, and of a roll-out of what is live; without what the app printed."""
    shop.logs.printed["web.1"] = ["Traceback"]
    shop.runtime.behaviours["serve"] = Behaviour(State.CRASHED, 1, "exited with status 1")
    shop.logs.lines.clear()
    with pytest.raises(PaasError):
        shop.push(commit="c" * 40)
    with pytest.raises(PaasError):
        shop.processes.restart(ROOT, "shop", (), shop.progress)
    why = "web.1 exited with status 1 before it answered on its port"
    assert [line[1:] for line in shop.logs.lines] == [
        ("release", f"v4 failed: {why}"),
        ("web.1", "Stopped (v4)"),
        ("release", f"New instances of v3 did not come up: {why}"),
        ("web.1", "Stopped (v3)"),
    ]


def test_the_log_says_why_a_build_failed(shop: World) -> None:
    """Who was not there finds it where all else is."""
    shop.builder.failure = PaasError("build-failed", "bin/compile failed.")
    shop.logs.lines.clear()
    with pytest.raises(PaasError):
        shop.push(commit="c" * 40)
    assert [line[1:] for line in shop.logs.lines] == [
        ("deploy", "The build of cccccccc failed: bin/compile failed")
    ]


def test_rollback_brings_back_code_and_config(shop: World) -> None:
    """v1 had other code and no config; it becomes v4, with no build and no gap."""
    builds = len(shop.store.builds.of_app(1))
    assert roll_back(shop, 1) == 4
    newest, first = shop.store.releases.of_app(1)[0], shop.store.releases.of_app(1)[-1]
    assert (newest.slug_id, newest.config) == (first.slug_id, {})
    assert (newest.status, newest.description) == (Status.SUCCEEDED, "Rollback to v1")
    assert "GREETING" not in shop.environment()
    assert len(shop.store.builds.of_app(1)) == builds
    assert shop.runtime.calls == ["start 1-v4-4", "stop 1-v3-3-web.1"]
    assert shop.proxy.calls == ["apply 1 5001", "drain", "drain"]
    assert current(shop) == 4


def test_rollback_by_default_is_to_the_release_before(shop: World) -> None:
    """The failed ones in between do not count."""
    fail_push(shop)
    assert roll_back(shop) == 5
    assert shop.store.releases.of_app(1)[0].description == "Rollback to v2"
    assert shop.environment()["GREETING"] == "hello"


def test_a_rollback_names_the_way_forward(shop: World) -> None:
    """Git would not push the same commit again; nothing is said where the code is the same."""
    roll_back(shop, 1)
    told = "\n".join(shop.progress.lines)
    assert 'again is "Everything up-to-date"' in told
    assert "paas rollback v3" in told
    shop.progress.lines.clear()
    shop.config.set(ROOT, "shop", {VarName("A"): "1"}, shop.progress)
    roll_back(shop, 4)
    assert not any("up-to-date" in line for line in shop.progress.lines)


def test_rollback_of_a_rollback(shop: World) -> None:
    """Twice without a version comes to where it began, as on Heroku."""
    roll_back(shop)
    roll_back(shop)
    assert shop.store.releases.of_app(1)[0].description == "Rollback to v3"


@pytest.mark.parametrize(
    ("version", "reference"), [(3, "rollback-current"), (4, "rollback-failed")]
)
def test_rollbacks_that_are_refused(shop: World, version: int, reference: str) -> None:
    """With the reason, and nothing changed."""
    fail_push(shop)
    assert refused(shop, version).reference == reference


def test_rollback_to_an_unknown_release(shop: World) -> None:
    """The app and the version are named."""
    assert refused(shop, 9).message == "shop has no release v9."


def test_rollback_of_an_app_that_was_never_deployed(world: World) -> None:
    """There is nothing yet."""
    world.app()
    assert refused(world).reference == "nothing-to-roll-back-to"


def test_rollback_to_a_pruned_slug_names_what_there_is(shop: World) -> None:
    """Two slugs are kept: those of v3 and v4; the commit to build again is reported."""
    shop.push(commit="c" * 40)
    error = refused(shop, 1)
    assert error.reference == "slug-pruned"
    assert "You can go back to v3." in error.message
    assert error.hint == f"To build it again: git push --force deploy {'a' * 40}:main"


def test_rollback_that_does_not_come_up_changes_nothing(shop: World) -> None:
    """The current release keeps running; the attempt is a failed release."""
    shop.runtime.behaviours["serve"] = Behaviour(State.CRASHED, exits=1)
    with pytest.raises(PaasError):
        roll_back(shop, 1)
    assert current(shop) == 3
    assert shop.store.releases.of_app(1)[0].status is Status.FAILED
    assert {i.version for i in shop.store.instances.of_app(1)} == {3}


def test_rollback_is_for_those_who_may_use_the_app(shop: World) -> None:
    """Others get the message that there is no such app."""
    with pytest.raises(PaasError) as caught:
        shop.releases.rollback(shop.user("bob"), "shop", None, shop.progress)
    assert caught.value.exit_code == 20


def test_retry_makes_the_failed_release_live(shop: World) -> None:
    """Same slug and config as a new release, without another build."""
    fail_push(shop)
    assert shop.releases.retry(ROOT, "shop", shop.progress) == 5
    newest, failed = shop.store.releases.of_app(1)[:2]
    assert (newest.slug_id, newest.config) == (failed.slug_id, failed.config)
    assert newest.description == "Retry of v4: Deploy cccccccc: A change"
    assert (newest.status, failed.status) == (Status.SUCCEEDED, Status.FAILED)
    with pytest.raises(PaasError) as caught:
        shop.releases.retry(ROOT, "shop", shop.progress)
    assert caught.value.reference == "nothing-to-retry"


def test_retry_of_a_retry(shop: World) -> None:
    """Its name is that of what was tried, however often it was."""
    fail_push(shop)
    shop.runtime.failure = PaasError("start", "supervisord does not answer.")
    with pytest.raises(PaasError):
        shop.releases.retry(ROOT, "shop", shop.progress)
    shop.releases.retry(ROOT, "shop", shop.progress)
    assert shop.store.releases.of_app(1)[0].description == "Retry of v5: Deploy cccccccc: A change"


def test_a_retry_is_watched_as_a_deploy_is(shop: World) -> None:
    """It is new code: if it answers with errors, the server goes back automatically."""
    fail_push(shop)
    shop.requests.note(5000, Answers(20, 0), shop.clock.now())
    shop.requests.note(5001, Answers(20, 15))
    shop.releases.retry(ROOT, "shop", shop.progress)
    assert [release.description for release in shop.store.releases.of_app(1)[:2]] == [
        "Rollback to v3 (v5: 15 of 20 requests were answered with 5xx)",
        "Retry of v4: Deploy cccccccc: A change",
    ]


def test_retry_of_a_failed_config_change(shop: World) -> None:
    """The values that did not come up are tried again."""
    shop.runtime.failure = PaasError("start", "supervisord does not answer.")
    with pytest.raises(PaasError):
        shop.config.set(ROOT, "shop", {GREETING: "bye"}, shop.progress)
    shop.releases.retry(ROOT, "shop", shop.progress)
    assert shop.environment()["GREETING"] == "bye"


def test_retry_runs_the_release_command(shop: World) -> None:
    """It is for a migration that failed, and may fail again."""
    shop.repository.procfiles["c" * 40] = b"web: serve\nrelease: exit 3\n"
    with pytest.raises(PaasError):
        shop.push(commit="c" * 40)
    with pytest.raises(PaasError) as caught:
        shop.releases.retry(ROOT, "shop", shop.progress)
    assert caught.value.reference == "release-failed"
    assert [release.status for release in shop.store.releases.of_app(1)[:2]] == [Status.FAILED] * 2
    assert len(shop.one_off.ran) == 2


def test_rollback_runs_no_release_command(shop: World) -> None:
    """Old migrations may not know what newer ones made of a database."""
    shop.repository.procfiles["c" * 40] = b"web: serve\nrelease: echo Migrated\n"
    shop.push(commit="c" * 40)
    shop.push(commit="d" * 40)
    shop.one_off.ran.clear()
    roll_back(shop, 4)
    assert shop.one_off.ran == []


def test_slug_of_a_failed_deploy_goes_with_the_next(shop: World) -> None:
    """One is kept for a retry, and only until something else is live."""
    fail_push(shop, "c" * 40)
    fail_push(shop, "d" * 40)
    assert {slug.commit[0] for slug in shop.store.slugs.of_app(1)} == {"a", "b", "d"}
    shop.push(commit="e" * 40)
    assert {slug.commit[0] for slug in shop.store.slugs.of_app(1)} == {"b", "e"}
    assert shop.slugs.frozen == {slug.id for slug in shop.store.slugs.of_app(1)}


def test_info(shop: World) -> None:
    """Commit, what changed in config by name, and processes; by default of the latest."""
    found = shop.releases.info(ROOT, "shop", 2)
    assert (found.commit, found.before, found.is_current) == ("a" * 40, 1, False)
    assert found.config == NameChanges(added=("GREETING",), removed=(), changed=())
    assert found.slug is not None
    assert dict(found.slug.processes) == {"web": "serve"}
    assert shop.releases.info(ROOT, "shop", None).is_current


def test_info_of_a_release_whose_slug_is_pruned(shop: World) -> None:
    """Its commit is known still."""
    shop.push(commit="c" * 40)
    found = shop.releases.info(ROOT, "shop", 1)
    assert (found.commit, found.slug) == ("a" * 40, None)


def test_output_is_what_the_release_command_printed(shop: World) -> None:
    """By release; by default of the latest."""
    shop.logs.open_release(1, 2)(b"Migrating")
    assert shop.releases.output(ROOT, "shop", 2)[1] == ["Migrating"]
    assert shop.releases.output(ROOT, "shop", None)[1] == []


def test_diff_of_releases(shop: World) -> None:
    """By default the current release against the one before; else those that are named."""
    found = shop.diffs.between(ROOT, "shop", None, None)
    assert (found.old, found.new, len(found.files), bool(found.config)) == ("v2", "v3", 1, False)
    found = shop.diffs.between(ROOT, "shop", 1, 2)
    assert (found.files, found.config.added) == ((), ("GREETING",))
    found = shop.diffs.between(ROOT, "shop", 1, None)
    assert (found.old, found.new, len(found.files)) == ("v1", "v3", 1)


def test_diff_with_a_pruned_slug_compares_procfiles(shop: World) -> None:
    """The commands come from git then, and so do the dependencies."""
    shop.repository.procfiles["c" * 40] = b"web: other\n"
    shop.repository.contents["c" * 40, "requirements.txt"] = b"flask==3.1.3\n"
    shop.push(commit="c" * 40)
    found = shop.diffs.between(ROOT, "shop", 1, 4)
    assert found.processes == (Entry("web", "serve", "other"),)
    assert found.dependencies == (Entry("flask", None, "3.1.3"),)


def test_diff_with_a_commit_that_is_gone(shop: World) -> None:
    """What can be compared is, and the rest is reported."""
    shop.repository.lost.add("a" * 40)
    found = shop.diffs.between(ROOT, "shop", 1, 3)
    assert (found.files, found.config.added) == ((), ("GREETING",))
    assert "cannot be compared" in found.notes[0]


def push(world: World, *options: str, ref: str = "refs/heads/main") -> PaasError:
    """What a push with options is refused with."""
    with pytest.raises(PaasError) as caught:
        world.pushes.receive(
            ROOT,
            1,
            [RefUpdate("b" * 40, "c" * 40, ref)],
            QUARANTINE,
            world.progress,
            options,
        )
    return caught.value


def test_dry_run_tells_and_changes_nothing(shop: World) -> None:
    """The difference is shown, nothing is built, and the push is refused."""
    shop.repository.procfiles["c" * 40] = b"web: other\nworker: work\n"
    before = (
        shop.store.releases.of_app(1),
        shop.store.builds.of_app(1),
        shop.store.instances.all(),
    )
    shop.progress.lines.clear()
    assert push(shop, "dry-run").reference == "dry-run"
    assert (
        shop.store.releases.of_app(1),
        shop.store.builds.of_app(1),
        shop.store.instances.all(),
    ) == before
    assert shop.progress.lines == [
        "-----> What would change, from v3 to cccccccc",
        "-----> Files: 1 changed",
        "       M app.py",
        "-----> Processes",
        "       ~ web: serve -> other",
        "       + worker: work",
    ]


def test_dry_run_names_the_config_vars_that_app_json_declares(shop: World) -> None:
    """Those that a deploy would set; one that must be set before is asked for."""
    name = ("c" * 40, "app.json")
    shop.repository.contents[name] = b'{"env": {"COLOUR": "blue", "GREETING": "no"}}'
    assert push(shop, "dry-run").reference == "dry-run"
    assert shop.progress.lines[-2:] == ["-----> Config vars", "       + COLOUR"]
    shop.repository.contents[name] = b'{"env": {"COLOUR": {"required": true}}}'
    assert push(shop, "dry-run").reference == "env-required"


def test_dry_run_refuses_what_a_push_would(shop: World) -> None:
    """A Procfile that is wrong is found without a build."""
    shop.repository.procfiles["c" * 40] = b"no colon\n"
    assert push(shop, "dry-run").reference == "procfile"


def test_dry_run_of_a_branch_that_is_not_deployed(shop: World) -> None:
    """It is not stored either."""
    assert push(shop, "dry-run", ref="refs/heads/topic").reference == "dry-run"
    assert "-----> Nothing would be deployed: only main is" in shop.progress.lines


def test_mistyped_push_option_does_not_deploy(shop: World) -> None:
    """Who wants a dry run must not get a deploy."""
    error = push(shop, "dryrun")
    assert error.reference == "push-option"
    assert "'dryrun'; there are: dry-run, quiet." in error.message
    assert current(shop) == 3


def test_the_address_of_an_instance_is_that_of_its_start(world: World) -> None:
    """The proxy is sent there, also when later instances get another."""
    world.app()
    world.push()
    world.runtime.host = "10.212.0.2"
    world.push(commit="b" * 40)
    app = world.store.apps.by_id(1)
    assert app is not None
    (live,) = [i for i in world.store.instances.of_app(1) if i.is_live(app)]
    assert str(live.endpoint) == "10.212.0.2:5001"
    assert [str(endpoint) for endpoint in world.proxy.by_app[1].endpoints] == ["10.212.0.2:5001"]


def test_layers_go_with_the_last_slug_that_names_them(shop: World) -> None:
    """That of a build which the store does not know stays: a newer store may come back."""
    layer = shop.store.slugs.of_app(1)[0].id
    shop.slugs.dependencies[1] = {layer: 5, "1-unknown": 5}
    shop.builder.built = Built("fake", {}, dependencies=layer)
    shop.push(commit="c" * 40)
    assert shop.builder.shares_dependencies
    shop.builder.built = Built("fake", {})
    shop.push(commit="d" * 40)
    assert set(shop.slugs.dependencies[1]) == {layer, "1-unknown"}
    shop.push(commit="e" * 40)
    assert set(shop.slugs.dependencies[1]) == {"1-unknown"}
