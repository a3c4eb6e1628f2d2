"""The environment that a process of an app sees."""

import subprocess
from pathlib import Path

from paas.domain.apps.environment import instance_environment, shell_argv
from paas.domain.values.secret import Secret


def revealed(env: dict[str, Secret]) -> dict[str, str]:
    """The plain texts."""
    return {name: value.reveal() for name, value in env.items()}


def test_defaults_port_and_dyno_are_there() -> None:
    """Without config vars a process has a home, a path, a locale, its name and its port."""
    assert revealed(instance_environment({}, "web.1", 5000)) == {
        "DYNO": "web.1",
        "HOME": "/app",
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PORT": "5000",
        "TMPDIR": "/tmp",
    }


def test_config_vars_win_over_defaults_but_not_over_the_port() -> None:
    """PATH can be replaced; PORT and DYNO are the platform's."""
    config = {"PATH": Secret("/x"), "PORT": Secret("1"), "DYNO": Secret("y")}
    env = revealed(instance_environment(config, "web.2", 5001))
    assert (env["PATH"], env["PORT"], env["DYNO"]) == ("/x", "5001", "web.2")


def test_the_limit_of_memory_is_told() -> None:
    """Under Heroku's name, unless the app's config says otherwise."""
    assert revealed(instance_environment({}, "web.1", 5000, 512))["MEMORY_AVAILABLE"] == "512"
    config = {"MEMORY_AVAILABLE": Secret("99")}
    assert revealed(instance_environment(config, "web.1", 5000, 512))["MEMORY_AVAILABLE"] == "99"


def test_a_process_without_port_has_none() -> None:
    """A worker gets no PORT."""
    assert "PORT" not in instance_environment({}, "worker.1", None)


def test_the_command_is_an_argument_and_never_part_of_the_script(tmp_path: Path) -> None:
    """A command of quotes and percent signs runs as the user's own shell command line."""
    out = tmp_path / "out"
    argv = shell_argv(f"printf '%s' \"it's 100%\" > {out}; exit 3")
    assert subprocess.run(argv, check=False).returncode == 3
    assert out.read_text() == "it's 100%"
