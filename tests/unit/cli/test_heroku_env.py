"""The variables for Heroku's CLI: all or none, and only where it takes the host."""

import json
from dataclasses import replace

import pytest

from paas.domain.values.errors import EXIT_USAGE, PaasError
from paas.entrypoints.cli.command_table import root
from paas.entrypoints.cli.heroku import needs_header, variables
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.session import Session
from paas.wiring.services import all_services
from tests.fakes.world import ROOT, World


def test_a_host_of_the_server() -> None:
    """Its name contains localhost; the CLI keeps the key from it, unless a header has it."""
    found = variables("https://localhost.apps.example.com")
    assert found["HEROKU_GIT_HOST"] == found["HEROKU_DATA_HOST"] == "localhost.apps.example.com"
    hosts = {name: value for name, value in found.items() if "example" in value}
    assert len(hosts) == 9
    assert needs_header("https://localhost.apps.example.com")


def test_a_forwarded_port() -> None:
    """Of this computer: the scheme and port of data services are those of the API."""
    found = variables("http://127.0.0.1:5702/")
    assert found["HEROKU_HOST"] == found["HEROKU_PARTICLEBOARD_URL"] == "http://127.0.0.1:5702"
    assert found["HEROKU_GIT_HOST"] == "127.0.0.1:5702"
    assert found["HEROKU_DATA_HOST"] == "127.0.0.1"
    assert not needs_header("http://127.0.0.1:5702")


def test_the_port_of_heroku_proxy(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What git pushes to it goes by SSH: the CLI knows only https for git."""
    world.settings = replace(world.settings, web=True)
    services = replace(all_services(world.adapters), settings=world.settings)
    session = Session(services, ROOT, lambda: False, LocalCaller(), {})
    root.main(args=["heroku:env", "--proxy", "--json"], obj=session, standalone_mode=False)
    found = json.loads(capsys.readouterr().out)
    assert found["HEROKU_HOST"] == "http://127.0.0.1:5702"
    assert found["GIT_CONFIG_KEY_0"] == "url.paas@example.com:.pushInsteadOf"
    assert found["GIT_CONFIG_VALUE_0"] == "https://127.0.0.1:5702/"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "localhost",
        "ftp://localhost",
        "https://localhost/path",
        "https://localhost;id",
        "https://localhost\n",
        "https://user@localhost",
        "",
    ],
)
def test_hosts_that_it_does_not_take(url: str) -> None:
    """It would warn and ask Heroku, with the key."""
    with pytest.raises(PaasError) as caught:
        variables(url)
    assert (caught.value.reference, caught.value.exit_code) == ("heroku-host", EXIT_USAGE)
