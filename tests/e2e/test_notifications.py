"""The process that sends notifications, as the server starts it."""

from tests.e2e.probe import App


def test_a_place_on_the_server_itself_is_not_reached(probe: App) -> None:
    """A name may lead there; the URL is a secret in all that is shown."""
    url = f"http://localhost:{probe.server.http_port}/a-secret"
    added = probe.paas("notify:add", url, "--events", "disk")
    shown = f"http://localhost:{probe.server.http_port}/****"
    assert "a-secret" not in added + probe.paas("notify")
    tested = probe.server.paas("notify:test", "-a", probe.name, check=False)
    assert tested.returncode == 1, tested
    assert f"{shown} could not be notified: nothing is sent to" in tested.stderr
    assert "it is this server itself" in tested.stderr
    probe.paas("notify:remove", url)
    assert shown not in probe.paas("notify")
