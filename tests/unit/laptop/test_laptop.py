"""The laptop's paas: how it finds its server and app, and what it hands to ssh."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from paas.domain.values.errors import PaasError
from paas.entrypoints.laptop import completion, remotes, running
from paas.entrypoints.laptop.commands import COMMANDS
from paas.entrypoints.laptop.remotes import Remote, Server, parse_url

CLIENT = Path(__file__).parents[3] / "paas" / "entrypoints" / "client.py"

# A stand-in for ssh: records its arguments and stdin, prints and exits as told.
FAKE_SSH = """\
#!/bin/sh
for word; do printf '%s\\n' "$word"; done > "$FAKE/argv"
[ -t 0 ] || cat > "$FAKE/stdin"
[ ! -f "$FAKE/stdout" ] || cat "$FAKE/stdout"
exit "$(cat "$FAKE/status" 2>/dev/null || echo 0)"
"""


# A stand-in for paas, which completion asks for values; it may never ask for a password.
FAKE_PAAS = """\
#!/bin/sh
case "$PAAS_SSH" in *BatchMode=yes*) ;; *) exit 1 ;; esac
case "$1" in
    apps) printf 'shop\\nshed\\nother\\n' ;;
    config) printf '{\\n  "GREETING": "a\\\\n  \\\\"X\\\\": 1",\\n  "COLOUR": "red"\\n}\\n' ;;
    keys) printf 'alice  SHA256:abc  me\\nbob  SHA256:xyz  \\n' ;;
esac
"""


class Laptop:
    """A home, a work tree, and a program in the place of ssh."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tree = root / "tree"
        for name in ("bin", "home", "tree"):
            (root / name).mkdir()
        ssh = root / "bin" / "ssh"
        ssh.write_text(FAKE_SSH)
        ssh.chmod(0o755)
        self.env = {
            "PATH": f"{root / 'bin'}:/usr/bin:/bin",
            "HOME": str(root / "home"),
            "FAKE": str(root),
            "GIT_CEILING_DIRECTORIES": str(root),
        }

    def git(self, *words: str) -> str:
        """Run git in the work tree."""
        done = subprocess.run(
            ["git", *words], cwd=self.tree, env=self.env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def paas(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run paas in the work tree, with nothing but the standard library."""
        return subprocess.run(
            ["/usr/bin/python3", "-I", "-S", str(CLIENT), *words],
            cwd=self.tree,
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=200,
        )

    @property
    def ssh(self) -> list[str] | None:
        """What ssh was called with, or None."""
        path = self.root / "argv"
        return path.read_text().splitlines() if path.exists() else None


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    """A laptop with a git work tree that has no remote."""
    made = Laptop(tmp_path)
    made.git("init", "-q")
    return made


@pytest.mark.parametrize(
    ("url", "server", "app"),
    [
        ("paas@host:shop", Server("paas", "host", None), "shop"),
        ("paas@host:shop.git", Server("paas", "host", None), "shop"),
        ("host:shop", Server(None, "host", None), "shop"),
        ("paas@host:~/shop", Server("paas", "host", None), "shop"),
        ("paas@host:/shop", Server("paas", "host", None), "shop"),
        ("[paas@host:2222]:shop", Server("paas", "host", 2222), "shop"),
        ("paas@[::1]:shop", Server("paas", "[::1]", None), "shop"),
        ("ssh://paas@host/shop", Server("paas", "host", None), "shop"),
        ("ssh://paas@host:2222/shop.git", Server("paas", "host", 2222), "shop"),
        ("ssh://host/~/shop", Server(None, "host", None), "shop"),
        ("ssh://paas@[::1]:22/shop/", Server("paas", "[::1]", 22), "shop"),
        ("git+ssh://paas@host/shop", Server("paas", "host", None), "shop"),
        ("git@github.com:me/shop.git", Server("git", "github.com", None), None),
        ("https://git.heroku.com/shop.git", None, None),
        ("/srv/git/shop.git", None, None),
        ("../shop", None, None),
        ("-oProxyCommand=x:shop", None, None),
        ("ssh://-oProxyCommand=x/shop", None, None),
        ("ssh://-oProxyCommand=x@host/shop", None, None),
        ("paas@-host:shop", None, None),
    ],
)
def test_repository_urls(url: str, server: Server | None, app: str | None) -> None:
    """Every form of SSH url that git knows; nothing that ssh could take for an option."""
    found = parse_url(url)
    if server is None:
        assert found is None
    else:
        assert found == Remote(server, app)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("paas@host", Server("paas", "host", None)),
        ("host", Server("paas", "host", None)),
        ("me@host:2222", Server("me", "host", 2222)),
        ("ssh://me@host:2222/", Server("me", "host", 2222)),
        ("me@[::1]:2222", Server("me", "[::1]", 2222)),
    ],
)
def test_server_addresses(text: str, server: Server) -> None:
    """A server with or without user and port."""
    assert remotes.server(text, "--server") == server


@pytest.mark.parametrize("text", ["", "-oX=y", "a b", "me@", "host:99999", "host:x", "-x@host"])
def test_bad_server_addresses(text: str) -> None:
    """Each is a wrong usage."""
    with pytest.raises(PaasError) as caught:
        remotes.server(text, "--server")
    assert caught.value.exit_code == 2


def test_order_of_sources(laptop: Laptop) -> None:
    """--server comes before the remote, that before PAAS_SERVER, that before the config file."""
    config = laptop.root / "home/.config/paas/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('server = "file.example"\n')
    assert laptop.paas("apps").returncode == 0
    assert laptop.ssh == ["paas@file.example", "--", "apps"]
    laptop.env["PAAS_SERVER"] = "variable.example:2222"
    laptop.paas("apps")
    assert laptop.ssh == ["-p", "2222", "paas@variable.example", "--", "apps"]
    laptop.git("remote", "add", "deploy", "ssh://me@remote.example:22/shop.git")
    laptop.paas("config:set", "A=b c")
    assert laptop.ssh == [
        *("-p", "22", "me@remote.example", "--"),
        "--app shop config:set 'A=b c'",
    ]
    laptop.paas("apps", "--server", "option.example")
    assert laptop.ssh == ["paas@option.example", "--", "apps"]
    laptop.paas("config", "--server=remote.example:22")
    assert laptop.ssh == ["-p", "22", "paas@remote.example", "--", "--app shop config"]


def test_a_token_is_sent(laptop: Laptop) -> None:
    """If the variable is set, also if it is empty; its value is in no command line."""
    for text in ("", "paas_x"):
        laptop.env["PAAS_TOKEN"] = text
        laptop.paas("apps", "--server", "paas@host")
        assert laptop.ssh == ["-o", "SendEnv=PAAS_TOKEN", "paas@host", "--", "apps"]


@pytest.mark.parametrize(
    "words", [["config", "-a", "x"], ["-a", "x", "ps"], ["ps", "--app=x"], ["ps", "-ax"]]
)
def test_named_app_wins(laptop: Laptop, words: list[str]) -> None:
    """What the user names is passed on as it is; the remote's app stays out."""
    laptop.git("remote", "add", "deploy", "paas@host:shop")
    laptop.paas(*words)
    assert laptop.ssh == ["paas@host", "--", " ".join(words)]


def test_no_server_is_told(laptop: Laptop) -> None:
    """Without any source the error names the ways to give one."""
    done = laptop.paas("apps")
    assert done.returncode == 2
    assert "PAAS_SERVER" in done.stderr
    assert laptop.ssh is None


def test_exit_status_passes_through(laptop: Laptop) -> None:
    """ssh's status is ours, whether we became it or waited for it."""
    (laptop.root / "status").write_text("20")
    for command in ("apps:info", "apps:create", "apps:destroy"):
        assert laptop.paas(command, "x", "--server", "host").returncode == 20
    assert laptop.git("remote") == ""


@pytest.mark.parametrize("as_json", [False, True])
def test_create_adds_the_remote(laptop: Laptop, as_json: bool) -> None:
    """The new app's remote leads to the server as we reach it, whatever it calls itself."""
    url = "ssh://paas@localhost:2200/calm-otter"
    text = json.dumps({"name": "calm-otter", "git_url": url}) if as_json else f"http://x | {url}\n"
    (laptop.root / "stdout").write_text(text)
    done = laptop.paas("apps:create", "--server", "paas@apps.example.com")
    assert done.stdout == text
    assert laptop.git("remote", "get-url", "deploy") == "paas@apps.example.com:calm-otter"
    assert "git push deploy main" in done.stderr
    again = laptop.paas("apps:create", "--server", "paas@other.example:2222")
    assert "git remote set-url deploy ssh://paas@other.example:2222/calm-otter" in again.stderr
    assert laptop.git("remote", "get-url", "deploy") == "paas@apps.example.com:calm-otter"


def test_another_git_remote(laptop: Laptop) -> None:
    """-r names the git remote that says server and app; one that is not there is refused."""
    laptop.git("remote", "add", "deploy", "paas@host:shop")
    laptop.git("remote", "add", "staging", "paas@other:shop-staging")
    for words in (
        ["ps", "-r", "staging"],
        ["--remote=staging", "ps"],
        ["ps", "--remote", "staging"],
    ):
        laptop.paas(*words)
        assert laptop.ssh == ["paas@other", "--", "--app shop-staging ps"]
    done = laptop.paas("ps", "-r", "nowhere")
    assert done.returncode == 2
    assert "There is no git remote 'nowhere' here." in done.stderr
    assert laptop.paas("ps", "-r", "-oX").returncode == 2


def test_create_with_a_second_remote(laptop: Laptop) -> None:
    """apps:create --remote adds one beside deploy, on the same server."""
    laptop.git("remote", "add", "deploy", "ssh://paas@host:2222/shop")
    (laptop.root / "stdout").write_text("http://x | paas@host:shop-staging\n")
    done = laptop.paas("create", "shop-staging", "--remote", "staging")
    assert laptop.ssh == ["-p", "2222", "paas@host", "--", "apps:create shop-staging"]
    assert laptop.git("remote", "get-url", "staging") == "ssh://paas@host:2222/shop-staging"
    assert laptop.git("remote", "get-url", "deploy") == "ssh://paas@host:2222/shop"
    assert "git push staging main" in done.stderr


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("scale web=2", "ps:scale web=2"),
        ("-a x tail", "-a x logs --tail"),
        ("config:add A=1", "config:set A=1"),
        ("help restart", "help ps:restart"),
    ],
)
def test_herokus_other_names(laptop: Laptop, typed: str, sent: str) -> None:
    """Heroku's shorter and older names are those of our commands."""
    laptop.paas(*typed.split(), "--server", "host")
    assert laptop.ssh == ["paas@host", "--", sent]


def test_create_outside_of_a_work_tree(tmp_path: Path) -> None:
    """Without a work tree there is no remote to add, and nothing is said of one."""
    laptop = Laptop(tmp_path)
    (laptop.root / "stdout").write_text("http://x | paas@host:shop\n")
    done = laptop.paas("apps:create", "shop", "--server", "host")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [["store"], ["shop", "store"], ["store", "-a", "shop"]])
def test_rename_moves_the_remote(laptop: Laptop, words: list[str]) -> None:
    """After apps:rename of the remote's app, the remote leads to the new name."""
    laptop.git("remote", "add", "deploy", "ssh://paas@host:2222/shop")
    laptop.paas("apps:rename", *words)
    assert laptop.git("remote", "get-url", "deploy") == "ssh://paas@host:2222/store"


def test_other_apps_leave_the_remote(laptop: Laptop) -> None:
    """Renaming or destroying another app changes nothing here."""
    laptop.git("remote", "add", "deploy", "paas@host:shop")
    laptop.paas("apps:rename", "a", "b")
    laptop.paas("apps:destroy", "a", "--confirm", "a")
    assert laptop.git("remote", "get-url", "deploy") == "paas@host:shop"


def test_destroy_removes_the_remote(laptop: Laptop) -> None:
    """After apps:destroy of the remote's app there is no remote to it."""
    laptop.git("remote", "add", "deploy", "paas@host:shop")
    done = laptop.paas("apps:destroy", "--confirm", "shop")
    assert "Removed the git remote" in done.stderr
    assert laptop.git("remote") == ""


def test_key_file_is_read_here(laptop: Laptop) -> None:
    """keys:add USER FILE sends the file on stdin; a private key is not sent."""
    (laptop.tree / "my key.pub").write_text("ssh-ed25519 AAAA me\n")
    laptop.paas("keys:add", "alice", "my key.pub", "--admin", "--server", "host")
    assert laptop.ssh == ["paas@host", "--", "keys:add alice --admin"]
    assert (laptop.root / "stdin").read_text() == "ssh-ed25519 AAAA me\n"
    laptop.paas("keys:add", "alice", "--expires", "90d", "my key.pub", "--server", "host")
    assert laptop.ssh == ["paas@host", "--", "keys:add alice --expires 90d"]
    laptop.paas("keys:add", "alice", "--expires", "90d", "--server", "host", stdin="typed")
    assert laptop.ssh == ["paas@host", "--", "keys:add alice --expires 90d"]
    laptop.paas("keys:add", "alice", "--server", "host", stdin="typed")
    assert (laptop.root / "stdin").read_text() == "typed"
    (laptop.root / "argv").unlink()
    (laptop.tree / "id").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n")
    refused = laptop.paas("keys:add", "alice", "id", "--server", "host")
    assert refused.returncode == 1
    assert "private key" in refused.stderr
    (laptop.tree / "key.ppk").write_text("PuTTY-User-Key-File-3: ssh-ed25519\n", "utf-16")
    assert laptop.paas("keys:add", "alice", "key.ppk", "--server", "host").returncode == 1
    missing = laptop.paas("keys:add", "alice", "nothing", "--server", "host")
    assert missing.returncode == 2
    assert laptop.ssh is None


def test_works_without_a_server(laptop: Laptop) -> None:
    """version, help and completion need no server and no library."""
    assert laptop.paas("version").stdout.startswith("paas ")
    assert "config:set" in laptop.paas("help", "config").stdout
    assert laptop.paas().stdout == laptop.paas("--help").stdout == laptop.paas("help").stdout
    assert "NAME=VALUE" in laptop.paas("help", "config:set").stdout
    assert laptop.paas("help", "nonsense").returncode == 2
    assert "complete -F" in laptop.paas("completion", "bash").stdout
    assert laptop.paas("completion", "fish").returncode == 2
    assert laptop.ssh is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "paas app",
            {
                "apps",
                "clone",
                "create",
                "destroy",
                "info",
                "leave",
                "lock",
                "rename",
                "transfer",
                "unlock",
            },
        ),
        ("paas config:s", {"set"}),
        ("paas apps:destroy --c", {"--confirm"}),
        ("paas completion z", {"zsh"}),
        ("paas ps -a sh", {"shop", "shed"}),
        ("paas -a sh", {"shop", "shed"}),
        ("paas ps -a ", {"shop", "shed", "other"}),
        ("paas config:get -a shop G", {"GREETING"}),
        ("paas config:unset ", {"GREETING", "COLOUR"}),
        ("paas keys:remove SHA256:a", {"abc"}),
        ("paas nginx:set client", {"client-max-body-size", "client-body-timeout"}),
        ("paas help ps:sc", {"scale"}),
        ("paas help nginx", {"nginx", "nginx:report", "nginx:set"}),
        ("paas -a shop config:s", {"set"}),
    ],
)
def test_bash_completion(laptop: Laptop, line: str, expected: set[str]) -> None:
    """bash offers commands, also after a colon, their options, and what the server has."""
    paas = laptop.root / "bin/paas"
    paas.write_text(FAKE_PAAS)
    paas.chmod(0o755)
    ask = "COMP_POINT=${#COMP_LINE}; _paas; printf '%s\\n' \"${COMPREPLY[@]}\""
    script = f"{completion.script('bash')}COMP_LINE='{line}'; {ask}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, env=laptop.env
    )
    found = {word.removeprefix("apps:") for word in done.stdout.split()}
    assert found == expected
    assert done.stderr == ""


def test_zsh_completion_names_every_command() -> None:
    """The zsh script describes each command, its colon escaped."""
    script = completion.script("zsh")
    for command in COMMANDS:
        assert "'{}:".format(command.name.replace(":", "\\:")) in script


def test_ctrl_c_is_silent(laptop: Laptop) -> None:
    """An interrupted command that waits for ssh ends with 130 and says nothing."""
    ssh = laptop.root / "bin/ssh"
    ssh.write_text('#!/bin/sh\nkill -INT "$PPID"\nsleep 0.2\n')
    done = laptop.paas("apps:create", "--server", "host")
    assert (done.returncode, done.stderr) == (130, "")


def test_run_on_a_terminal_asks_ssh_for_one() -> None:
    """-t goes along for run alone, where stdin and stdout are a terminal; what reads a file gets
    nothing of a terminal, rather than wait for it."""
    for words, wanted in (
        (["run", "bash"], ["-t"]),
        (["-a", "shop", "run", "bash", "--no-tty"], ["-t"]),
        (["run", "--no-tty", "bash"], []),
        (["run:detached", "bash"], []),
        (["logs"], []),
        (["config:import", "-a", "shop"], ["-n"]),
        (["run", "config:import"], ["-t"]),
    ):
        assert _ssh_options_on_a_terminal(words) == wanted
    assert running.ssh_options(["run", "bash"]) == []


def _ssh_options_on_a_terminal(words: list[str]) -> list[str]:
    program = f"from paas.entrypoints.laptop import running; print(running.ssh_options({words!r}))"
    ours, theirs = os.openpty()
    done = subprocess.Popen(
        [sys.executable, "-c", program], cwd=CLIENT.parents[2], stdin=theirs, stdout=theirs
    )
    assert done.wait(200) == 0
    options: list[str] = ast.literal_eval(os.read(ours, 4096).decode())
    os.close(ours)
    os.close(theirs)
    return options


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("run bash", "--app shop run bash"),
        ("run ls -a", "--app shop run ls -a"),
        ("run -- ls -a other", "--app shop run -- ls -a other"),
        ("run bash -a other", "run -a other bash"),
        ("-a other run bash", "-a other run bash"),
        ("run -a other ls -a", "run -a other ls -a"),
        ("run pip install -r x", "--app shop run pip install -r x"),
        ("run serve --server x", "--app shop run serve --server x"),
        ("run -a", "run -a"),
    ],
)
def test_app_of_a_run(laptop: Laptop, typed: str, sent: str) -> None:
    """The remote's app is meant, unless one is named for run itself."""
    laptop.git("init", "--quiet")
    laptop.git("remote", "add", "deploy", "paas@apps.example.com:shop")
    laptop.paas(*typed.split())
    assert laptop.ssh is not None
    assert laptop.ssh[-1] == sent
