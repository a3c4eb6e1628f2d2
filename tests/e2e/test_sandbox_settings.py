"""sandbox:set on a real server: user namespaces are only for apps that an admin allows them to."""

from tests.e2e.probe import FILES, App, push
from tests.e2e.server import Server, User

UNSHARE = "unshare --user --map-root-user id -u 2>&1"


def _instance(app: App) -> str:
    return app.shell(UNSHARE).strip()


def _one_off(app: App) -> str:
    words = ["run", "-a", app.name, "--", "sh", "-c", UNSHARE]
    return app.server.paas(*words, check=False).stdout.strip()


def test_user_namespaces(server: Server, alice: User) -> None:
    """Refused until an admin allows them, and again once that is revoked."""
    probe = push(alice, "spaces", FILES)
    assert _instance(probe).endswith("Operation not permitted")
    assert _one_off(probe).endswith("Operation not permitted")
    refused = alice.ssh("sandbox:set", "spaces", "user-namespaces=on", check=False)
    assert "Only an admin may change an app's sandbox." in refused.stderr
    assert alice.ssh("sandbox:report", "-a", "spaces").stdout == (
        "user-namespaces=off\nread-only=off\n"
    )

    probe.paas("sandbox:set", "user-namespaces=on")
    assert alice.ssh("sandbox:report", "-a", "spaces").stdout == (
        "user-namespaces=on\nread-only=off\n"
    )
    probe.paas("ps:restart")
    assert _instance(probe) == "0"
    assert _one_off(probe) == "0"

    probe.paas("sandbox:set", "user-namespaces=off")
    probe.paas("ps:restart")
    assert _instance(probe).endswith("Operation not permitted")
