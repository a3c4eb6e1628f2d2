"""What the client says about a push that git itself rejected, as read from git's trace."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]

_TRACE = '{"event":"error","msg":"fatal: pack exceeds maximum allowed size (1.00 MiB)"}\n'
# As the client is started. REMOVED: a module that an upgrade has removed.
_CODE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from paas.entrypoints.gate_client import observer
if sys.argv[2]:
    sys.modules[sys.argv[2]] = None
trace = os.memfd_create("push")
os.write(trace, sys.argv[3].encode())
observer._explain(trace, 1)
"""


def explained(trace: str, *, removed: str = "") -> str:
    """What is said about a trace."""
    python = ["/usr/bin/python3", "-I", "-S", "-c", _CODE]
    argv = [*python, str(ROOT), removed, trace]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return done.stderr


def test_a_refusal_is_explained() -> None:
    """In words of ours, whatever git said."""
    assert "1 MiB" in explained(_TRACE)


def test_a_version_that_was_removed_explains_nothing() -> None:
    """Two upgrades during a push remove its code: git's own words have to do."""
    assert explained(_TRACE, removed="paas.domain.git.refusals") == ""


def test_a_push_without_complaints_imports_nothing_for_them() -> None:
    """That takes as long as the start of Python, at each push."""
    code = _CODE + '\nos.write(2, str("paas.domain.git.refusals" in sys.modules).encode())\n'
    python = ["/usr/bin/python3", "-I", "-S", "-c", code]
    argv = [*python, str(ROOT), "", '{"event":"exit"}\n']
    done = subprocess.run(argv, capture_output=True, check=True)
    assert done.stderr == b"False"
