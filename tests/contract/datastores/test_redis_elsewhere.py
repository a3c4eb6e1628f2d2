"""A Redis elsewhere, with a password alone as Heroku has it, and TLS; on the fake, too."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from paas.adapters.datastores.redis import programs
from paas.adapters.datastores.redis.external import ExternalRedis
from paas.adapters.datastores.tls import self_signed
from paas.domain.datastores.external import parse_external_url
from paas.domain.values.errors import PaasError
from paas.interfaces import ClientCommand, ExternalServer
from tests.fakes.datastores import FakeExternalServer
from tests.fakes.output import FakeProgress
from tests.ports import free_port
from tests.waiting import wait_for

HOST = "cache.example.com"
PASSWORD = "canary-7d1c0a"
PORT, TLS_PORT = free_port(), free_port()
CONF = f"""
bind 127.0.0.1
port {PORT}
tls-port {TLS_PORT}
tls-cert-file server.crt
tls-key-file server.key
tls-auth-clients no
requirepass {PASSWORD}
user limited on >{PASSWORD} ~* +ping
save ""
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExternalRedis]:
    """What asks, and a server that is none of the platform's."""
    programs.ensure_installed(FakeProgress())
    directory = tmp_path_factory.mktemp("redis")
    for name, text in zip(("server.crt", "server.key"), self_signed(HOST), strict=True):
        (directory / name).write_bytes(text)
    (directory / "redis.conf").write_text(CONF)
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            ["redis-server", "redis.conf"],
            executable=programs.needed().server,
            cwd=directory,
            env={"PATH": "/usr/bin:/bin"},
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: answers(directory))
        yield ExternalRedis()
    finally:
        server.terminate()
        server.wait(150)


def answers(directory: Path) -> bool:
    """Whether it has come up."""
    return "Ready to accept connections" in (directory / "log").read_text()


def url(text: str) -> str:
    """Of the one that runs. text: such as ``rediss://{password}/0``."""
    port = TLS_PORT if text.startswith("rediss") else PORT
    return text.format(password=f":{quote(PASSWORD)}@{HOST}:{port}", host=f"{HOST}:{port}")


@pytest.fixture(params=["fake", "real"])
def elsewhere(request: pytest.FixtureRequest) -> ExternalServer:
    """Each of those that ask."""
    if request.param == "real":
        found: ExternalRedis = request.getfixturevalue("real")
        return found
    fake = FakeExternalServer()
    fake.password = PASSWORD
    return fake


def test_it_is_checked(elsewhere: ExternalServer) -> None:
    """Over TLS, with a certificate that signs itself; a wrong password is reported without it."""
    found = elsewhere.check(parse_external_url(url("rediss://{password}/3")), "127.0.0.1")
    assert found.encrypted
    with pytest.raises(PaasError) as caught:
        elsewhere.check(parse_external_url(url("rediss://:wrong-7d1c0a@{host}")), "127.0.0.1")
    assert caught.value.reference == "external-refused"
    assert "wrong-7d1c0a" not in "".join([*caught.value.context, str(caught.value)])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("redis://:wrong@{host}", "WRONGPASS"),
        ("redis://nobody:wrong@{host}", "WRONGPASS"),
        ("redis://{password}/99", "DB index is out of range"),
    ],
)
def test_what_it_does_not_take_is_told(real: ExternalRedis, text: str, why: str) -> None:
    """In its own words, also where redis-cli itself would go on."""
    with pytest.raises(PaasError) as caught:
        real.check(parse_external_url(url(text)), "127.0.0.1")
    assert caught.value.reference == "external-refused"
    assert why in "".join(caught.value.context)


def test_the_scheme_decides_about_tls(real: ExternalRedis) -> None:
    """Neither takes the place of the other."""
    found = real.check(parse_external_url(url("redis://{password}")), "127.0.0.1")
    assert not found.encrypted
    assert found.version[0].isdigit()
    crossed = url("rediss://{password}").replace("rediss:", "redis:")
    with pytest.raises(PaasError) as caught:
        real.check(parse_external_url(crossed), "127.0.0.1")
    assert caught.value.reference == "external-refused"


def test_a_login_that_may_not_ask_for_the_version(real: ExternalRedis) -> None:
    """Is one all the same."""
    found = real.check(parse_external_url(url(f"redis://limited:{PASSWORD}@{{host}}")), "127.0.0.1")
    assert found.version == "of an unknown version"


def test_a_session(real: ExternalRedis) -> None:
    """As an app would have it; the password is on no command line."""
    client = real.client(parse_external_url(url("rediss://{password}/3")), "SET greeting 'a b'")
    assert said(client) == "OK"
    client = real.client(parse_external_url(url("redis://{password}/3")), "GET greeting")
    assert said(client) == "a b"
    assert PASSWORD not in " ".join(client.argv)


def said(client: ClientCommand) -> str:
    """What a client prints."""
    argv = ["127.0.0.1" if word == HOST else word for word in client.argv]
    env = {str(name): text for name, text in client.env.items()}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()
