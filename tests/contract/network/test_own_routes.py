"""Packets for apps without a network do not leave the machine; for real, in a namespace."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

# A gateway that would get every packet; an app's network appears and goes.
PROGRAM = """
import errno, socket, subprocess, tempfile
from dataclasses import replace
from pathlib import Path
from paas.adapters.network.own_routes import refuse_missing, stop_refusing
from paas.settings import Settings

def ip(*words):
    subprocess.run(["ip", *words], check=True)

def attempt(address):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        try:
            probe.connect((address, 5000))
        except OSError as error:
            return errno.errorcode.get(error.errno, type(error).__name__)

ip("link", "set", "lo", "up")
ip("link", "add", "out", "type", "veth", "peer", "name", "far")
ip("address", "add", "192.0.2.2/24", "dev", "out")
ip("link", "set", "out", "up")
ip("link", "set", "far", "up")
ip("neighbour", "add", "192.0.2.1", "lladdr", "02:00:00:00:00:01", "dev", "out")
ip("route", "add", "default", "via", "192.0.2.1")
room = Path(tempfile.mkdtemp())
(room / "other").mkdir()
settings = Settings(run=room, docker=True, app_networks=True)
another = replace(settings, run=room / "other", ports=(1025, 2000))
app, container = (str(one[5]) for one in settings.own_networks)
print(attempt(app), attempt(container))
refuse_missing(settings)
refuse_missing(settings)
refuse_missing(another)
print(attempt(app), attempt(container))
ip("address", "add", f"{app}/24", "dev", "lo")
print(attempt(app), attempt(container))
ip("address", "del", f"{app}/24", "dev", "lo")
stop_refusing(another)
print(attempt(app), attempt(container))
refuse_missing(replace(settings, ports=(3000, 4000), docker=False))
print(attempt(app), attempt(container))
stop_refusing(settings)
stop_refusing(settings)
print(attempt(app), attempt(container))
"""


def test_only_networks_that_are_there_are_reached() -> None:
    """Without the route, an attempt waits for somebody beyond the gateway to answer."""
    argv = ["unshare", "--net", sys.executable, "-c", PROGRAM]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "TimeoutError TimeoutError",
        "EHOSTUNREACH EHOSTUNREACH",
        "ECONNREFUSED EHOSTUNREACH",
        "EHOSTUNREACH EHOSTUNREACH",
        "EHOSTUNREACH TimeoutError",
        "TimeoutError TimeoutError",
    ]
