"""Bytes of the tool list, which every model that uses the server reads: kept in sizes.json, so that growth is meant.

`python -m benchmarks.sizes` shows what grew and fails when it is too much; `--write` keeps the sizes of today.
Bytes are of compact JSON, as tools/list sends it.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from molecule_mcp.prepared import entries
from molecule_mcp.toolsets import DEFAULT

KEPT = Path(__file__).with_name("sizes.json")
MOST = {"all": 115_000, "all without output schemas": 78_000, "default": 28_000}
"""What the lists may take at most, whatever was kept."""

GROWTH = 1.05
"""How much a list may grow before somebody has to keep its new size."""

Sizes = Mapping[str, int]


def weight(value: Any) -> int:
    """Bytes of a value as compact JSON."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def measured() -> dict[str, dict[str, int]]:
    """The sizes of today: `lists`, by the names of `MOST`, and `tools`, each alone and the largest first."""
    tools = [entry.tool for entry in entries().values()]
    bare = [{name: part for name, part in tool.items() if name != "outputSchema"} for tool in tools]
    short = [tool for tool in tools if tool["name"] in DEFAULT]
    lists = dict(zip(MOST, map(weight, (tools, bare, short)), strict=True))
    each = sorted(((tool["name"], weight(tool)) for tool in tools), key=lambda one: (-one[1], one[0]))
    return {"lists": lists, "tools": dict(each)}


def kept() -> dict[str, dict[str, int]]:
    """The sizes as they were kept."""
    return json.loads(KEPT.read_text())


def complaints(now: Sizes, before: Sizes) -> list[str]:
    """What is wrong with the sizes of the lists, by the names of `MOST`."""
    found = [f"{name}: {now[name]} bytes, at most {most} are good" for name, most in MOST.items() if now[name] > most]
    return found + [
        f"{name}: {now[name]} bytes, more than 5 % above the {before[name]} of benchmarks/sizes.json"
        for name in MOST
        if now[name] > before[name] * GROWTH
    ]


def main(arguments: list[str]) -> int:
    """Compare or, with `--write`, keep; exit code 1 when a list is too large."""
    now = measured()
    if arguments == ["--write"]:
        KEPT.write_text(json.dumps(now, indent=2) + "\n")
    before = kept()
    for name, size in now["tools"].items():
        if size != (former := before["tools"].get(name, 0)):
            print(f"{name}: {size} ({size - former:+d})")
    for name, most in MOST.items():
        print(f"{name}: {now['lists'][name]} bytes (kept {before['lists'][name]}, at most {most})")
    wrong = complaints(now["lists"], before["lists"])
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
