"""The house numbers: how long things may be, what must be said, and that what the README says exists."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from appliance import __version__
from appliance.cli import main
from appliance.model import ConversationStatus, OutboxState

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "appliance").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MACHINE = re.compile(r"(?<![\w.])/(?:work|tmp|root)/")
PLACES = (
    "README.md",
    "CONTRIBUTING.md",
    "docs",
    "CHANGELOG.md",
    "Makefile",
    "pyproject.toml",
    "config.example.toml",
    ".ci",
    "systemd",
)
TEXT = {".py", ".md", ".toml", ".sql", ".html", ".js", ".css", ".service", ""}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_functions_are_short() -> None:
    """Half of all functions have at most 7 lines, nine of ten at most 25, none has over 40."""
    lengths = {
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}": length(function)
        for path in SOURCES
        for function in functions(path)
    }

    assert {name: lines for name, lines in lengths.items() if lines > 40} == {}
    assert statistics.median(lengths.values()) <= 7
    assert statistics.quantiles(lengths.values(), n=10)[8] <= 25


def test_files_are_one_noun() -> None:
    """No file of the product has over 300 lines, and each says at its head what it is."""
    sizes = {path.name: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    silent = [str(path) for path in SOURCES + TESTS if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]

    assert {name: lines for name, lines in sizes.items() if lines > 300} == {}
    assert silent == []


def test_helpers_earn_their_hop(capsys: pytest.CaptureFixture[str]) -> None:
    """At most 15 % of all functions are private with one caller: a page that reads straight down beats five names."""
    every = [function for path in SOURCES for function in functions(path)]
    single = [name for path in SOURCES for name in used_once(path)]
    with capsys.disabled():
        print(f"\nprivate functions with one caller: {len(single)} of {len(every)} ({len(single) / len(every):.1%})")

    assert len(single) <= 0.15 * len(every)


def used_once(path: Path) -> list[str]:
    """Private functions of a file that it names exactly once."""
    named: Counter[str] = Counter()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Name | ast.Attribute):
            named[node.id if isinstance(node, ast.Name) else node.attr] += 1
    private = [each.name for each in functions(path) if each.name.startswith("_") and not each.name.startswith("__")]
    return [name for name in private if named[name] == 1]


def test_tests_use_real_parts() -> None:
    """At most one test in ten replaces something by a mock, and each test says in a sentence what it shows."""
    tests = [test for path in TESTS for test in functions(path) if test.name.startswith("test_")]
    mocks = sum(len(re.findall(r"\bMock\(|\bpatch\(|monkeypatch\.setattr", path.read_text("utf-8"))) for path in TESTS)

    assert [test.name for test in tests if not ast.get_docstring(test)] == []
    assert mocks <= len(tests) / 10


def test_dependencies_are_few_and_locked() -> None:
    """At most 15 run-time dependencies, all in the lock, whose lines name hashes and no place of one machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = {re.split(r"[<>=]", line)[0] for line in project["project"]["dependencies"]}
    for name in ("requirements.lock", "requirements-dev.lock"):
        lock = (ROOT / name).read_text("utf-8")
        locked = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))

        assert wanted <= locked
        assert len(re.findall(r"^\S+==[^\\\n]+\\\n    --hash=sha256:", lock, re.MULTILINE)) == len(locked)
        assert "://" not in lock
        assert "file:" not in lock
    assert len(wanted) <= 15


def test_the_changelog_knows_this_version() -> None:
    """The changelog's newest version is the package's."""
    versions = re.findall(r"^## \[(\d[^]]*)]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)

    assert versions[0] == __version__


def readme_commands() -> list[str]:
    """The lines of the README's shell blocks, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


def test_the_readme_starts_with_what_to_install() -> None:
    """The first command installs the Debian packages, the two commands follow."""
    commands = readme_commands()

    assert commands[0] == "sudo apt install -y git make python3-venv"
    assert {"make demo", "make test"} <= {command.split("  #")[0].rstrip() for command in commands}


def test_the_readmes_make_targets_exist() -> None:
    """Every `make …` that the README names is a target."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(readme_commands())))

    assert named <= targets


def test_the_readmes_commands_exist() -> None:
    """Every `appliance …` that the README names is a command, with the options it shows."""
    lines = [line for line in readme_commands() if re.search(r"(bin/|^|-u appliance )appliance ", line)]

    assert lines
    for line in lines:
        words = re.split(r"(?:^|[/ ])appliance (?=[a-z-])", line.split("  #")[0])[1].split()
        unknown = unknown_words(words)
        assert unknown == [], line


def unknown_words(words: list[str]) -> list[str]:
    """Options and subcommands that the command line does not have."""
    context = click.Context(main)
    command: click.Command = main
    while isinstance(command, click.Group):
        if words and words[0] == "--config":
            words = words[2:]
        found = command.get_command(context, words[0])
        if found is None:
            return words[:1]
        command, words = found, words[1:]
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    return [word for word in words if word.startswith("--") and word not in known]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/decisions.md"])
def test_the_places_that_a_page_names_exist(page: str) -> None:
    """A file or a room, told from the root, from the package, or without its ending."""
    text = (ROOT / page).read_text("utf-8")
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]*(?:\.[a-z]+)?)`", text)) - {"backups/"}
    found = {
        place
        for place in named
        for root in (ROOT, ROOT / "appliance")
        for end in ("", ".py")
        if (root / f"{place}{end}").exists()
    }

    assert named
    assert named - found == set()


def test_the_map_knows_every_state() -> None:
    """The pictures of CONTRIBUTING have all states of the outbox and of a conversation."""
    states = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## States")[2].partition("\n## ")[0]

    assert [state for state in (*OutboxState, *ConversationStatus) if state not in states] == []


@pytest.mark.parametrize("place", ["appliance", "tests", *PLACES])
def test_no_path_of_one_machine(place: str) -> None:
    """Nothing names a directory that only the machine it was written on has."""
    root = ROOT / place
    files = [path for path in ([root] if root.is_file() else root.rglob("*")) if path.is_file() and path.suffix in TEXT]

    assert files
    assert [str(path) for path in files if MACHINE.search(path.read_text("utf-8"))] == []


def test_the_command_line_starts_as_a_module() -> None:
    """`python -m appliance --version` says the version."""
    said = subprocess.run([sys.executable, "-m", "appliance", "--version"], cwd=ROOT, capture_output=True, check=True)

    assert said.stdout.decode().split() == ["appliance", __version__]
