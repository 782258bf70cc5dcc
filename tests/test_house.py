"""The house is in order: what is pinned fits the project, no file tells where it was made, tests are honest."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from molecule_mcp import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
LOCKS = {
    "requirements.lock": [*PROJECT["project"]["dependencies"], *GROUPS["build"]],
    "requirements-dev.lock": [*PROJECT["project"]["dependencies"], *GROUPS["build"], *GROUPS["dev"]],
}
"""Each lock, and what it must pin."""

PIN = re.compile(r"(?P<name>[a-z0-9-]+)(\[[a-z,]+\])?==(?P<version>[^ ]+)( ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")

# A letter in brackets keeps a pattern from finding itself.
OF_A_MACHINE = re.compile(
    r"/hom[e]/[a-z]\w+/|/User[s]/[A-Za-z]|/roo[t]/[.\w]|/wor[k]/(main|shared|[.])"
    r"|py[p]i\.org|python[h]osted|npm[j]s\.|proxy\.golan[g]|index-ur[l][ =]h"
)
"""A home folder, a checkout, or the host of a package index."""


def test_the_locks_pin_what_the_project_asks_for() -> None:
    for name, wanted in LOCKS.items():
        assert drift(wanted, (ROOT / name).read_text(encoding="utf-8")) == [], f"{name}: run `make lock`"


def test_a_package_that_says_it_is_typed_says_so_to_type_checkers() -> None:
    assert "Typing :: Typed" in PROJECT["project"]["classifiers"]
    assert (ROOT / "src" / "molecule_mcp" / "py.typed").is_file()


def test_the_version_is_the_newest_release_of_the_changelog() -> None:
    released = re.findall(r"^## \[([0-9.]+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[:1] == [__version__]


def test_both_locks_pin_the_same_versions() -> None:
    program, tests = (pins((ROOT / name).read_text(encoding="utf-8")) for name in LOCKS)
    assert program.items() <= tests.items()


def pins(lock: str) -> dict[str, Version]:
    """Pinned versions by name."""
    return {found["name"]: Version(found["version"]) for found in PIN.finditer(lock)}


def drift(wanted: list[str], lock: str) -> list[str]:
    """Where a lock does not fit the requirements it was made from, or is no safe one."""
    pinned = pins(lock)
    asked = {canonicalize_name(each.name): each for each in map(Requirement, wanted)}
    # The tool notes below each pin who asked for it.
    noted = set[str]()
    for part in re.split(r"\n(?=[a-z])", lock):
        if "(pyproject.toml" in part:
            noted |= pins(part).keys()
    return [
        *(f"{name} is not pinned" for name in asked if name not in pinned),
        *(
            f"{name} {pinned[name]} is not {each.specifier}"
            for name, each in asked.items()
            if name in pinned and pinned[name] not in each.specifier
        ),
        *(f"{name} is asked for no more" for name in sorted(noted - asked.keys())),
        *(f"not a pin with a hash: {line}" for line in lock.splitlines() if not allowed(line)),
    ]


def allowed(line: str) -> bool:
    """Whether a line of a lock is a pin, a hash or a note without an address."""
    if "://" in line:
        return False
    return not line or line.lstrip().startswith("#") or bool(PIN.fullmatch(line) or HASH.fullmatch(line))


PINNED = f"mcp==2.3.0 \\\n    --hash=sha256:{'0' * 64}\n    # via molecule-mcp (pyproject.toml)\n"


@pytest.mark.parametrize(
    ("wanted", "lock", "complaint"),
    [
        (["mcp", "httpx"], PINNED, "httpx is not pinned"),
        (["mcp>=2.4"], PINNED, "mcp 2.3.0 is not >=2.4"),
        ([], PINNED, "mcp is asked for no more"),
        (["mcp"], PINNED.replace("    --hash", "--hash"), f"not a pin with a hash: --hash=sha256:{'0' * 64}"),
        (["mcp"], PINNED + "other\n", "not a pin with a hash: other"),
        (["mcp"], PINNED + "# from x://y\n", "not a pin with a hash: # from x://y"),
    ],
)
def test_a_lock_that_does_not_fit_is_noticed(wanted: list[str], lock: str, complaint: str) -> None:
    assert complaint in drift(wanted, lock)


def test_no_file_tells_on_which_machine_it_was_made() -> None:
    found = [f"{path}: {told}" for path in files() for told in machine(text_of(path))]
    assert found == []


def files() -> list[Path]:
    """Every file that is, or is about to be, in git."""
    # A checkout may belong to another user than the one who tests it.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """A file's text; bytes that are none are left out."""
    return path.read_text(encoding="utf-8", errors="ignore")


def machine(text: str) -> list[str]:
    """Every place in a text that belongs to one machine."""
    return [found[0] for found in OF_A_MACHINE.finditer(text)]


@pytest.mark.parametrize(
    "told", ["/".join(("", "home", "ada", "x")), "/".join(("", "Users", "ada")), ".".join(("pypi", "org"))]
)
def test_a_place_that_belongs_to_one_machine_is_noticed(told: str) -> None:
    assert machine(f"see {told}.")


def test_tests_neither_sleep_nor_fake_nor_leave_lines_out() -> None:
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    found = [f"{path.relative_to(ROOT)}: {each}" for path in sources for each in dishonest(path.parts, text_of(path))]
    assert found == []


def dishonest(parts: tuple[str, ...], text: str) -> Iterator[str]:
    """What makes a test slow, hollow or blind."""
    if re.search("pragma: no[ ]cover", text):
        yield "leaves lines out of coverage"
    if "tests" not in parts:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {getattr(node, "module", None), *(alias.name for alias in node.names)}
            if names & {"unittest.mock", "mock", "pytest_mock"} or ({"unittest", "mock"} <= names):
                yield "fakes with a mock"
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "sleep" and node.args:
            seconds = node.args[0]
            if isinstance(seconds, ast.Constant) and seconds.value != 0:
                yield f"sleeps {seconds.value} s"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1  # pragma: no " + "cover", "leaves lines out of coverage"),
        ("from unittest import mock", "fakes with a mock"),
        ("from unittest.mock import Mock", "fakes with a mock"),
        ("import unittest.mock", "fakes with a mock"),
        ("import time\ntime.sleep(0.1)", "sleeps 0.1 s"),
        ("async def f():\n    await asyncio.sleep(1)", "sleeps 1 s"),
    ],
)
def test_a_dishonest_test_is_noticed(text: str, complaint: str) -> None:
    assert list(dishonest(("tests", "test_x.py"), text)) == [complaint]


def test_letting_other_tasks_run_is_no_sleep() -> None:
    assert list(dishonest(("tests", "test_x.py"), "async def f():\n    await asyncio.sleep(0)")) == []
