"""Write what is generated from the families; `make generate` runs it.

catalogue.json, omitted.json, names.txt, tool_schemas/, docs/tools.md, docs/roles.md, docs/coverage.md.
"""

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from molecule_mcp.cli import coverage, matrix
from molecule_mcp.tools import catalogue
from molecule_mcp.tools.describe import described

ROOT = Path(__file__).resolve().parents[3]

FRAME = (
    "advice", "answer", "details", "expires_in_s", "failed", "items", "message", "request", "requests", "seconds",
    "settled", "tenant", "tries_left", "verdict",
)  # fmt: skip
"""Fields of answers that no model has."""


def generated() -> dict[Path, str]:
    """Every generated file by its path under the project, with its text."""
    rows = [described(capability) for capability in catalogue().values()]
    files = {Path("src/molecule_mcp/catalogue.json"): json.dumps(rows, separators=(",", ":"), ensure_ascii=True) + "\n"}
    left = {name: each["omitted"] for name, each in coverage.stated(ROOT).items() if "omitted" in each}
    files[Path("src/molecule_mcp/omitted.json")] = json.dumps(left, indent=1, ensure_ascii=True) + "\n"
    files[Path("src/molecule_mcp/names.txt")] = "\n".join(sorted({*FRAME, *fields(BaseModel)})) + "\n"
    for row in rows:
        files[Path(f"tool_schemas/{row['tool']['name']}.json")] = json.dumps(row, indent=2, ensure_ascii=True) + "\n"
    files[Path("docs/tools.md")] = page(rows)
    files[Path("docs/roles.md")] = matrix.page(catalogue().values())
    files[Path("docs/coverage.md")] = coverage.page(catalogue().values(), coverage.stated(ROOT))
    return files


def fields(model: type[BaseModel]) -> Iterator[str]:
    """The names of all fields that our models below this one read or tell."""
    for each in model.__subclasses__():
        if each.__module__.startswith("molecule_mcp.tools."):
            yield from (own.alias or name for name, own in each.model_fields.items())
        yield from fields(each)


def page(rows: list[dict[str, Any]]) -> str:
    """The reference of all tools, by toolset, with a list of contents."""
    families: dict[str, list[dict[str, Any]]] = {each: [] for each in sorted({row["family"] for row in rows})}
    for row in rows:
        families[row["family"]].append(row)
    lines = ["# Tools", "", "Generated from the families by `make generate`. Each family is a toolset.", ""]
    for family, own in families.items():
        tools = ", ".join(f"[{row['tool']['name']}](#{row['tool']['name']})" for row in own)
        lines.append(f"- [{family}](#{family}): {tools}")
    lines.append("")
    for family, own in families.items():
        lines += [f"## {family}", "", *(line for row in own for line in section(row))]
    return "\n".join(lines).rstrip() + "\n"


def raising(row: dict[str, Any]) -> list[str]:
    """What raises a tool's risk: an argument, one value of it, or a live fact."""
    found: list[str] = []
    for name, risk in (*row["raised_by"].items(), *row["raised_by_fact"].items()):
        if isinstance(risk, dict):
            found += [f"{each} when `{name}` is `{value}`" for value, each in cast("dict[str, str]", risk).items()]
        else:
            found.append(f"{risk} when `{name}`")
    return found


def need(name: str, schema: dict[str, Any], required: list[str]) -> str:
    """Whether an argument has to be given, and what counts otherwise where the tool says so."""
    if name in required:
        return "required"
    return f"default `{json.dumps(schema['default'])}`" if "default" in schema else "optional"


def section(row: dict[str, Any]) -> list[str]:
    """One tool."""
    tool, raised = row["tool"], raising(row)
    lines = [f"### {tool['name']}", "", tool["description"], ""]
    lines += [f"Risk: **{row['risk']}**" + (f"; {', '.join(raised)}" if raised else "") + ".", ""]
    sends = ", ".join(f"`{route}`" for route in row["sends"]) or "what the tools that it calls send"
    lines += [f"Sends: {sends}", ""]
    wanted = tool["inputSchema"].get("required", [])
    for name, schema in tool["inputSchema"]["properties"].items():
        lines.append(f"- `{name}` ({need(name, schema, wanted)}): {schema.get('description', '')}")
    return [*lines, ""] if tool["inputSchema"]["properties"] else lines


def run(_arguments: Namespace | None = None) -> int:
    """Write every generated file, and remove schemas of tools that are gone."""
    files = generated()
    for stale in (ROOT / "tool_schemas").glob("*.json"):
        if stale.relative_to(ROOT) not in files:
            stale.unlink()
    for path, text in files.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)
    return 0


if __name__ == "__main__":
    run()
