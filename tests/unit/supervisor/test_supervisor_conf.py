"""What supervisord reads: only words of ours, each checked."""

import pkgutil
from pathlib import Path

import pytest

from paas.adapters.supervisor.conf import Program, group_conf, main_conf
from paas.adapters.supervisor.plugin import make_interface
from paas.domain.values.errors import PaasError
from paas.settings import Settings

GATE = Program("gate", ("/opt/python", "-I", "-m", "paas.gate"), Path("/logs/gate.log"))


def test_a_groups_file_names_specs_and_nothing_of_the_app() -> None:
    """The file of a group of two, in full."""
    specs = [(label, Path(f"/run/paas/specs/12-v5-9-{label}.json")) for label in ("web.1", "x.2")]
    text = group_conf("12-v5-9", specs, ("/usr/bin/python3", "-I", "-S", "/l.py"), 30.0)
    golden = Path(__file__).parents[1] / "golden" / "supervisor_group.conf"
    assert text == golden.read_text()


def test_a_group_that_is_stopped_in_its_own_way() -> None:
    """A datastore's server gets another signal, and more time."""
    spec = Path("/run/paas/specs/datastore-3-server.1.json")
    text = group_conf("datastore-3", [("server.1", spec)], ("/l",), 120.0, stop_signal="INT")
    assert "\nstopsignal=INT\n" in text
    assert "\nstopwaitsecs=120\n" in text
    with pytest.raises(PaasError):
        group_conf("datastore-3", [("server.1", spec)], ("/l",), 120.0, stop_signal="INT\nx=y")


@pytest.mark.parametrize("bad", ["%(ENV_X)s", "a b", "a\nb", "a;b", "a#b", "", "a'b", 'a"b', "a,b"])
def test_words_that_supervisord_would_read_otherwise_are_refused(bad: str) -> None:
    """A percent sign, blank, quote, comma, comment sign or newline never gets into a file."""
    with pytest.raises(PaasError):
        group_conf(bad, [("web.1", Path("/x"))], ("/l",), 30.0)
    with pytest.raises(PaasError):
        group_conf("1-v1-1", [(bad, Path("/x"))], ("/l",), 30.0)
    with pytest.raises(PaasError):
        group_conf("1-v1-1", [("web.1", Path(f"/{bad}/x y"))], ("/l",), 30.0)
    with pytest.raises(PaasError):
        main_conf(Settings(run=Path(f"/run {bad}")), [])
    with pytest.raises(PaasError):
        main_conf(Settings(), [Program("gate", (bad,), Path("/log"))])


def test_the_main_file_has_our_programs_and_both_interfaces() -> None:
    """supervisord.conf includes the groups' files and starts the platform's own programs."""
    text = main_conf(Settings(), [GATE])
    assert "file=/run/paas/supervisor.sock\nchmod=0700\n" in text
    assert "files=/var/lib/paas/supervisor/*.conf\n" in text
    assert "[rpcinterface:paas]" in text
    assert "[rpcinterface:supervisor]" in text
    assert "[program:gate]\ncommand=/opt/python -I -m paas.gate\n" in text


def test_a_path_too_long_for_a_socket_is_refused() -> None:
    """Where the socket's name would not fit, the message says how long it may be."""
    with pytest.raises(PaasError, match="too long for a Unix socket"):
        main_conf(Settings(run=Path("/" + "x" * 90)), [])


def test_a_program_that_starts_when_it_is_needed() -> None:
    """Others start with supervisord."""
    drains = Program("drains", ("/x",), Path("/logs/drains.log"), autostart=False)
    text = main_conf(Settings(), [GATE, drains])
    gate, _, rest = text.partition("[program:drains]")
    assert "\nautostart=true\n" in gate
    assert "\nautostart=false\n" in rest


def test_the_plugin_has_the_name_that_every_version_knows() -> None:
    """An upgrade has the supervisord of the former version read the new file: it must find it."""
    name = "paas.adapters.supervisor_plugin:make_interface"
    assert f"supervisor.rpcinterface_factory={name}\n" in main_conf(Settings(), [GATE])
    assert pkgutil.resolve_name(name) is make_interface
