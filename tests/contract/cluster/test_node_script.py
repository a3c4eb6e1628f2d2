"""The script for nodes, and the rules for peers, on this machine; nothing of it is changed."""

import json
import os
import subprocess
import time
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from paas.adapters.cluster import facts as facts_module
from paas.adapters.cluster.facts import own_release, read_facts
from paas.adapters.cluster.instances import read_listening, read_usage
from paas.adapters.cluster.node_engine import conflicts, lacks, merged
from paas.adapters.cluster.node_rules import node_rules
from paas.adapters.cluster.peer_rules import peer_rules
from paas.adapters.network.nft import ask_nft
from paas.domain.releases.releases import Usage
from paas.domain.values.errors import PaasError
from paas.settings import Settings

SCRIPTS = [Path(facts_module.__file__).with_name(name) for name in ("node_engine.sh", "node.sh")]
CONNECTION = "10.0.0.1 50000 10.0.0.2 22"


def printed(*words: str) -> str:
    """What the script says."""
    env = {**os.environ, "SSH_CONNECTION": CONNECTION}
    argv = ["bash", "-s", "--", *words]
    script = b"".join(each.read_bytes() for each in SCRIPTS)
    done = subprocess.run(argv, input=script, env=env, capture_output=True, check=True)
    return done.stdout.decode()


def test_a_machine_tells_what_is_asked() -> None:
    """This one suits itself, and its clock is the same."""
    asked = time.time()
    found = read_facts(printed("facts"), asked, time.time())
    assert found.is_root
    assert found.cpu == os.uname().machine
    assert found.release == own_release()
    assert found.clock_ahead_s == 0.0
    assert found.memory_mib > 100
    assert (found.caller, found.address) == (IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"))


def test_a_slow_answer_is_no_wrong_clock() -> None:
    """How long the question took is how little is known."""
    text = printed("facts")
    clock = float(text.rpartition("clock=")[2])
    assert read_facts(text, clock - 20, clock + 1).clock_ahead_s == 0.0
    assert read_facts(text, clock - 90, clock - 60).clock_ahead_s == pytest.approx(60.0)
    assert read_facts(text, clock + 60, clock + 62).clock_ahead_s == pytest.approx(-60.0)


@pytest.mark.parametrize(
    "missing", ["clock", "memory_kib", "address", "systemd", "engine_file", "closed", "bridged"]
)
def test_what_is_missing_is_noticed(missing: str) -> None:
    """It is no fact then."""
    lines = [line for line in printed("facts").splitlines() if not line.startswith(missing)]
    with pytest.raises(KeyError):
        read_facts("\n".join(lines), 0.0, 1.0)


@pytest.mark.parametrize("peers", [[], ["10.0.0.1"], ["10.0.0.2", "10.0.0.1"]])
def test_nft_accepts_the_rules(peers: list[str]) -> None:
    """Those of the server and of nodes, whatever is open to apps; nothing is loaded."""
    addresses = [*map(IPv4Address, peers)]
    closed = Settings(private_networks=False)
    opened = Settings(app_metadata=True, http_port=0, https_port=0)
    for rules in (
        peer_rules(Settings(), "paas_test_peers", addresses, 33, [30_500]),
        *(node_rules(one, IPv4Address("10.0.0.1"), addresses) for one in (closed, opened)),
    ):
        answer = ask_nft(["-c", "-f", "-"], rules)
        assert answer.ok, answer.words


def test_what_instances_take_is_read() -> None:
    """What a login shell says before, and what is no id of ours, is passed over."""
    printed = (
        "Welcome\nusage 12-v5-9-web.1 memory=4096 cpu_ns=500000000 processes=2 age_ms=2000\n"
        'usage x" memory=1 cpu_ns=1 processes=1 age_ms=1\n'
        "usage 12-v5-9-web.2 memory=0 cpu_ns=0 processes=0 age_ms=0\n"
    )
    assert read_usage(printed) == {
        "12-v5-9-web.1": Usage(4096, 25.0, 2),
        "12-v5-9-web.2": Usage(0, 0.0, 0),
    }


def test_where_instances_listen_is_read() -> None:
    """Docker's own DNS is left out."""
    printed = (
        "listening 00000000:1F90\nlistening 0B00007F:D431\nlistening 0100007F:0016\n"
        "listening 00000000000000000000000001000000:1F91\nlistening 0000:1F91\n"
    )
    assert read_listening(printed) == {("0.0.0.0", 8080), ("127.0.0.1", 22), ("::1", 8081)}


def test_the_settings_of_a_machine_s_docker_are_kept() -> None:
    """What they lack is added; what is complete stays as it is, byte for byte."""
    own = '{"data-root": "/srv/docker",\t"icc": false}'
    text = merged(own)
    assert json.loads(text)["data-root"] == "/srv/docker"
    assert (json.loads(text)["no-new-privileges"], json.loads(text)["icc"]) == (True, False)
    assert lacks(own)
    assert "icc" not in lacks(own)
    assert not lacks(text)
    assert merged(text) == text
    assert json.loads(merged("")) == json.loads(merged("{}"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"icc": true}', "has icc: true, a node needs false"),
        ('{"log-driver": "syslog"}', 'has log-driver: "syslog", a node needs "local"'),
        ('{"bridge": "br0"}', 'a node needs "docker0"'),
        ('{"iptables": false}', "a node needs true"),
        ('{"userns-remap": "default"}', 'a node needs ""'),
        ('{"icc": ', "cannot be read"),
        ("[]", "cannot be read"),
    ],
)
def test_settings_of_docker_that_no_node_may_have(text: str, words: str) -> None:
    """They are named, and never overwritten."""
    (clause,) = conflicts(text)
    assert words in clause
    with pytest.raises(PaasError, match="cannot be a node"):
        merged(text)
