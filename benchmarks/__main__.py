"""Run every timing once, print it beside its goal, and write docs/benchmarks.md. Exit code 1 when a goal is missed."""

import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from benchmarks import calls, inside, start, store
from benchmarks.canned import ID

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Figure:
    """One ratio: ours to the yardstick. `least` turns it round: more is better."""

    name: str
    unit: str
    ours: float
    yardstick: float
    goal: float
    least: bool = False

    @property
    def ratio(self) -> float:
        """Ours to the yardstick's."""
        return self.ours / self.yardstick

    @property
    def good(self) -> bool:
        """Whether it is within its goal."""
        return self.ratio >= self.goal if self.least else self.ratio <= self.goal

    def row(self) -> str:
        """One line of the table."""
        sign = ">=" if self.least else "<="
        figures = f"{self.ours:.2f} {self.unit} | {self.yardstick:.2f} {self.unit} | {self.ratio:.2f}"
        return f"| {self.name} | {figures} | {sign} {self.goal:.2f} | {'ok' if self.good else 'MISSED'} |"


def listed(door: calls.Door, rows: int, goal: float) -> Figure:
    """A page of 50 out of so many rows."""
    ours, bare = anyio.run(calls.measure, door, "list_workspaces", {"limit": 50}, rows, 7)
    return Figure(f"page of 50 out of {rows}, {door}", "ms", ours, bare, goal)


def single(door: calls.Door, goal: float) -> Figure:
    """One workspace."""
    given: dict[str, Any] = {"workspace": ID}
    return Figure(f"get_workspace, {door}", "ms", *anyio.run(calls.measure, door, "get_workspace", given, 1, 9), goal)


def started() -> list[Figure]:
    """Time and memory of a start."""
    ours, bare = start.measure(15)
    return [
        Figure("start to tools/list", "ms", ours[0], bare[0], 1.10),
        Figure("resident memory after it", "MiB", ours[1], bare[1], 1.30),
    ]


def figures() -> list[Figure]:
    """Everything, one after the other."""
    return [
        *started(),
        single("stdio", 1.05),
        listed("stdio", 100, 0.6),
        listed("stdio", 500, 0.3),
        single("http", 1.1),
        listed("http", 100, 0.6),
        listed("http", 500, 0.3),
        Figure("32 in flight", "calls/s", *anyio.run(calls.together, 32, 5), 0.85, least=True),
        Figure("embedded tenant to loopback", "ms", *anyio.run(inside.measure, 5), 0.3),
        Figure("claim + intent p95 to 1.5 ms", "ms", store.measure(1000), 1.5, 1.0),
    ]


def page(found: list[Figure]) -> str:
    """docs/benchmarks.md."""
    size = {each.name: each.ratio for each in found}
    curve = ", ".join(f"{size[name]:.2f}" for name in size if name.endswith(", stdio"))
    over = ", ".join(f"{size[name]:.2f}" for name in size if name.endswith(", http"))
    machine = f"Python {platform.python_version()}, {platform.machine()}"
    return (
        "# Benchmarks\n\n"
        f"Written by `make bench` ({machine}). Each ratio was taken within one run, against a server on the bare SDK\n"
        "that does the same request and returns the dict (or what the row names); medians of blocks, protocol\n"
        "2026-07-28.\n\n"
        "| what | ours | yardstick | ratio | goal | |\n|---|---|---|---|---|---|\n"
        + "\n".join(each.row() for each in found)
        + "\n\nOurs to the bare SDK by size of the tenant's answer; the first line is stdio, the second HTTP:\n\n"
        "```mermaid\nxychart-beta\n"
        '    x-axis ["1 row", "50 of 100", "50 of 500"]\n    y-axis "ratio" 0 --> 1.2\n'
        f"    line [{curve}]\n    line [{over}]\n```\n"
    )


def main() -> int:
    """Measure, print, write."""
    found = figures()
    print("\n".join(each.row() for each in found))
    PAGE.write_text(page(found))
    return 0 if all(each.good for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
