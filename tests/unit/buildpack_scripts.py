"""What the tests of the Python buildpack's scripts run them with: no network, no sandbox."""

import subprocess
from pathlib import Path

BUILDPACKS = Path(__file__).parents[2] / "buildpacks"

# Stands in for uv: notes each call, makes an environment, and fails where the app says so.
UV = """#!/bin/bash
echo "$*" >> "$CALLS"
case $1 in
    venv) mkdir -p .venv/bin ;;
    pip | sync)
        if [[ -f uv-says ]]; then cat uv-says; exit 1; fi
        if [[ $* == *gunicorn ]]; then install -m 755 /dev/null .venv/bin/gunicorn; fi
        cp requirements.txt .venv/installed 2>/dev/null || true ;;
esac
"""


class Project:
    """An app's directory, with a cache, config vars and a stand-in for uv."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app = root / "app"
        self.calls_file = root / "calls"
        for name in ("app", "env", "bin", "home", "cache"):
            (root / name).mkdir()
        (root / "bin" / "uv").write_text(UV)
        (root / "bin" / "uv").chmod(0o755)

    def write(self, files: dict[str, str]) -> "Project":
        """Add files to the app; returns itself."""
        for name, content in files.items():
            path = self.app / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode())
        return self

    def set(self, name: str, value: str) -> None:
        """Set a config var."""
        (self.root / "env" / name).write_bytes(value.encode())

    def run(self, *argv: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a script with nothing else in its environment."""
        env = {
            "PATH": f"{self.root}/bin:/usr/bin:/bin",
            "HOME": str(self.root / "home"),
            "CALLS": str(self.calls_file),
            "UV_PYTHON_INSTALL_DIR": str(self.root / "pythons"),
        }
        return subprocess.run(
            [str(word) for word in argv],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=30,
        )

    def compile(self) -> "subprocess.CompletedProcess[str]":
        """Run bin/compile."""
        script = BUILDPACKS / "python/bin/compile"
        return self.run(script, self.app, self.root / "cache", self.root / "env")

    def again(self) -> str:
        """Compile as after another push: without the old .venv, which is not in git."""
        for call in (self.calls_file,):
            call.unlink(missing_ok=True)
        subprocess.run(["/bin/rm", "-rf", str(self.app / ".venv")], check=True)
        done = self.compile()
        assert done.returncode == 0, done.stdout
        return done.stdout

    def calls(self) -> str:
        """How uv was called."""
        return self.calls_file.read_text() if self.calls_file.exists() else ""

    def release(self) -> str:
        """What bin/release prints."""
        return self.run(BUILDPACKS / "python/bin/release", self.app).stdout

    def find_app(self) -> "subprocess.CompletedProcess[str]":
        """Run the search for the web app."""
        script = BUILDPACKS / "python/lib/find_app.py"
        return self.run("/usr/bin/python3", "-I", "-S", script, self.app)
