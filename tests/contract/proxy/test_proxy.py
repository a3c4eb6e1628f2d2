"""What every Proxy does, tried on the fake, on nginx and on HAProxy."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from paas.adapters.proxy.haproxy.proxy import HaproxyProxy
from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from paas.interfaces import ProxyKind
from tests.contract.proxy.haproxy_server import haproxy_server
from tests.contract.proxy.nginx_server import Nginx, application, body_of, nginx_server, status_of
from tests.endpoints import at
from tests.fakes.proxy import FakeProxy


@dataclass
class Subject:
    """A proxy, and a look at where it sends requests."""

    proxy: ProxyKind
    nginx: Nginx | None

    def route(self, host: str) -> int | None:
        """The port of the application that answers for a host; 503 as 0; none as None."""
        if self.nginx is None:
            assert isinstance(self.proxy, FakeProxy)
            ports = self.proxy.ports(host)
            return None if ports is None else (ports[0] if ports else 0)
        answer = self.nginx.get(host)
        if status_of(answer) in {0, 404}:
            return None
        if status_of(answer) == 503:
            return 0
        port: int = json.loads(body_of(answer))["port"]
        return port


@pytest.fixture(scope="module")
def nginx() -> Iterator[Nginx]:
    with nginx_server() as server:
        yield server


@pytest.fixture(scope="module")
def haproxy() -> Iterator[Nginx]:
    with haproxy_server() as server:
        yield server


@pytest.fixture(params=["fake", "nginx", "haproxy"])
def subject(request: pytest.FixtureRequest) -> Subject:
    if request.param == "fake":
        return Subject(FakeProxy(), None)
    nginx: Nginx = request.getfixturevalue(request.param)
    nginx.proxy.restore([])
    return Subject(nginx.proxy, nginx)


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    with application() as one, application() as two:
        yield one.server_port, two.server_port


def test_a_site_is_served_as_soon_as_apply_returns(
    subject: Subject, ports: tuple[int, int]
) -> None:
    """A host goes to the port of its site, each of several hosts too."""
    subject.proxy.apply(Site(1, ("a.localhost", "a.example.com"), at(ports[0])))
    assert subject.route("a.localhost") == ports[0]
    assert subject.route("a.example.com") == ports[0]
    assert subject.proxy.sites() == {1}


def test_apply_replaces_a_site(subject: Subject, ports: tuple[int, int]) -> None:
    """The second site of an app takes the place of its first, hosts included."""
    subject.proxy.apply(Site(1, ("a.localhost", "old.localhost"), at(ports[0])))
    subject.proxy.apply(Site(1, ("a.localhost",), at(ports[1])))
    assert subject.route("a.localhost") == ports[1]
    assert subject.route("old.localhost") is None


def test_apply_twice_is_apply_once(subject: Subject, ports: tuple[int, int]) -> None:
    """The same site again changes nothing."""
    for _ in range(2):
        subject.proxy.apply(Site(1, ("a.localhost",), at(ports[0])))
    assert subject.route("a.localhost") == ports[0]
    assert subject.proxy.sites() == {1}


def test_a_site_without_ports_answers_503(subject: Subject) -> None:
    """An app without instances is distinguished from a host that no app has."""
    subject.proxy.apply(Site(1, ("a.localhost",), ()))
    assert subject.route("a.localhost") == 0


def test_an_unknown_host_gets_no_app(subject: Subject, ports: tuple[int, int]) -> None:
    """A host that no app has reaches no app."""
    subject.proxy.apply(Site(1, ("a.localhost",), at(ports[0])))
    assert subject.route("b.localhost") is None


def test_remove_stops_serving_one_app(subject: Subject, ports: tuple[int, int]) -> None:
    """The other app's site is left as it was, and removing again is no error."""
    subject.proxy.apply(Site(1, ("a.localhost",), at(ports[0])))
    subject.proxy.apply(Site(2, ("b.localhost",), at(ports[1])))
    subject.proxy.remove(1)
    subject.proxy.remove(1)
    assert subject.route("a.localhost") is None
    assert subject.route("b.localhost") == ports[1]
    assert subject.proxy.sites() == {2}


@pytest.mark.parametrize(
    "site",
    [
        Site(1, ("a.localhost; return 200;",), at(5000)),
        Site(1, ("a.localhost\n",), at(5000)),
        Site(1, ("$http_x",), at(5000)),
        Site(1, ("~^.*$",), at(5000)),
        Site(1, ("*a.localhost",), at(5000)),
        Site(1, ("*",), at(5000)),
        Site(1, ("a.*",), at(5000)),
        Site(1, (".localhost",), at(5000)),
        Site(1, ("A.localhost",), at(5000)),
        Site(1, ("a" * 64 + ".localhost",), at(5000)),
        Site(1, (".".join(["a" * 60] * 5),), at(5000)),
        Site(1, ("",), at(5000)),
        Site(1, (), at(5000)),
        Site(0, ("a.localhost",), at(5000)),
    ],
)
def test_a_bad_site_is_refused_and_the_former_kept(
    subject: Subject, ports: tuple[int, int], site: Site
) -> None:
    """What is not a host, a port or an id never reaches the proxy."""
    subject.proxy.apply(Site(1, ("a.localhost",), at(ports[0])))
    with pytest.raises(PaasError):
        subject.proxy.apply(site)
    assert subject.route("a.localhost") == ports[0]


def test_a_host_of_another_app_is_refused(subject: Subject, ports: tuple[int, int]) -> None:
    """Two apps with one host: the second is refused, the first keeps serving."""
    subject.proxy.apply(Site(2, ("b.localhost",), at(ports[1])))
    with pytest.raises(PaasError) as caught:
        subject.proxy.apply(Site(1, ("a.localhost", "b.localhost"), at(ports[0])))
    assert caught.value.reference == "site-host-taken"
    assert subject.route("b.localhost") == ports[1]
    assert subject.proxy.sites() == {2}


def test_restore_leaves_exactly_these(subject: Subject, ports: tuple[int, int]) -> None:
    """Sites that are not in the list are gone; those that are, are served."""
    subject.proxy.apply(Site(1, ("a.localhost",), at(ports[0])))
    subject.proxy.restore([Site(2, ("b.localhost",), at(ports[1])), Site(3, ("c.localhost",), ())])
    assert subject.proxy.sites() == {2, 3}
    assert subject.route("a.localhost") is None
    assert subject.route("b.localhost") == ports[1]
    assert subject.route("c.localhost") == 0


def test_drain_is_done_where_nothing_is_left(subject: Subject, ports: tuple[int, int]) -> None:
    """Without open connections, the old configuration is gone at once."""
    subject.proxy.apply(Site(1, ("a.localhost",), at(ports[0])))
    assert subject.proxy.drain(60)


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_an_account_that_is_not_there_is_said(kind: str, request: pytest.FixtureRequest) -> None:
    """With the name of the setting, by a change as by a start; what is served stays."""
    server: Nginx = request.getfixturevalue(kind)
    server.proxy.restore([Site(1, ("a.localhost",), ())])
    other = replace(server.settings, proxy_user="nobody-at-all")
    wrong: ProxyKind = NginxProxy(other) if kind == "nginx" else HaproxyProxy(other)
    with pytest.raises(PaasError, match="nobody-at-all"):
        wrong.apply(Site(2, ("b.localhost",), ()))
    with pytest.raises(PaasError, match="nobody-at-all"):
        wrong.restore([Site(2, ("b.localhost",), ())])
    assert status_of(server.get("a.localhost")) == 503
