"""The documentation names every command, option, setting and error; its links are whole."""

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import click
import pytest
import yaml

from paas.entrypoints.cli.command_table import COMMANDS
from paas.entrypoints.laptop.commands import COMMANDS as ON_A_LAPTOP
from paas.settings import Settings

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# A test looks at all of them and tells all that it finds: one test for each would take longer.
BY_NAME = {str(command.name): command for command in COMMANDS}


def _options(command: click.Command) -> set[str]:
    """Every way to write an option of the command."""
    return {word for parameter in command.params for word in parameter.opts if word.startswith("-")}


def _sections() -> dict[str, str]:
    """The text of each command's section in the reference."""
    parts = re.split(r"^### `(.+)`$", (REFERENCE / "commands.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _first_cells(page: str) -> list[str]:
    """What stands in backticks in the first column of the page's tables."""
    rows = re.findall(r"^\| (`[^|]+`) \|", (REFERENCE / page).read_text(), flags=re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def test_the_reference_has_each_command_and_no_other() -> None:
    """Each command has a section, each section is a command's."""
    assert set(_sections()) == {command.name for command in COMMANDS}


def test_the_reference_has_each_option() -> None:
    """A command's section names each of its options, in every spelling."""
    missing = [
        f"{name} {option}"
        for name, section in _sections().items()
        for option in _options(BY_NAME[name])
        if not re.search(rf"(?<![\w-]){option}(?![\w-])", section)
    ]
    assert missing == []


def test_each_command_s_help_has_an_example() -> None:
    """``paas help COMMAND`` ends with a line that can be typed."""
    helps = {name: inspect.cleandoc(command.help or "") for name, command in BY_NAME.items()}
    without = [
        name
        for name, text in helps.items()
        if not re.search(rf"^Example: .*paas {name}\b", text, re.MULTILINE)
    ]
    assert without == []


def test_a_laptop_knows_the_same_commands() -> None:
    """The table for a laptop's help and completion has the names of the real commands."""
    assert {line.name for line in ON_A_LAPTOP} == {command.name for command in COMMANDS}


def test_a_laptop_knows_the_same_options() -> None:
    """The table for a laptop's completion has the options of the real command."""
    known = {line.name: set(line.options) for line in ON_A_LAPTOP}
    assert known == {name: _options(command) for name, command in BY_NAME.items()}


def test_each_use_of_an_app_names_its_permission() -> None:
    """No call leaves it to a variable, but those that pass on what their caller names."""
    passed_on = []
    for path in sorted((ROOT / "paas").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            named = [k.value for k in node.keywords if k.arg == "to"]
            if name == "may":
                named = node.args[:1]
            elif name != "find_app":
                continue
            (to,) = named
            if not ast.unparse(to).startswith("Permission."):
                passed_on.append(f"{path.name}:{name}")
    assert passed_on == ["actors.py:may", *["access.py:may"] * 3, "apps.py:find_app"]


def test_the_reference_has_each_setting_and_no_other() -> None:
    """Each setting of server.yml is documented once."""
    assert sorted(_first_cells("server.yml.md")) == sorted(field.name for field in fields(Settings))


def test_the_reference_has_each_default() -> None:
    """The defaults in the reference are those of the code."""
    text = (REFERENCE / "server.yml.md").read_text()
    for name, shown in re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", text, flags=re.MULTILINE):
        default = getattr(Settings(), name)
        plain = list(default) if isinstance(default, tuple) else default
        expected = str(plain) if isinstance(plain, Path) else plain
        assert yaml.safe_load(shown) == expected, name


def test_the_reference_has_each_error_and_no_other() -> None:
    """Each reference of a PaasError is documented once, with its cause and remedy."""
    assert sorted(_first_cells("errors.md")) == sorted(_error_references())


def _error_references() -> set[str]:
    """The literal references in the code: of PaasError and what passes one on."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "paas").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    makers = {"PaasError"} | {
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("__")
        and [a.arg for a in node.args.args if a.arg != "self"][:1] == ["reference"]
    }
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    while new := {c.name for c in classes if _bases(c) & makers} - makers:
        makers |= new
    return set(_literals(nodes, makers))


def _bases(defined: ast.ClassDef) -> set[str]:
    return {base.id for base in defined.bases if isinstance(base, ast.Name)}


def _literals(nodes: list[ast.AST], makers: set[str]) -> Iterator[str]:
    for node in nodes:
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        first = node.args[0]
        if name in makers and isinstance(first, ast.Constant):
            yield str(first.value)


def test_relative_links_lead_to_a_file_and_a_heading() -> None:
    """No link within the documentation is broken."""
    links = [(page, link) for page in PAGES for link in _links(page)]
    assert [f"{page}: {link}" for page, link in links if _is_broken(page, link)] == []


def _links(page: Path) -> list[str]:
    """The links of a page that lead to the project itself."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def _is_broken(page: Path, link: str) -> bool:
    name, _, heading = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return not target.exists() or (bool(heading) and heading not in _anchors(target))


@cache
def _anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


WALKS = [ROOT / "docs" / "design.md", *sorted((ROOT / "docs" / "internals").glob("*.md"))]


def test_the_way_through_the_code_names_what_exists() -> None:
    """Each ``file.py:function`` of the pages on the code is in that file."""
    steps = {step for page in WALKS for step in _steps(page)}
    gone = [f"{f}:{name}" for f, name in steps if name not in _definitions(ROOT / "paas" / f)]
    assert gone == []


def test_the_way_from_a_push_names_its_steps() -> None:
    """The design page follows a push through the code, call by call."""
    assert len(_steps(ROOT / "docs" / "design.md")) > 20


def _steps(page: Path) -> list[tuple[str, str]]:
    return re.findall(r"`([\w/]+\.py):([\w.]+)`", page.read_text())


def _definitions(path: Path) -> set[str]:
    """The functions, classes and methods of a module (``Gate.serve``)."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{m.name}" for m in node.body if isinstance(m, ast.FunctionDef)}
    return found


DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


@pytest.mark.parametrize("record", DECISIONS, ids=lambda record: record.name)
def test_a_decision_has_its_parts(record: Path) -> None:
    """Number and title, status, context, decision, consequences; and its line in the index."""
    number = record.name[:4]
    title = re.match(rf"# {int(number)}\. (.+)\n\nStatus: \w", record.read_text())
    assert title is not None
    for part in ("Context", "Decision", "Consequences"):
        assert f"\n**{part}.** " in record.read_text()
    index = (record.parent / "README.md").read_text()
    assert f"- [{number}]({record.name}) {title[1]}\n" in index


def test_decisions_are_numbered_without_gaps() -> None:
    """A record is never removed, only replaced by a later one."""
    assert [int(record.name[:4]) for record in DECISIONS] == [*range(1, len(DECISIONS) + 1)]


def test_each_dependency_has_its_reason() -> None:
    """Of the server's packages in the table, of those for development in its sentence."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    text = (ROOT / "docs" / "decisions" / "0047-dependencies.md").read_text()
    rows = set(re.findall(r"^\| ([\w-]+) \| ", text, re.MULTILINE)) - {"package"}
    assert rows == set(_packages(project["project"]["optional-dependencies"]["server"]))
    development = text[text.index("For development: ") :].partition("\n")[0]
    for package in _packages(project["dependency-groups"]["dev"]):
        assert package.removeprefix("types-") in development


def _packages(requirements: list[str]) -> list[str]:
    return [re.split(r"[<>=~!]", requirement)[0] for requirement in requirements]


def test_each_promise_about_security_has_its_test() -> None:
    """The page names a test in each row, and the tests exist."""
    text = (ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| (?!promise|---)[^|]+\| (.+) \|$", text, flags=re.MULTILINE)
    assert len(rows) > 15
    assert [row for row in rows if "::" not in row] == []
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
        assert f"\ndef {name}(" in (ROOT / path).read_text(), f"{path} has no {name}"
