"""The installer's own rules: what it takes over, merges, and gives out."""

import os
import socket
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml

from paas.adapters.proxy.nginx.static_files import NO_MODULES, Modules
from paas.entrypoints.installer import addresses, checks, machine, nginx_check, slots
from paas.entrypoints.installer.configure import merged_settings, missing_modules, write_settings
from paas.entrypoints.installer.demo import Server
from paas.entrypoints.installer.main import main, options_of, parser
from paas.entrypoints.installer.plan import InstallError, Plan
from paas.entrypoints.installer.versions import uv_requirement
from paas.settings import Settings
from paas.settings_rules import problem


@pytest.fixture(autouse=True)
def plain_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own settings stay out of these tests."""
    monkeypatch.setattr(machine, "PIP_CONFIGS", ())
    monkeypatch.setattr(machine, "ENVIRONMENT", tmp_path / "environment")
    monkeypatch.setattr(machine, "LOCAL_CERTIFICATES", tmp_path / "ca-certificates")


def test_the_module_for_tcp_ports_is_installed_where_apps_may_have_any() -> None:
    """Not for HAProxy, which needs none, and not again."""
    allowed = Settings(tcp_ports=(5400, 5499))
    assert missing_modules(Settings(), NO_MODULES) == []
    assert missing_modules(allowed, NO_MODULES) == ["libnginx-mod-stream"]
    assert missing_modules(allowed, Modules(stream=True)) == []
    assert missing_modules(replace(allowed, proxy="haproxy"), NO_MODULES) == []


def test_machine_settings_are_taken_over() -> None:
    """Proxy, index and package managers' settings come along; everything else stays behind."""
    environ = {
        "HTTPS_PROXY": "http://proxy:3128",
        "no_proxy": "localhost",
        "UV_INDEX_URL": "https://pypi.example.com/simple",
        "NPM_CONFIG_REGISTRY": "https://npm.example.com",
        "PIP_TIMEOUT": "60",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "PATH": "/usr/bin",
        "UV_CACHE_DIR": "/cache",
        "UV_PROJECT_ENVIRONMENT": "/venv",
        "PIP_TARGET": "/target",
        "PIP_EMPTY": "",
        "UV_PUBLISH_TOKEN": "secret",
    }
    taken, notes = machine.build_env(environ)
    names = {"HTTPS_PROXY", "no_proxy", "UV_INDEX_URL", "NPM_CONFIG_REGISTRY", "PIP_TIMEOUT"}
    assert taken == {name: environ[name] for name in names} | {"UV_SYSTEM_CERTS": "true"}
    assert notes == []


def test_builds_trust_what_the_machine_trusts(tmp_path: Path) -> None:
    """uv and Node read the machine's certificates only when told; what was said already stays."""
    assert machine.build_env({})[0] == {"UV_SYSTEM_CERTS": "true"}
    assert machine.build_env({"UV_NATIVE_TLS": "0"})[0] == {"UV_NATIVE_TLS": "0"}
    (tmp_path / "ca-certificates/company").mkdir(parents=True)
    (tmp_path / "ca-certificates/company/root.crt").touch()
    bundle = str(machine.CA_BUNDLE)
    assert machine.build_env({})[0]["NODE_EXTRA_CA_CERTS"] == bundle
    own = {"NODE_EXTRA_CA_CERTS": "/etc/hostname"}
    assert machine.build_env(own)[0] == own | {"UV_SYSTEM_CERTS": "true"}


def test_what_every_login_is_told_counts(tmp_path: Path) -> None:
    """sudo passes on neither the proxy nor the certificates of /etc/environment."""
    assert machine.environment({"A": "b"}) == {"A": "b"}
    (tmp_path / "environment").write_text(
        '# proxy\nHTTPS_PROXY=http://proxy:3128\nexport no_proxy="localhost,10.0.0.1"\n'
        "PIP_TIMEOUT='60' \nnot a line\nLANG=C\n"
    )
    assert machine.environment({"LANG": "de_DE.UTF-8"}) == {
        "HTTPS_PROXY": "http://proxy:3128",
        "no_proxy": "localhost,10.0.0.1",
        "PIP_TIMEOUT": "60",
        "LANG": "de_DE.UTF-8",
    }


def test_unreadable_paths_are_left_out(tmp_path: Path) -> None:
    """A file that apps cannot read is not taken over, with a note that names it."""
    secret = tmp_path / "ca.pem"
    secret.write_text("certificate")
    secret.chmod(0o600)
    taken, notes = machine.build_env({"SSL_CERT_FILE": str(secret)})
    assert "SSL_CERT_FILE" not in taken
    assert notes == [f"SSL_CERT_FILE is not passed to builds, because apps cannot read {secret}"]


def test_directory_lists_are_checked_one_by_one() -> None:
    """SSL_CERT_DIR may name several directories."""
    taken, notes = machine.build_env({"SSL_CERT_DIR": "/etc:/nowhere"})
    assert "SSL_CERT_DIR" not in taken
    assert "/nowhere" in notes[0]
    assert machine.build_env({"SSL_CERT_DIR": "/etc:/usr"})[0]["SSL_CERT_DIR"] == "/etc:/usr"


def test_pip_conf_in_both_programs_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds read no pip.conf of root's: its indexes become variables, for uv too."""
    conf = tmp_path / "pip.conf"
    conf.write_text(
        "[global]\nindex-url = https://one.example/simple\n"
        "extra-index-url =\n    https://two.example/simple\n    https://three.example/simple\n"
    )
    monkeypatch.setattr(machine, "PIP_CONFIGS", (str(conf),))
    more = "https://two.example/simple https://three.example/simple"
    taken, _ = machine.build_env({})
    assert taken == {
        "PIP_INDEX_URL": "https://one.example/simple",
        "UV_DEFAULT_INDEX": "https://one.example/simple",
        "PIP_EXTRA_INDEX_URL": more,
        "UV_INDEX": more,
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_SYSTEM_CERTS": "true",
    }


def test_the_environment_wins_over_pip_conf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with pip itself; and what is said to uv directly holds for uv."""
    conf = tmp_path / "pip.conf"
    conf.write_text("[global]\nindex-url = https://file.example/\n")
    monkeypatch.setattr(machine, "PIP_CONFIGS", (str(conf),))
    environ = {"PIP_INDEX_URL": "https://env.example/", "UV_DEFAULT_INDEX": "https://uv.example/"}
    assert machine.build_env(environ)[0] == environ | {"UV_SYSTEM_CERTS": "true"}


@pytest.mark.parametrize(
    ("present", "former", "ours", "expected"),
    [
        ({}, {}, {"a": 1}, {"a": 1}),
        ({"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 5}, {"a": 1}, {"a": 2}, {"a": 5}),
        ({"a": 5, "b": 1}, {}, {}, {"a": 5, "b": 1}),
        ({"a": 1}, {"a": 1}, {}, {}),
        ({}, {"a": 1}, {"a": 1}, {}),
        (
            {"env": {"X": "hand", "Y": "old"}},
            {"env": {"X": "old", "Y": "old"}},
            {"env": {"X": "new", "Y": "new", "Z": "new"}},
            {"env": {"X": "hand", "Y": "new", "Z": "new"}},
        ),
    ],
)
def test_settings_are_merged(
    present: dict[str, object],
    former: dict[str, object],
    ours: dict[str, object],
    expected: dict[str, object],
) -> None:
    """What the operator changed, added or removed by hand stays; the rest follows us."""
    assert merged_settings(present, former, ours) == expected


def test_slots_are_apart(tmp_path: Path) -> None:
    """Each directory keeps its slot; no two slots share a uid or a port."""
    registry = tmp_path / "registry" / "slots"
    roots = [tmp_path / name for name in "abc"]
    for root in roots:
        root.mkdir()
    given = [slots.take(str(root), registry) for root in roots]
    assert given == [1, 2, 3]
    assert slots.take(str(roots[1]), registry) == 2
    for range_of in (slots.uids, slots.ports, slots.service_ports):
        assert range_of(1)[1] < range_of(2)[0]
    slots.give_back(str(roots[0]), registry)
    assert slots.take(str(tmp_path), registry) == 1


def test_slots_of_removed_directories_are_free(tmp_path: Path) -> None:
    """Who deletes the directory by hand does not use up the slot."""
    registry = tmp_path / "registry" / "slots"
    assert slots.take(str(tmp_path / "gone"), registry) == 1
    assert slots.take(str(tmp_path), registry) == 1


def test_the_last_slot_leaves_nothing(tmp_path: Path) -> None:
    """The registry goes with its last server."""
    registry = tmp_path / "registry" / "slots"
    slots.take(str(tmp_path), registry)
    slots.give_back(str(tmp_path), registry)
    assert not registry.parent.exists()


def test_listeners_are_named() -> None:
    """The process that listens on a port is named, with its id."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert list(checks.listeners(port)) == [os.getpid()]
    assert checks.listeners(port) == {}


def test_urls_of_a_server(tmp_path: Path) -> None:
    """Ports other than 80 and 22 show in what is printed."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/server.yml").write_text(
        "domain: example.com\nhttp_port: 8080\nssh_port: 2222\n"
    )
    server = Server(Plan("/src", str(tmp_path)))
    assert server.web_url("shop") == "http://shop.example.com:8080/"
    assert server.git_url("shop", "host") == "ssh://paas@host:2222/shop"


def test_who_is_nginx_s_default_server() -> None:
    """Files that claim a port for all addresses are found; comments and one address are not."""
    dump = """\
# configuration file /etc/nginx/nginx.conf:
http { server_tokens off; }
# configuration file /etc/nginx/sites-enabled/old:
server { listen 80 default_server;
\tlisten [::]:80 default_server;
    listen *:443 ssl default_server;
}
# configuration file /etc/nginx/sites-enabled/other:
server { listen 8080; # listen 80 default_server;
    listen 203.0.113.10:80 default_server;
    server_name default;
}
"""
    old = Path("/etc/nginx/sites-enabled/old")
    assert nginx_check.defaults(dump) == {(old, 80), (old, 443)}


def https_port(plan: Plan) -> object:
    """What server.yml has after an installation by that plan."""
    write_settings(plan)
    return yaml.safe_load((plan.etc / "server.yml").read_text()).get("https_port")


def test_the_port_of_https_is_kept(tmp_path: Path) -> None:
    """A server in a directory has none until one is given; then upgrades keep it, and hands win."""
    root = str(tmp_path)
    assert https_port(Plan("/src", root, {"http_port": 8080})) == 0
    assert https_port(Plan("/src", root, {"https_port": 8443})) == 8443
    assert https_port(Plan("/src", root)) == 8443
    file = tmp_path / "etc/server.yml"
    file.write_text(file.read_text().replace("8443", "9443"))
    assert https_port(Plan("/src", root)) == 9443
    assert https_port(Plan("/src", root, {"https_port": 8444})) == 8444


def test_two_listeners_do_not_share_a_port(tmp_path: Path) -> None:
    """Neither as they are given, nor with one that an earlier installation chose."""
    both = Plan("/src", str(tmp_path), {"http_port": 18_999, "https_port": 18_999})
    with pytest.raises(InstallError, match="--http-port and --https-port are both 18999"):
        checks.check(both, force=True)
    write_settings(Plan("/src", str(tmp_path), {"http_port": 18_999, "ssh_port": 18_998}))
    with pytest.raises(InstallError, match="--https-port and --ssh-port are both 18998"):
        checks.check(Plan("/src", str(tmp_path), {"https_port": 18_998}), force=True)


@pytest.mark.parametrize("domain", ["a b", "", "*.example.com", "http://a.test", "x;", "a.test\n"])
def test_a_domain_that_is_none_changes_nothing(tmp_path: Path, domain: str) -> None:
    """No name of any app could be served below it."""
    with pytest.raises(InstallError, match="--domain"):
        checks.check(Plan("/src", str(tmp_path), {"domain": domain}), force=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--https-port", "0", "'0' is not a port: 1 to 65535"),
        ("--http-port", "70000", "'70000' is not a port: 1 to 65535"),
        ("--ssh-port", "x", "'x' is not a port: 1 to 65535"),
        ("--uids", "9-3", "'9-3' is not a range like 70000-99999"),
        ("--app-ports", "1", "'1' is not a range like 70000-99999"),
    ],
)
def test_a_wrong_number_is_told(
    capsys: pytest.CaptureFixture[str], option: str, value: str, said: str
) -> None:
    """In words, with what it should be."""
    with pytest.raises(SystemExit):
        main("/src", [option, value])
    assert said in capsys.readouterr().err


def test_uv_is_taken_by_its_hashes() -> None:
    """It runs as root, and checks all other packages: pip takes no other file for it."""
    lock = (Path(__file__).parents[3] / "uv.lock").read_text()
    version, line = uv_requirement(lock)
    first, *hashes = line.split()
    assert first == f"uv=={version}"
    assert len(hashes) > 10
    assert all(word.startswith("--hash=sha256:") for word in hashes)
    own = lock.partition('name = "uv"\n')[2].partition("[[package]]")[0]
    assert [word.removeprefix("--hash=") in own for word in hashes] == [True] * len(hashes)
    with pytest.raises(InstallError):
        uv_requirement('[[package]]\nname = "uv"\nversion = "1.0"\n\n')


@pytest.mark.parametrize(
    ("argv", "settings"),
    [
        ([], {}),
        (["--https"], {"auto_certificates": True}),
        (["--no-https"], {"auto_certificates": False}),
    ],
)
def test_https_for_every_app_is_a_setting(argv: list[str], settings: dict[str, bool]) -> None:
    """An installation that says nothing about it leaves it as it is."""
    assert options_of(parser().parse_args(argv)) == settings


def test_a_server_without_a_domain_is_offered_a_name_by_its_address() -> None:
    """Where it has a public one; with a domain nothing is said."""
    hint = addresses.domain_hint("localhost", "198.51.100.7", "sslip.io", "sudo paas")
    assert "APP.198-51-100-7.sslip.io" in hint
    assert hint.endswith("  sudo paas domains:set-global 198-51-100-7.sslip.io")
    other = addresses.domain_hint("localhost", "198.51.100.7", "nip.io", "sudo paas")
    assert other.endswith(" 198-51-100-7.nip.io")
    for domain, address in (("apps.example.com", "198.51.100.7"), ("localhost", None)):
        assert addresses.domain_hint(domain, address, "sslip.io", "sudo paas") == ""
    assert problem(Settings(address_service="nip.io")) is None
    assert "address_service" in (problem(Settings(address_service="no name")) or "")
    found = addresses.public_address()
    assert found is None or ip_address(found).is_global
