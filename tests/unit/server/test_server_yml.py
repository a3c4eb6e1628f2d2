"""Reading server.yml, and changing it from a command."""

from pathlib import Path

import pytest

from paas.adapters.proxy.nginx.escaping import trusted_networks
from paas.adapters.server.server_yml import ServerYml
from paas.domain.values.errors import PaasError
from paas.settings import load


def test_one_setting_changes_and_the_rest_stays(tmp_path: Path) -> None:
    """Also the comment at the head, and the order."""
    path = tmp_path / "server.yml"
    path.write_text("# Ours.\n# Yours too.\ndomain: a.test\nhttp_port: 8080\n")
    ServerYml(path).set_domain("b.test")
    assert path.read_text() == "# Ours.\n# Yours too.\ndomain: b.test\nhttp_port: 8080\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_domain_that_was_not_there_is_added(tmp_path: Path) -> None:
    """What is not in the file has its default."""
    path = tmp_path / "server.yml"
    path.write_text("http_port: 8080\n")
    ServerYml(path).set_domain("b.test")
    assert load(path).domain == "b.test"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("web_certificate: /etc/chain.pem", "belong together"),
        ("web_certificate: chain.pem\nweb_certificate_key: /k.pem", "take absolute paths"),
        ("web_certificate: auto\nhttps_port: 0", "takes an https_port"),
        ("web: true\nuids: [70000, 70001]", "three numbers or more"),
    ],
)
def test_git_over_https_takes_what_it_needs(tmp_path: Path, text: str, words: str) -> None:
    """A whole certificate, and a uid of its own."""
    path = tmp_path / "server.yml"
    path.write_text(f"{text}\n")
    with pytest.raises(PaasError, match=words):
        load(path)


@pytest.mark.parametrize("value", ["-1", ".inf", ".nan", "-.inf"])
@pytest.mark.parametrize("key", ["max_builds", "stop_limit_s"])
def test_what_is_no_number_from_0_on_is_refused(tmp_path: Path, key: str, value: str) -> None:
    """With -1 for max_builds every build would wait for ever."""
    path = tmp_path / "server.yml"
    path.write_text(f"{key}: {value}\n")
    with pytest.raises(PaasError, match=f"{key} must be a number, 0 or more"):
        load(path)


def test_a_share_of_memory_is_at_most_all_of_it(tmp_path: Path) -> None:
    """It is not a number of MiB."""
    path = tmp_path / "server.yml"
    path.write_text("memory_share: 512\n")
    with pytest.raises(PaasError, match="memory_share is a fraction of the machine's memory"):
        load(path)
    path.write_text("memory_share: 1\nbuild_memory_share: 0.25\n")
    assert load(path).memory_share == 1


@pytest.mark.parametrize(
    "text",
    [
        "https_port: 99999",
        "http_port: 65536",
        "http_port: 443\nhttps_port: 443",
        "http_port: 8022\nssh_port: 8022",
        "https_port: 8022\nssh_port: 8022",
    ],
)
def test_ports_that_cannot_be_are_told(tmp_path: Path, text: str) -> None:
    """Two listeners on one would take each other's visitors."""
    path = tmp_path / "server.yml"
    path.write_text(text + "\n")
    with pytest.raises(PaasError, match="_port"):
        load(path)


def test_a_file_that_cannot_be_read_stays(tmp_path: Path) -> None:
    """Its mistake is reported, by the key."""
    path = tmp_path / "server.yml"
    path.write_text("domian: a.test\n")
    with pytest.raises(PaasError, match="domian"):
        ServerYml(path).set_domain("b.test")
    assert path.read_text() == "domian: a.test\n"


def test_a_setting_of_a_former_version_is_no_error(tmp_path: Path) -> None:
    """An upgrade would fail at it."""
    path = tmp_path / "server.yml"
    path.write_text("ocsp_private: true\ndomain: a.test\n")
    assert load(path).domain == "a.test"


def test_a_drain_of_the_audit_trail_that_is_none_is_told(tmp_path: Path) -> None:
    """Without its login, which the message does not repeat."""
    path = tmp_path / "server.yml"
    path.write_text("audit_drain: ftp://me:secret@logs.example.com\n")
    with pytest.raises(PaasError, match="audit_drain: This is not the URL of a drain") as caught:
        load(path)
    assert "secret" not in caught.value.report
    path.write_text("audit_drain: syslog+tls://logs.example.com\n")
    assert load(path).audit_drain == "syslog+tls://logs.example.com"


def test_the_proxy_protocol_takes_a_balancer(tmp_path: Path) -> None:
    """Otherwise one proxy believed nobody, and the other understood nothing."""
    path = tmp_path / "server.yml"
    path.write_text("proxy_protocol: true\n")
    with pytest.raises(PaasError, match="trusted_proxies"):
        load(path)
    path.write_text("proxy_protocol: true\ntrusted_proxies: 192.0.2.7\n")
    assert load(path).proxy_protocol


@pytest.mark.parametrize("text", ["rubbish", "10.0.0.1/8", "fe80::1%eth0", "192.0.2.1 ;"])
def test_balancers_that_are_none_are_told(tmp_path: Path, text: str) -> None:
    """No site could be rendered with them."""
    path = tmp_path / "server.yml"
    path.write_text(f"trusted_proxies: '{text}'\n")
    with pytest.raises(PaasError, match="trusted_proxies takes"):
        load(path)
    path.write_text("trusted_proxies: 192.0.2.0/24, 2001:db8::1 10.0.0.1\n")
    assert len(trusted_networks(load(path))) == 3


@pytest.mark.parametrize("domain", ["a b", "*.a.test", "A.test", "a.test."])
def test_a_domain_that_is_none_is_told(tmp_path: Path, domain: str) -> None:
    """Every app would be without its name, and with it not be served at all."""
    path = tmp_path / "server.yml"
    path.write_text(f"domain: '{domain}'\n")
    with pytest.raises(PaasError, match="domain: "):
        load(path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "private_networks: false",
            "private_networks: false requires app_networks: true.",
        ),
        ("host_ports: [0]", "host_ports takes ports from 1 to 65535, not 0."),
        ("host_ports: [5432, 70000]", "host_ports takes ports from 1 to 65535, not 70000."),
        ("app_network_range: 10.0.0.0/8", "app_network_range takes an IPv4 network of /15"),
    ],
)
def test_networks_that_cannot_be_are_told(tmp_path: Path, line: str, words: str) -> None:
    """The key is named."""
    path = tmp_path / "server.yml"
    path.write_text(line)
    with pytest.raises(PaasError) as caught:
        load(path)
    assert words in caught.value.message


CA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ the CA of us"


def test_the_cas_of_certificates(tmp_path: Path) -> None:
    """Each once; nothing but public keys, which the message names."""
    path = tmp_path / "server.yml"
    path.write_text(f"ssh_ca: ['{CA}', '{CA.rpartition(' the')[0]}']")
    (authority,) = load(path).authorities
    assert f"{authority.kind} {authority.body} the CA of us" == CA
    for value, words in {
        f"'{CA}'": "ssh_ca must be a list",
        "[5]": "ssh_ca must be a list",
        f"['cert-authority {CA}']": "ssh_ca takes the content of a CA's .pub file",
        "['/etc/ssh/ca.pub']": "ssh_ca takes the content of a CA's .pub file",
        f"['{CA.replace('ssh-ed25519', 'ssh-rsa')}']": "not of the type that it names, ssh-rsa",
        "['ssh-ed25519 AAAAC3Nza']": "the base64 of this one is cut off",
    }.items():
        path.write_text(f"ssh_ca: {value}")
        with pytest.raises(PaasError) as caught:
            load(path)
        assert words in caught.value.message


def test_a_list_of_ports_has_any_length(tmp_path: Path) -> None:
    """Also that of one port."""
    path = tmp_path / "server.yml"
    for ports in ([], [5432], [5432, 6379, 3306]):
        path.write_text(f"host_ports: {ports}")
        assert load(path).host_ports == tuple(ports)


def test_a_turn_without_a_pause_is_told(tmp_path: Path) -> None:
    """The monitor would do nothing else."""
    path = tmp_path / "server.yml"
    path.write_text("datastores_turn_s: 0.5")
    with pytest.raises(PaasError, match="datastores_turn_s is at least 1"):
        load(path)
    path.write_text("datastores_turn_s: 1")
    assert load(path).datastores_turn_s == 1
