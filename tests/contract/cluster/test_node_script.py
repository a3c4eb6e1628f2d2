"""The script for nodes, and the rules for peers, on this machine; nothing of it is changed."""

import os
import subprocess
import time
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from paas.adapters.cluster import facts as facts_module
from paas.adapters.cluster.facts import own_release, read_facts
from paas.adapters.cluster.instances import read_listening, read_usage
from paas.adapters.cluster.peer_rules import peer_rules
from paas.adapters.network.nft import ask_nft
from paas.domain.releases.releases import Usage

SCRIPT = Path(facts_module.__file__).with_name("node.sh")
CONNECTION = "10.0.0.1 50000 10.0.0.2 22"


def printed(*words: str) -> str:
    """What the script says."""
    env = {**os.environ, "SSH_CONNECTION": CONNECTION}
    argv = ["bash", "-s", "--", *words]
    done = subprocess.run(argv, input=SCRIPT.read_bytes(), env=env, capture_output=True, check=True)
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


@pytest.mark.parametrize("missing", ["clock", "memory_kib", "address", "systemd"])
def test_what_is_missing_is_noticed(missing: str) -> None:
    """It is no fact then."""
    lines = [line for line in printed("facts").splitlines() if not line.startswith(missing)]
    with pytest.raises(KeyError):
        read_facts("\n".join(lines), 0.0, 1.0)


@pytest.mark.parametrize("peers", [[], ["10.0.0.1"], ["10.0.0.2", "10.0.0.1"]])
@pytest.mark.parametrize("published", [True, False])
def test_nft_accepts_the_rules(peers: list[str], published: bool) -> None:
    """Nothing is loaded."""
    rules = peer_rules("paas_test_peers", [*map(IPv4Address, peers)], published=published)
    answer = ask_nft(["-c", "-f", "-"], rules)
    assert answer.ok, answer.words
    assert ("32768-60999" in rules) is published


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
