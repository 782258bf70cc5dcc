"""Which way imports run, and which room may touch what.

Read from the source, so that an import inside a function counts like any other.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "molecule_mcp"

ROOMS = (
    "errors", "cleaning", "disk", "redaction", "settings", "capability", "arguments", "tenant", "secrets", "tools",
    "store", "gate", "prepared", "toolsets", "profiles", "road", "offers", "offering", "server", "console",
    "transports", "embedded", "cli", "__main__",
)  # fmt: skip
"""Every room; one imports only from those before it."""

ONLY = {
    "httpcore": {"tenant"},
    "httpx": {"tenant", "cli"},
    "mcp": {"offering", "server", "transports", "cli"},
    "sqlite3": {"store", "embedded"},
    "starlette": {"console", "transports", "embedded", "cli"},
    "uvicorn": {"transports", "embedded", "cli"},
    "keyring": {"secrets"},
}
"""Who may import a library. `cli` starts things, and its demo is a client."""

ENVIRONMENT = {"cli"}
"""Who reads the environment: the composition root, which hands it to `settings`."""

LOADERS = {"tools/__init__.py", "cli/__init__.py", "cli/serve.py", "cli/serving.py", "secrets/references.py"}
"""Modules that import by name while running: a tool's family at its first call, a command's module, what `serve` needs
once the protocol's descriptors are safe or a first call has come, and a keyring where one is installed."""


def test_every_module_keeps_to_its_room() -> None:
    found = [f"{path.relative_to(SOURCE)}: {complaint}" for path in modules() for complaint in complaints(path)]
    assert found == []


def test_every_module_belongs_to_a_room() -> None:
    assert {room(path) for path in modules()} - {"__init__"} <= set(ROOMS)


def modules() -> list[Path]:
    """Every module of the program."""
    return sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    """The room that a module stands in; `__init__` for the package itself."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def complaints(path: Path) -> list[str]:
    """What one module does that its room may not do."""
    return broken(room(path), path.relative_to(SOURCE).as_posix(), path.read_text(encoding="utf-8"))


def broken(where: str, name: str, text: str) -> list[str]:
    """The same for any text, as if it stood in that room."""
    tree = ast.parse(text)
    return [*directions(where, tree), *hidden(tree), *libraries(where, tree), *environment(where, tree),
            *loaders(name, tree)]  # fmt: skip


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of everything that is imported, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def directions(where: str, tree: ast.AST) -> Iterator[str]:
    """Imports run downward; the embedded tenant imports no room at all, and only `cli` imports it."""
    for name in imported(tree):
        if name.startswith("."):
            yield f"imports {name} by a relative name"
        own, _, rest = name.partition(".")
        target = rest.split(".")[0]
        if own != "molecule_mcp" or target in {where, "__version__"}:
            continue
        upward = target not in ROOMS or where not in ROOMS or ROOMS.index(target) > ROOMS.index(where)
        if upward or where == "embedded" or (target == "embedded" and where != "cli"):
            yield f"imports {target}"


def hidden(tree: ast.AST) -> Iterator[str]:
    """No import of our own code stands inside a function."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for name in imported(function):
                if name.startswith(("molecule_mcp", ".")):
                    yield f"{function.name} imports {name} inside"


def libraries(where: str, tree: ast.AST) -> Iterator[str]:
    """A library is imported by its own rooms only."""
    for name in imported(tree):
        library = name.split(".")[0]
        if where not in ONLY.get(library, {where}):
            yield f"imports {library}"


def environment(where: str, tree: ast.AST) -> Iterator[str]:
    """Nothing but the composition root reads the environment."""
    reads = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | set(imported(tree))
    for name in sorted(reads & {"os.environ", "os.environb", "os.getenv", "os.getenvb"}):
        if where not in ENVIRONMENT:
            yield f"reads {name}"


def loaders(name: str, tree: ast.AST) -> Iterator[str]:
    """Nothing but the named loaders imports by name."""
    used = {"importlib.import_module", "importlib"} & set(imported(tree)) or "__import__" in ast.unparse(tree)
    if used and name not in LOADERS:
        yield "imports by name"


@pytest.mark.parametrize(
    ("where", "text", "complaint"),
    [
        ("tools", "from molecule_mcp.gate import policy", "imports gate"),
        ("tools", "import molecule_mcp.store.sqlite", "imports store"),
        ("tools", "from molecule_mcp import road", "imports road"),
        ("gate", "from molecule_mcp.unknown import x", "imports unknown"),
        ("embedded", "from molecule_mcp.errors import MoleculeError", "imports errors"),
        ("server", "from molecule_mcp.embedded import build", "imports embedded"),
        ("gate", "from ..road import calls", "imports ..road.calls by a relative name"),
        ("cli", "def run():\n    from molecule_mcp import road", "run imports molecule_mcp.road inside"),
        ("tools", "import httpx", "imports httpx"),
        ("road", "from mcp.server import MCPServer", "imports mcp"),
        ("gate", "import sqlite3", "imports sqlite3"),
        ("road", "import os\nos.environ['X']", "reads os.environ"),
        ("road", "from os import getenv", "reads os.getenv"),
        ("road", "from importlib import import_module", "imports by name"),
        ("road", "__import__('x')", "imports by name"),
    ],
)
def test_a_module_that_leaves_its_room_is_noticed(where: str, text: str, complaint: str) -> None:
    assert complaint in broken(where, f"{where}/sample.py", text)


def test_a_module_that_keeps_to_its_room_is_left_alone() -> None:
    text = "import httpx\nfrom molecule_mcp import __version__\nfrom molecule_mcp.errors import TenantError\n"
    assert broken("tenant", "tenant/sample.py", text) == []
