"""The list of linters is in tests/lint alone, and every one of them runs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
LINTERS = ("ruff", "mypy", "shellcheck", "codespell")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small repository with the script, and linters that write down how they were called."""
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "lint", tmp_path / "tests")
    (tmp_path / "build.sh").write_text("#!/usr/bin/env bash\n")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "--all"], cwd=tmp_path, check=True)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in LINTERS:
        program = tmp_path / ".venv" / "bin" / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> called\n! grep -qsx {name} failing\n')
        program.chmod(0o755)
    return tmp_path


def _lint(checkout: Path, *names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "tests" / "lint", *names], capture_output=True, text=True, check=False
    )


def test_all_linters_run_though_the_first_fails(checkout: Path) -> None:
    """Each is called; the exit status is 1, and the failed ones are named."""
    (checkout / "failing").write_text("ruff\nshellcheck\n")
    done = _lint(checkout)
    assert (done.returncode, done.stderr) == (1, "Failed: ruff format shellcheck\n")
    called = (checkout / "called").read_text()
    assert set(re.findall(r"^\w+", called, re.MULTILINE)) == set(LINTERS)
    assert "build.sh" in re.findall(r"^shellcheck .*$", called, re.MULTILINE)[0]


def test_arguments_choose_linters(checkout: Path) -> None:
    """Only those run; a name that is none of them is refused."""
    assert _lint(checkout, "mypy").returncode == 0
    assert (checkout / "called").read_text() == "mypy \n"
    refused = _lint(checkout, "flake8")
    assert refused.returncode == 1
    assert "flake8" in refused.stderr


def test_missing_linters_are_an_error(checkout: Path) -> None:
    """A checkout without .venv does not pass."""
    shutil.rmtree(checkout / ".venv")
    missing = _lint(checkout)
    assert missing.returncode == 1
    assert "sudo tests/run" in missing.stderr


@pytest.mark.parametrize("caller", ["Makefile", ".ci/run"])
def test_the_callers_have_no_list_of_their_own(caller: str) -> None:
    """They call tests/lint and name no linter."""
    text = (ROOT / caller).read_text()
    assert "tests/lint" in text
    assert not [name for name in LINTERS if re.search(rf"\b{name}\b", text)]


def test_pre_commit_runs_each_linter_of_the_list() -> None:
    """A linter that joins the list joins the hooks."""
    script = (ROOT / "tests" / "lint").read_text()
    listed = re.findall(r"set -- (.+)$", script, re.MULTILINE)[0].split()
    configured = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook["entry"] for repo in configured["repos"] for hook in repo["hooks"]]
    assert hooks == [f"tests/lint {linter}" for linter in listed]
