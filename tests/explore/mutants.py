"""Faults sown into a copy of the program, each of which the search must find: a check that finds none is worth nothing.

`python -m tests.explore.mutants` searches every mutant, prints the way to its violation, and fails for one that lives;
`--machine` plays random histories over the SQLite store instead.
Rules that stand twice (in the gate and in the store) are taken out in both places.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DECIDING, RUNNING, SENDING = (f"src/molecule_mcp/road/{each}.py" for each in ("deciding", "running", "sending"))
ANSWER, GRANTS, PLAN = (f"src/molecule_mcp/gate/{each}.py" for each in ("answer", "grants", "plan"))
SQLITE, MEMORY = "src/molecule_mcp/store/sqlite.py", "tests/explore/memory.py"

Edit = tuple[str, str, str]
"""File, text, what stands there instead."""


@dataclass(frozen=True)
class Mutant:
    """One fault."""

    name: str
    edits: tuple[Edit, ...]


NO_EXPIRY: tuple[Edit, ...] = (
    (DECIDING, 'stored.state != "open" or stored.plan.expires <= now', 'stored.state != "open"'),
    (SQLITE, "binding = ? AND expires > ? AND state", "binding = ? AND ? > 0 AND state"),
    (SQLITE, "AND json_extract(plan, '$.expires') > ?\"", 'AND ? > 0"'),
    (SQLITE, "state = 'open' AND expires > ?\", (plan_id", "state = 'open' AND ? > 0\", (plan_id"),
    (MEMORY, "plan.binding == binding and plan.expires > now", "plan.binding == binding"),
    (MEMORY, '!= "open" or self.data.plans[plan_id].expires <= grant.at', '!= "open"'),
    (MEMORY, '!= "granted" or plan.expires <= intent.at', '!= "granted"'),
)

REPEATED: tuple[Edit, ...] = (
    (
        "src/molecule_mcp/store/calls.py",
        "return _found(sql, _BY_BINDING, flat(call))",
        "return None",
    ),
    (MEMORY, "if one.binding == call.binding and", "if False and"),
)
"""A repeated call is made again; by itself it then needs another yes."""

MUTANTS = (
    Mutant("an expired yes is good", NO_EXPIRY),
    Mutant(
        "a claim may be had twice",
        (
            *REPEATED,
            (SQLITE, "AND position = ? AND state = 'pending'", "AND position = ? AND state != 'never'"),
            (SQLITE, "unused = self._unused(sql, row[0], intent.index)", "unused = True"),
            (MEMORY, ' and self.data.steps[place] == "pending"', ""),
        ),
    ),
    Mutant(
        "another's answer counts",
        (
            (PLAN, "canonical([principal, profile", "canonical([profile"),
            (SQLITE, " AND principal = ? AND profile", " AND ? != '' AND profile"),
            (MEMORY, "(plan.principal, plan.profile, plan.origin)", "(intent.principal, plan.profile, plan.origin)"),
        ),
    ),
    Mutant(
        "an answer counts for other arguments",
        (
            (PLAN, "origin, tool, dict(arguments)])", "origin])"),
            (RUNNING, "if not await decision.unchanged(plan):", "if False:"),
        ),
    ),
    Mutant("nothing is read again after the yes", ((RUNNING, "if not await decision.unchanged(plan):", "if False:"),)),
    Mutant(
        "nothing is read again between two items",
        ((RUNNING, "if position and not await asking.still(step):", "if False:"),),
    ),
    Mutant("an empty form is a yes", ((ANSWER, "yes = value is True if", "yes = value is not False if"),)),
    Mutant("any phrase is a yes", ((ANSWER, "else value == question.phrase", "else isinstance(value, str)"),)),
    Mutant(
        "a no is a yes",
        (
            (
                ANSWER,
                '    if answer.action != "accept":\n',
                '    if answer.action == "decline":\n        return "allow", ""\n    if answer.action != "accept":\n',
            ),
        ),
    ),
    Mutant(
        "a signature is not checked",
        (
            (
                GRANTS,
                "        key.verify(bytes.fromhex(grant.signature), message(plan.digest, grant.answer, grant.at))\n",
                "        bytes.fromhex(grant.signature)\n",
            ),
        ),
    ),
    Mutant(
        "a row that says yes is one",
        (
            (DECIDING, 'grant is None or grant.kind != "human"', "grant is None"),
            (GRANTS, 'if grant.kind != "human" or', "if"),
            (
                GRANTS,
                "        key.verify(bytes.fromhex(grant.signature), message(plan.digest, grant.answer, grant.at))\n",
                "        bytes.fromhex(grant.signature)\n",
            ),
        ),
    ),
    Mutant(
        "nothing is written before a send",
        ((SENDING, "if not await anyio.to_thread.run_sync(self.context.store().claim, intent):", "if False:"),),
    ),
    Mutant(
        "how a send ended is not written",
        (
            (
                SENDING,
                "        if self.intent is None:\n            return\n        status",
                "        return\n        status",
            ),
        ),
    ),
    Mutant(
        "an answer counts again",
        (
            *REPEATED,
            (DECIDING, 'stored.state != "open" or stored.plan.expires <= now', "stored.plan.expires <= now"),
            (
                SQLITE,
                "WHERE id = ? AND state = 'open' AND expires > ?\", (plan_id",
                "WHERE id = ? AND state != 'never' AND expires > ?\", (plan_id",
            ),
            (SQLITE, "AND position = ? AND state = 'pending'", "AND position = ? AND state != 'never'"),
            (SQLITE, "unused = self._unused(sql, row[0], intent.index)", "unused = True"),
            (MEMORY, 'self.data.states.get(plan_id) != "open" or self.data.plans', "self.data.plans"),
            (MEMORY, ' and self.data.steps[place] == "pending"', ""),
            (RUNNING, "if not await decision.unchanged(plan):", "if False:"),
        ),
    ),
    Mutant(
        "a lost answer is called not sent",
        (("src/molecule_mcp/tenant/attempts.py", 'return "unknown" if', "return False if"),),
    ),
)


def planted(mutant: Mutant, into: Path) -> None:
    """Copy the program and its tests, and sow the fault.

    Raises: ValueError when the text is not there exactly once, since the program has changed.
    """
    for each in ("src", "tests"):
        shutil.copytree(ROOT / each, into / each, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in mutant.edits:
        path = into / name
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{mutant.name}: {old!r} stands {text.count(old)} times in {name}")
        path.write_text(text.replace(old, new), encoding="utf-8")


SEARCH = ("tests.explore.search", "--processes", "1", "--depth", "4")
MACHINE = ("tests.explore.machine", "--examples", "400")


def searched(mutant: Mutant, way: tuple[str, ...] = SEARCH) -> bool:
    """Search a copy with the fault in it. Returns whether a violation was seen."""
    with tempfile.TemporaryDirectory() as folder:
        planted(mutant, Path(folder))
        paths = os.pathsep.join([f"{folder}/src", folder])
        environ = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", *way]
        run = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    said = run.stdout + run.stderr
    lines = [line.strip() for line in said.splitlines() if re.match(r"\s*(P\d|after |then |.*Violation: )", line)]
    print("\n".join(f"    {line[:160]}" for line in lines[:3]))
    return run.returncode == 1 and bool(lines)


def main() -> int:
    """Search all, and say which live. Exit code 1 when any does."""
    parser = argparse.ArgumentParser(description="Every sown fault must be found by the search.")
    parser.add_argument("--machine", action="store_true", help="play random histories instead")
    way = MACHINE if parser.parse_args().machine else SEARCH
    living: list[str] = []
    for mutant in MUTANTS:
        found = searched(mutant, way)
        print(f"{'found' if found else 'LIVES'}: {mutant.name}", flush=True)
        living += [] if found else [mutant.name]
    print(f"{len(MUTANTS) - len(living)} of {len(MUTANTS)} sown faults found")
    return 1 if living else 0


if __name__ == "__main__":
    sys.exit(main())
