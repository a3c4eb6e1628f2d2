"""What an SSH command may be: golden pairs of input and outcome."""

import shlex

import pytest

from paas.domain.values.errors import PaasError
from paas.entrypoints.gate.ssh import GitRequest, parse


@pytest.mark.parametrize("command", [None, "", "   ", "\t"])
def test_nothing_means_help(command: str | None) -> None:
    """A login without a command shows the help."""
    assert parse(command) == ("help",)


@pytest.mark.parametrize(
    ("command", "service", "app"),
    [
        ("git-receive-pack 'shop'", "git-receive-pack", "shop"),
        ("git-upload-pack '/shop.git'", "git-upload-pack", "shop"),
        ("git-upload-archive '~/shop'", "git-upload-archive", "shop"),
        ("git receive-pack 'shop'", "git-receive-pack", "shop"),
        ('git-upload-pack "shop"', "git-upload-pack", "shop"),
        ("git-upload-pack shop", "git-upload-pack", "shop"),
    ],
)
def test_git_services(command: str, service: str, app: str) -> None:
    """Git's own commands, with the app's name in any form of path that its clients send."""
    assert parse(command) == GitRequest(service, app)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "command",
    [
        "git-receive-pack 'a;id'",
        "git-receive-pack '../../etc'",
        "git-receive-pack 'shop/../root'",
        "git-receive-pack '//shop'",
        "git-receive-pack '$(id)'",
        "git-receive-pack 'shop\n'",
        "git-receive-pack 'SHOP'",
        "git-receive-pack 'root'",
        "git-receive-pack ''",
        "git-receive-pack",
        "git-receive-pack 'shop' 'shop'",
        "git-upload-pack --upload-pack=x 'shop'",
        "git-upload-pack '--upload-pack=x'",
        "git-upload-pack '--strict'",
        "git receive-pack",
        "apps 'unclosed",
        'apps "unclosed',
        "apps \\",
        "apps\nkeys",
        "apps\r\n",
        "\napps",
        "apps \\\nkeys",
        "apps \x1b[31m",
        "config:set A='\x1b[31m'",
        "config:set A='\x00'",
        "config:set A='\x7f'",
        "git-lfs-transfer shop",
        "git-lfs-transfer shop lock",
        "git-lfs-transfer ../x upload",
        "git-lfs-authenticate shop upload",
        "scp -t /tmp",
        "scp -f /etc/passwd",
        "rsync --server -e.LsfxC . /tmp",
        "internal-sftp",
        "/usr/lib/openssh/sftp-server",
        "git:hook",
    ],
)
def test_refused(command: str) -> None:
    """Each is a wrong usage with a message of one line that shows no control character."""
    with pytest.raises(PaasError) as caught:
        parse(command)
    assert caught.value.exit_code == 2
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("apps", ("apps",)),
        ("  apps   --json ", ("apps", "--json")),
        ("config:set A='b c' D=\"e f\"", ("config:set", "A=b c", "D=e f")),
        ("config:set A='line 1\nline 2\r\n\t'", ("config:set", "A=line 1\nline 2\r\n\t")),
        ("config:set A=", ("config:set", "A=")),
        ("config:set ''", ("config:set", "")),
        (r"config:set A=b\ c\'d", ("config:set", "A=b c'd")),
        (r'x "\$a \`b \" \\ \n"', ("x", '$a `b " \\ \\n')),
        (r"x 'a\b$c%d'", ("x", r"a\b$c%d")),
        ("x 'it'\\''s'", ("x", "it's")),
        (
            "x a;id $(id) `id` | b > c #d *",
            ("x", "a;id", "$(id)", "`id`", "|", "b", ">", "c", "#d", "*"),
        ),
        ("x \u00a0 é€ \udcff", ("x", "\u00a0", "é€", "\udcff")),
        ("git status", ("git", "status")),
    ],
)
def test_words(command: str, words: tuple[str, ...]) -> None:
    """Everything else is words for the command line, split as a shell does, expanding nothing."""
    assert parse(command) == words


def test_what_the_laptop_quotes_comes_back() -> None:
    """shlex.join on one side and this on the other are inverse, for a large value too."""
    words = ("config:set", "A=" + "x'\"\\$` \n" * 8000, "", "--", "é")
    assert parse(shlex.join(words)) == words
