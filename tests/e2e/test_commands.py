"""Every command, as the operator and as a user over ssh, with good input and with bad."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e.probe import App, push
from tests.e2e.server import Finished, Server, User, run

SECRET = "s3cret-5d7f0c"
VALUES = {
    "NEWLINES": "one\ntwo\n",
    "QUOTES": 'it\'s "quoted" `id` $(id) ${HOME} $$',
    "PERCENT": "100% %(ENV_HOME)s %s %%",
    "BACKSLASH": "a\\b\\\\n\\",
    "UTF8": "Grüße, 世界 \U0001f680",
    "SPACES": "  around  ",
    "EMPTY": "",
    "EQUALS": "B=C=",
    "LARGE": "x" * 65_536,
    "SECRET": SECRET,
    "PATH": "/nonexistent:/usr/bin:/bin",
    "PYTHONPATH": "/app/mine",
}


@pytest.fixture(scope="module")
def shop(alice: User) -> App:
    """An app that the commands are about."""
    return push(alice, "shop", {})


def both(server: Server, user: User, *words: str) -> tuple[Finished, Finished]:
    """The same command as the operator and over ssh; both must succeed."""
    return server.paas(*words), user.ssh(*words)


@pytest.mark.parametrize(
    "command",
    [
        "apps",
        "apps:info -a shop",
        "config -a shop",
        "ps -a shop",
        "ps:scale -a shop",
        "logs -n 3 -a shop",
        "releases -a shop",
        "keys",
        "version",
    ],
)
def test_reading_commands(server: Server, alice: User, shop: App, command: str) -> None:
    """Each prints data for people and, with --json, JSON; as operator and as user."""
    words = command.split()
    for done in both(server, alice, *words):
        assert done.stderr == ""
        assert "\x1b" not in done.stdout
    if words[0] == "logs":
        return
    for done in both(server, alice, *words, "--json"):
        json.loads(done.stdout)


def test_app_is_named_in_three_ways(alice: User, shop: App) -> None:
    """By position, by -a, and by the option before the command; two names are an error."""
    answers = {
        alice.ssh(line).stdout
        for line in ("apps:info shop", "apps:info -a shop", " -a shop apps:info")
    }
    assert len(answers) == 1
    assert alice.ssh("apps:info shop -a other", check=False).returncode == 2
    for command in ("apps:info", "apps:info ''", "apps:info -a ''", " -a shop apps:info ''"):
        assert alice.ssh(command, check=False).returncode == 2, command


def test_apps_are_created_and_destroyed(server: Server, alice: User) -> None:
    """apps:create, under a name or a random one; apps:destroy asks for the name once more."""
    made = alice.ssh("apps:create crud --json")
    assert json.loads(made.stdout)["name"] == "crud"
    assert made.stderr == "-----> Created crud\n"
    again = alice.ssh("apps:create crud", check=False)
    assert again.returncode == 1, again
    assert "crud" in again.stderr
    refused = alice.ssh("apps:destroy crud", check=False)
    assert refused.returncode == 2
    assert "--confirm crud" in refused.stderr
    alice.ssh("apps:destroy crud --confirm crud")
    random = alice.ssh("apps:create").stdout
    found = re.fullmatch(r"http://([a-z0-9-]+)\.localhost\S* \| ssh://\S+/\1\n", random)
    assert found, random
    server.paas("apps:destroy", found[1], "--confirm", found[1])


@pytest.mark.parametrize(
    "name",
    [
        *("", "..", "-rf", "a;id", "$(id)", "`id`", "a/b", "shop\n", "a" * 31, "SHOP", "sh op"),
        *("root", "admin", "git", "www", "1a", "a_b", "a.b", "-", "a-", "é"),
    ],
)
def test_bad_app_names_are_refused(server: Server, alice: User, shop: App, name: str) -> None:
    """A name that breaks the rule changes nothing: status 2 and one line that says the rule."""
    before = names(server)
    for done in (
        server.paas("apps:create", "--", name, check=False),
        alice.ssh("apps:create", "--", name, check=False),
        alice.ssh("apps:rename", "shop", "--", name, check=False),
    ):
        assert done.returncode == 2, done
        assert "name" in done.stderr.lower()
        assert done.stdout == ""
    assert names(server) == before


def names(server: Server) -> list[str]:
    """Of all apps; what they do may change meanwhile."""
    return [app["name"] for app in json.loads(server.paas("apps", "--json").stdout)]


def test_config_reaches_the_app_byte_for_byte(server: Server, alice: User, shop: App) -> None:
    """Any text is stored and delivered as it is, reaches the app only, and shows up nowhere."""
    done = alice.ssh("config:set", "-a", "shop", *(f"{k}={v}" for k, v in VALUES.items()))
    assert SECRET not in done.stdout + done.stderr
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    seen = json.loads(shop.python(program))
    profile = {"PATH", "PYTHONPATH"}
    assert {name: seen[name] for name in VALUES if name not in profile} == {
        name: value for name, value in VALUES.items() if name not in profile
    }
    assert seen["PATH"].endswith(VALUES["PATH"])
    assert seen["PYTHONPATH"].startswith(VALUES["PYTHONPATH"])
    assert json.loads(alice.ssh("config -a shop --json").stdout) == VALUES
    assert alice.ssh("config:get QUOTES -a shop").stdout == VALUES["QUOTES"] + "\n"
    shell = alice.ssh("config -a shop --shell").stdout
    read = run(["bash", "-c", f'{shell}\nprintf %s "$NEWLINES$QUOTES$UTF8"']).stdout
    assert read == VALUES["NEWLINES"] + VALUES["QUOTES"] + VALUES["UTF8"]
    found = set(_files_with(server, SECRET))
    assert found == {"run/specs"}  # they are sealed in the database and its copies
    assert not any(SECRET in line for line in _command_lines())
    unset = alice.ssh("config:unset", "-a", "shop", *VALUES)
    assert "Unsetting NEWLINES" in unset.stderr
    assert json.loads(alice.ssh("config -a shop --json").stdout) == {}


def _files_with(server: Server, text: str) -> list[str]:
    """Where below the server's directory a text stands: the first two parts of the paths."""
    done = run(["grep", "-rlaF", "--devices=skip", text, str(server.root)], check=False)
    paths = [Path(line).relative_to(server.root) for line in done.stdout.splitlines()]
    return sorted({str(Path(*path.parts[:2])).removesuffix("-wal") for path in paths})


def _command_lines() -> list[str]:
    return run(["ps", "-eo", "args"]).stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["PORT=5000"], "PORT cannot be set"),
        (["A-B=1"], "'A-B' is not a config var's name"),
        (["1X=1"], "'1X' is not"),
        (["=1"], "'' is not"),
        (["GOOD=1", "BAD-ONE=2"], "'BAD-ONE' is not"),
        (["BIG=" + "x" * 65_537], "65537 bytes"),
        (["ONLY"], "'ONLY' is not of the form NAME=value"),
        ([], "Missing argument"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_config_is_refused(alice: User, shop: App, words: list[str], says: str) -> None:
    """A config var that breaks a rule: status 2, and none of the others is set either."""
    done = alice.ssh("config:set", "-a", "shop", "--", *words, check=False)
    assert done.returncode == 2
    assert says in done.stderr
    assert "GOOD" not in alice.ssh("config -a shop --json").stdout
    assert alice.ssh("config:get NONE -a shop", check=False).returncode == 1


@pytest.mark.parametrize(
    "command",
    [
        *("apps:info shop", "apps:rename shop mine", "apps:destroy shop --confirm shop"),
        *("config shop", "config:get SECRET -a shop", "config:set -a shop A=1"),
        *("config:unset -a shop A", "ps shop", "ps:restart shop", "ps:scale shop web=0"),
        *("ps:stop shop", "ps:start shop", "ps:wait shop", "apps:lock shop", "apps:unlock shop"),
        *("maintenance shop", "maintenance:on shop", "git:info shop", "storage shop"),
        *("storage:add shop /app/data", "config:export shop", "apps:clone shop other"),
        *("logs shop", "releases shop", "git:set shop deploy-branch x"),
    ],
)
def test_anothers_app_is_invisible(bob: User, shop: App, command: str) -> None:
    """Another user's app looks like one that does not exist: the same words, status 20."""
    present = bob.ssh(command, check=False)
    absent = bob.ssh(command.replace("shop", "none"), check=False)
    assert (present.returncode, present.stdout) == (20, "")
    assert present.stderr == absent.stderr.replace("'none'", "'shop'")
    assert "shop" not in bob.ssh("apps").stdout


@pytest.mark.parametrize(
    "command",
    [
        "nope",
        "apps --nope",
        "apps:rename",
        "logs -n x -a shop",
        "ps:scale shop web=-1",
        "help nope",
    ],
)
def test_wrong_usage_ends_with_2(server: Server, alice: User, shop: App, command: str) -> None:
    """What is not a command, an option or an argument: status 2 and a line on stderr."""
    for done in (server.paas(*command.split(), check=False), alice.ssh(command, check=False)):
        assert done.returncode == 2, done
        assert done.stderr.startswith(" !     ")
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("rollback v0 -a shop", "'v0' is not a release."),
        ("diff v1 v2 v3 -a shop", "At most 2 releases can be named."),
        ("releases:info vv -a shop", "'vv' is not a release."),
        ("ps:scale web -a shop", "'web' is not of the form web=2, web+1 or web-1."),
        ("ps:scale web=-1 -a shop", "web: the quantity must be 0 to 100, not -1."),
        ("ps:scale web=1000000000 -a shop", "web: the quantity must be 0 to 100, not 1000000000."),
    ],
)
def test_what_is_wrong_with_a_word_is_told(alice: User, shop: App, command: str, told: str) -> None:
    """Where the app is named by an option, no other word is taken for one."""
    done = alice.ssh(command, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, f" !     {told}")


def test_scale_and_restart(alice: User, shop: App) -> None:
    """ps:scale changes how many instances run, to none and back; ps:restart replaces them."""
    assert alice.ssh("ps:scale shop web=2").stderr.endswith("-----> Scaled: web=2\n")
    assert [row["instance"] for row in shop.ps()] == ["web.1", "web.2"]
    assert alice.ssh("ps:scale shop --json").stdout == '{\n  "web": 2\n}\n'
    first = {row["instance"]: row["since"] for row in shop.ps()}["web.1"]
    for words in ("-a shop web+1", "shop web-1", "-a shop web-1"):
        alice.ssh(f"ps:scale {words}")
        assert {row["instance"]: row["since"] for row in shop.ps()}["web.1"] == first
    shop.server.paas("--app", "shop", "ps:scale", "web-1")
    assert shop.ps() == []
    assert shop.server.get("shop").status == 503
    alice.ssh("ps:scale shop web=1")
    before = shop.boot()
    alice.ssh("ps:restart shop")
    assert shop.boot() not in ("", before)
    assert alice.ssh("ps:scale shop web=1000000000", check=False).returncode != 0
    assert alice.ssh("ps:scale shop nope=1", check=False).returncode != 0
    assert len(shop.ps()) == 1


def test_git_set_chooses_the_branch(alice: User, shop: App) -> None:
    """git:set deploy-branch changes which branch apps:info names."""
    alice.ssh("git:set shop deploy-branch production")
    assert '"deploy_branch": "production"' in alice.ssh("apps:info shop --json").stdout
    alice.ssh("git:set shop deploy-branch")
    assert "main or master" in alice.ssh("apps:info shop").stdout
    assert alice.ssh("git:set shop deploy-branch ../x", check=False).returncode == 2


def test_help(server: Server, alice: User) -> None:
    """Of commands of all topics: each explains itself with an example, by help and by --help."""
    topics = re.findall(r"^  ([a-z-]+)  ", alice.ssh("help").stdout, re.MULTILINE)
    assert {"apps", "config", "ps", "server"} <= set(topics)
    names: list[str] = []
    for topic in topics:
        _, _, listed = f"\n{alice.ssh(f'help {topic}').stdout}".rpartition(f"\n{topic}: ")
        names += re.findall(r"^  ([a-z][a-z:-]*)", listed, re.MULTILINE)
    assert {"apps:create", "config:set", "logs", "server:status"} <= set(names)
    for name in names[::12]:  # unit tests see to all of them
        text = server.paas("help", name).stdout
        assert f"paas {name}" in text
        assert "Example:" in text
        assert text.startswith(server.paas(name, "--help").stdout.rstrip())


def test_what_is_meant_is_named(alice: User, shop: App) -> None:
    """A space in place of the colon, and a word from elsewhere; Heroku's names just work."""
    done = alice.ssh("config set A=1 -a shop", check=False)
    assert (done.returncode, "Did you mean: paas config:set" in done.stderr) == (2, True)
    done = alice.ssh("mongo:create", check=False)
    assert (done.returncode, "DATABASE_URL" in done.stderr) == (2, True)
    assert alice.ssh("info shop").stdout == alice.ssh("apps:info shop").stdout
    assert alice.ssh("scale -a shop").stdout == "web=1\n"
    assert "proxy-read-timeout" in alice.ssh("help nginx:set").stdout


def test_server_status_is_the_operators(server: Server, alice: User) -> None:
    """server:status tells root what runs, as JSON, too, and a member that it is not for them."""
    status = json.loads(server.paas("server:status", "--json").stdout)
    assert {row["name"] for row in status["processes"]} >= {"gate", "log", "nginx", "sshd"}
    done = alice.ssh("server:status", check=False)
    assert done.returncode == 1, done
    assert "admin" in done.stderr


def test_doctor_mends_nothing_that_is_well(server: Server, alice: User, shop: App) -> None:
    """doctor --fix on a healthy server restarts nothing."""
    before = shop.boot()
    # Other tests may have left something on this server that is not well.
    server.paas("doctor", check=False)
    server.paas("doctor", "--fix", check=False)
    assert shop.boot() == before
    assert alice.ssh("doctor --fix", check=False).returncode == 1


def test_releases_tell_what_happened(alice: User, server: Server) -> None:
    """Each change is a release with who made it; -n limits them."""
    alice.ssh("apps:create tale")
    alice.ssh("config:set tale A=1")
    server.paas("config:set", "tale", "B=2")
    rows = json.loads(alice.ssh("releases tale --json").stdout)
    assert [(row["version"], row["description"], row["user"]) for row in rows] == [
        (2, "Set B", "root"),
        (1, "Set A", "alice"),
    ]
    assert len(alice.ssh("releases tale -n 1").stdout.splitlines()) == 1
