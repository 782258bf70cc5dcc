"""Generated calls of every tool: whatever the arguments, a request that leaves matches a route of its own tool.

`python -m tests.attacks.fuzz --calls 100000` says how many calls were made, how many let something out, and what
strayed. Reads are answered by an embedded tenant (each once; nothing changes there), changes with an empty object.
Every question is answered with yes, so that the gate holds nothing back: only the route is at stake.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio
import httpx

from molecule_mcp import embedded
from molecule_mcp.capability import Risk
from molecule_mcp.errors import MoleculeError
from molecule_mcp.gate.answer import FormAnswer, form
from molecule_mcp.prepared import Entry, entries
from molecule_mcp.road.calls import Road
from molecule_mcp.road.traffic import Asked
from tests.road.rig import Clock, Counted, Rig, can_ask
from tests.tenant.test_paths import HOSTILE

HOUR = 3700.0
"""Seconds between two calls, so that no limit of one call's time holds up the next."""

PLAIN = ("x", "a b", "café", "notes/today.md", "env:MOLECULE_SECRET_KEY", "0 9 * * 1-5", "UTC", "gpt", "{}", "1")
OWNED = ("channels", "schedules", "approvals", "workspace_tokens", "memories", "memory", "workspace_secrets",
         "checkpoints")  # fmt: skip
"""Tables whose rows belong to one workspace and are named by a second argument."""


@dataclass
class Tally:
    """What a run saw."""

    calls: int = 0
    left: int = 0
    requests: int = 0
    strays: list[str] = field(default_factory=list[str])
    silent: Counter[str] = field(default_factory=Counter[str])

    def add(self, other: "Tally") -> None:
        """Sum up."""
        self.calls += other.calls
        self.left += other.left
        self.requests += other.requests
        self.strays += other.strays
        self.silent += other.silent


class Still(Counted):
    """Reads come from the tenant, each once; a change is answered with an empty object and done nowhere."""

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self._kept: dict[str, tuple[int, bytes, str]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        line = f"{request.method} {request.url.raw_path.decode()}"
        self.lines.append(line)
        if request.method != "GET":
            return httpx.Response(200, json={})
        if "/events/stream" in line:
            return httpx.Response(200, headers={"content-type": "text/event-stream"})
        if line not in self._kept:
            answer = await self.inner.handle_async_request(request)
            self._kept[line] = answer.status_code, await answer.aread(), answer.headers.get("content-type", "")
        status, body, kind = self._kept[line]
        return httpx.Response(status, content=body, headers={"content-type": kind})


def strays(line: str, routes: Sequence[str]) -> bool:
    """Whether a request is on none of a tool's routes; written anew, so that the program's own check can be wrong."""
    method, target = line.split(" ", 1)
    path = target.partition("?")[0]
    return not any(method == each.split(" ")[0] and follows(path, each.split(" ")[1]) for each in routes)


def follows(path: str, template: str) -> bool:
    """Whether a raw path is one of a template, however often somebody decodes it on its way."""
    segments, wanted = path.split("/"), template.split("/")
    if wanted[-1] == "{path}":
        wanted += ["{path}"] * (len(segments) - len(wanted))
    if len(segments) != len(wanted):
        return False
    return all(
        plain(segment) if part.startswith("{") else segment == part
        for segment, part in zip(segments, wanted, strict=True)
    )


def plain(segment: str) -> bool:
    """Whether a segment stays one: not empty, not dots alone, without a separator, after up to two decodings."""
    once = unquote(segment)
    return all(
        each not in {"", ".", ".."} and not set(each) & set("/\\?#;\r\n\0") for each in (segment, once, unquote(once))
    )


class Generator:
    """Arguments for tools: mostly good ones of the sample organization, often with something wrong."""

    def __init__(self, app: embedded.App, seed: int) -> None:
        self.random = random.Random(seed)
        self._app = app

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the tenant's database."""
        return [tuple(row) for row in self._app.database.execute(sql).fetchall()]

    @cached_property
    def workspaces(self) -> list[str]:
        """Ids of all workspaces."""
        return [row[0] for row in self.rows("SELECT id FROM workspaces WHERE status != 'removed'")]

    @cached_property
    def owned(self) -> list[tuple[str, str]]:
        """A workspace, and the id or key of something in it."""
        named = {"memory": "key", "workspace_secrets": "key", "checkpoints": "workflow_id"}
        return [
            (row[0], row[1])
            for table in OWNED
            for row in self.rows(f"SELECT workspace_id, {named.get(table, 'id')} FROM {table}")
        ]

    @cached_property
    def others(self) -> list[str]:
        """Ids of what no workspace owns."""
        return [row[0] for row in self.rows("SELECT id FROM org_tokens UNION SELECT id FROM instructions")]

    def plan(self) -> dict[str, Any]:
        """Calls of single tools as one plan; all of it may be spoiled, and each call by itself."""
        changing = [entry for entry in entries().values() if entry.ability.risk > Risk.READ and entry.ability.sends]
        chosen = self.random.sample(changing, self.random.randint(1, 2))
        calls = [{"tool": entry.ability.name, "arguments": self.arguments(entry)} for entry in chosen]
        return {"calls": calls} if self.random.random() < 0.9 else self.spoiled({"calls": calls})

    def arguments(self, entry: Entry) -> dict[str, Any]:
        """One set."""
        if not entry.ability.sends:
            return self.plan()
        schema = entry.tool["inputSchema"]
        wanted = set(schema.get("required", ()))
        owner, thing = self.random.choice(self.owned)
        given: dict[str, Any] = {}
        for name, part in schema["properties"].items():
            if name in wanted or self.random.random() < 0.25:
                given[name] = self.good(name, part, owner, thing)
        if "seconds" in schema["properties"]:
            given["seconds"] = 1  # a tool that listens does so in real time
        return self.spoiled(given) if self.random.random() < 0.4 else given

    def good(self, name: str, schema: Mapping[str, Any], owner: str, thing: str) -> Any:
        """A value that a parameter may well take."""
        if "anyOf" in schema:
            return self.good(name, self.random.choice(schema["anyOf"]), owner, thing)
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        if name == "bundle":
            return {"schema": "bundle/v1", "id": "x", "name": "x", "tier": 1, "prompts": {"system-prompt.md": "x"}}
        if name in {"workspace_id", "workspace"}:
            return owner
        kind = schema.get("type")
        if kind == "integer":
            return self.random.randint(schema.get("minimum", 0), min(schema.get("maximum", 100), 1000))
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind == "array":
            return [self.good(name, schema.get("items", {}), owner, thing) for _ in range(self.random.randint(0, 3))]
        if kind == "object":
            named: Mapping[str, Any] = {"bot_token": {}} if name.endswith("_from") else {"note": {}}
            inside = schema.get("properties", named)
            return {
                key: self.good(name if inside is named else key, part, owner, thing) for key, part in inside.items()
            }
        if kind == "number":
            return self.random.random() * 10
        return self.text(name, schema, thing)

    def text(self, name: str, schema: Mapping[str, Any], thing: str) -> str:
        """A text that a parameter may well take."""
        if name.endswith("_from"):
            return "env:MOLECULE_SECRET_KEY"
        if "/configs" in schema.get("description", ""):
            return "/configs/config.yaml"
        if name == "key":
            return self.random.choice([thing, "OPENAI_API_KEY"])
        if "cron" in name:
            return "0 9 * * 1-5"
        if "zone" in name:
            return "UTC"
        if schema.get("format") == "uuid" or name.endswith("_id"):
            return self.random.choice(
                [thing, thing, thing, *self.random.choices(self.workspaces, k=2), self.random.choice(self.others)]
            )
        return self.random.choice([thing, *PLAIN])

    def spoiled(self, given: dict[str, Any]) -> dict[str, Any]:
        """The same with one thing wrong, or a hostile value somewhere."""
        if not given or self.random.random() < 0.1:
            return {**given, self.random.choice(["confirm", "path", "../x", "url", "method"]): "true"}
        name = self.random.choice(list(given))
        match self.random.randint(0, 5):
            case 0:
                del given[name]
            case 1:
                given[name] = self.random.choice([None, 7, -1, 1.5, True, [], {}, ["x"], {"id": "x"}])
            case _:
                bad = self.random.choice(HOSTILE)
                good = str(given[name])
                given[name] = self.random.choice([bad, good + bad, bad + good, good[:8] + bad + good[8:]])
        return given


async def called(road: Road, tool: str, given: Mapping[str, Any]) -> None:
    """One call to its end; every question gets its yes."""
    try:
        outcome = await road.call(can_ask(), tool, given)
        if isinstance(outcome, Asked):
            question = outcome.plan.question
            [name] = form(question)["required"]
            yes: Any = {"allow": True, "phrase": question.phrase}.get(name, question.answers[0])
            await road.call(can_ask(), tool, given, FormAnswer(outcome.plan.id, "accept", {name: yes}))
    except MoleculeError:
        return  # refused, or failed at a tenant that does nothing: what left is what counts


async def fuzzed(count: int, seed: int, only: Sequence[str] | None = None) -> Tally:
    """Make so many calls, over all tools in turn."""
    app = embedded.build(embedded.Options(agents=False, rate_limit=None))
    transport, clock = Still(app), Clock()
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder), app, transport, clock)
        road, generator, tally = rig.road(), Generator(app, seed), Tally()
        tools = [entries()[name] for name in only or entries()]
        for number in range(count):
            entry = tools[number % len(tools)]
            transport.lines.clear()
            clock.now += HOUR
            given = generator.arguments(entry)
            await called(road, entry.ability.name, given)
            tally.calls += 1
            tally.left += bool(transport.lines)
            tally.requests += len(transport.lines)
            tally.silent[entry.ability.name] += not transport.lines
            tally.strays += [
                f"{entry.ability.name} {given} -> {line}"
                for line in transport.lines
                if strays(line, routes(entry, given))
            ]
        app.close()
    return tally


def routes(entry: Entry, given: Mapping[str, Any]) -> list[str]:
    """Where a call may go: the routes of its own tool, or of the tools that a plan names."""
    calls: Any = given.get("calls") if not entry.ability.sends else None
    if not isinstance(calls, list):
        return sorted(entry.ability.sends)
    named: list[str] = [call["tool"] for call in calls if isinstance(call, dict) and "tool" in call]  # pyright: ignore
    return sorted({route for name in named if name in entries() for route in entries()[name].ability.sends})


def shard(count: int, seed: int) -> Tally:
    """One process's part."""
    return anyio.run(fuzzed, count, seed)


def parts(calls: int, processes: int, seed: int) -> Iterator[tuple[int, int]]:
    """How many calls each process makes, and its seed."""
    for number in range(processes):
        yield calls // processes + (number < calls % processes), seed + number


def main() -> int:
    """Run, and say what was seen. Exit code 1 when anything strayed, or too little left."""
    parser = argparse.ArgumentParser(description="Generated calls of every tool; what leaves must be on its routes.")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    total = Tally()
    with ProcessPoolExecutor(asked.processes) as pool:
        for part in pool.map(shard, *zip(*parts(asked.calls, asked.processes, asked.seed), strict=True)):
            total.add(part)
    share = total.left / total.calls
    print(
        f"{total.calls} calls of {len(entries())} tools, {total.left} ({share:.0%}) let {total.requests} requests out"
    )
    print(f"{len(total.strays)} requests off the routes of their tool")
    print("\n".join(total.strays[:20]))
    return 0 if not total.strays and share >= 0.3 else 1


if __name__ == "__main__":
    sys.exit(main())
