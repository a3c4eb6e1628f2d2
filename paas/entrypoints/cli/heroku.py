"""heroku:env, heroku:proxy, heroku:connect"""

import re
import shlex

import click

from paas.adapters.network.web_relay import relay
from paas.domain.routing.addresses import Addresses
from paas.domain.streams.relays import PROXY_PORT
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown
from paas.entrypoints.cli.session import Session, json_option, pass_session
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.entrypoints.cli.waiting import waiting_for_server

_URL = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9.-]{0,252}))((?::[0-9]{1,5})?)/?", re.IGNORECASE)
# To these alone Heroku's CLI sends the key; to others in a header that is set by hand.
_LOOPBACK = frozenset({"localhost", "127.0.0.1"})
_KEY = 'export HEROKU_API_KEY="${PAAS_TOKEN:-$HEROKU_API_KEY}"'
_HEADERS = r'export HEROKU_HEADERS="{\"authorization\":\"Bearer $HEROKU_API_KEY\"}"'


@click.command("heroku:env")
@click.option("--host", metavar="URL", help="Of the API, if it is forwarded to your computer.")
@click.option("--proxy", is_flag=True, help="For a server without HTTPS: see heroku:proxy.")
@json_option
@pass_session
def environment(session: Session, host: str | None, proxy: bool, as_json: bool) -> None:
    """Print the variables with which Heroku's own CLI talks to this server, for a shell to read.

    The key is the token in PAAS_TOKEN, or in HEROKU_API_KEY.

    Example: eval "$(paas heroku:env)"
    """
    settings = session.services.settings
    _require_web(session)
    if proxy:
        host = host or f"http://127.0.0.1:{PROXY_PORT}"
    url = host if host is not None else settings.web_url(settings.web_hosts[-1])
    found = variables(url)
    if proxy:
        found |= _pushes_by_ssh(found["HEROKU_GIT_HOST"], session.services.addresses)
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        print_line(f"export {name}={shlex.quote(value)}")
    print_line(_KEY)
    if needs_header(url):
        print_line(_HEADERS)


@click.command("heroku:proxy")
@click.option("--port", metavar="PORT", help=f"Of your computer; by default {PROXY_PORT}.")
def proxy(port: str | None) -> None:  # noqa: ARG001 - read on a laptop
    """Forward a port of your computer to this server's API, over SSH; only on a laptop.

    Example: paas heroku:proxy
    """
    raise usage_error(
        "client-only",
        "heroku:proxy listens on your own computer, so it runs there.",
        "Install paas there: paas heroku:proxy",
    )


@click.command("heroku:connect")
@click.option("--streams", is_flag=True, help="To what sends logs.")
@pass_session
def connect(session: Session, streams: bool) -> None:
    """Connect standard input and output to the server's API, for heroku:proxy.

    Example: paas heroku:connect
    """
    _require_web(session)
    paths = session.services.settings.paths
    with waiting_for_server(session) as stop:
        path = paths.streams_socket if streams else paths.web_socket
        relay(path, session.origin.address or "", stop)


def _require_web(session: Session) -> None:
    if not session.services.settings.web:
        raise PaasError(
            "web-off",
            "This server has no API over HTTP.",
            "An administrator can set web: true in server.yml and run install.sh again.",
        )


def _pushes_by_ssh(git_host: str, addresses: Addresses) -> dict[str, str]:
    """Settings with which git pushes by SSH what the CLI calls by https, which nothing answers."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{addresses.git_base}.pushInsteadOf",
        "GIT_CONFIG_VALUE_0": f"https://{git_host}/",
    }


def variables(url: str) -> dict[str, str]:
    """All that leads Heroku's CLI to a server; half of them would send the key to Heroku.

    Raises PaasError for a host that it would not take: it warns then, and asks Heroku.
    """
    found = _URL.fullmatch(url)
    name = found[2].lower() if found is not None else ""
    if found is None or not any(part in name for part in _LOOPBACK):
        raise usage_error(
            "heroku-host",
            f"Heroku's CLI does not take {shown(url)}: a URL of localhost, of 127.0.0.1, or of a "
            "name with localhost in it.",
            "paas heroku:env --host http://127.0.0.1:5702",
        )
    base = f"{found[1].lower()}://{name}{found[3]}"
    return {
        "HEROKU_HOST": base,
        "HEROKU_GIT_HOST": f"{name}{found[3]}",
        "HEROKU_LOGIN_HOST": base,
        "HEROKU_PARTICLEBOARD_URL": base,
        "HEROKU_STATUS_HOST": base,
        "HEROKU_BUILDPACK_REGISTRY_URL": base,
        "HEROKU_DATA_HOST": name,
        "HEROKU_REDIS_HOST": name,
        "DISABLE_TELEMETRY": "true",
        "HEROKU_SKIP_NEW_VERSION_CHECK": "1",
        "HEROKU_DISABLE_AUTOUPDATE": "1",
        "NO_PROXY": ",".join(sorted({*_LOOPBACK, name})),
    }


def needs_header(url: str) -> bool:
    """Whether Heroku's CLI keeps the key to itself with that host, unless a header has it."""
    found = _URL.fullmatch(url)
    return found is not None and found[2].lower() not in _LOOPBACK
