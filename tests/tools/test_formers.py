"""What is overwritten unasked is not lost: not when it holds what an answer leaves out, nor when the answer fails."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.road.rig import Rig, refused

from molecule_mcp.embedded.sample import sample_id
from molecule_mcp.errors import ArgumentError, MoleculeError, TenantUnreachable
from molecule_mcp.redaction import Redactor
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.secrets import Outputs
from molecule_mcp.tools import formers

SECRET = "sesame-0123456789"
PRECIOUS = f"PRECIOUS token=\u200bX {SECRET} \u202e"
"""A text that an answer cleans and masks."""
TONE = sample_id("instructions", "Tone")


def memory(rig: Rig) -> dict[str, Any]:
    """An entry that is about to be overwritten for a second."""
    rig.app.database.execute("UPDATE memory SET value = ? WHERE key = 'cursor'", (json.dumps(PRECIOUS),))
    return {"workspace_id": rig.named("Ticket Triage"), "key": "cursor", "value": "x", "ttl_seconds": 1}


def instruction(rig: Rig) -> dict[str, Any]:
    """An instruction that is about to be rewritten."""
    rig.app.database.execute("UPDATE instructions SET content = ? WHERE id = ?", (PRECIOUS, TONE))
    return {"instruction_id": TONE, "content": "x", "priority": 3}


def config(rig: Rig) -> dict[str, Any]:
    """A key of a stored config that is about to be overwritten."""
    bench = rig.named("Benchmark Runner")
    rig.app.database.execute("UPDATE configs SET data = ? WHERE workspace_id = ?", (json.dumps({"a": PRECIOUS}), bench))
    return {"workspace_id": bench, "changes": {"a": 1}}


def schedule(rig: Rig) -> dict[str, Any]:
    """A schedule's prompt that is about to be overwritten."""
    row = rig.app.database.execute("SELECT id, workspace_id FROM schedules").fetchone()
    rig.app.database.execute("UPDATE schedules SET prompt = ?, name = 'old' WHERE id = ?", (PRECIOUS, row[0]))
    return {"workspace_id": row[1], "schedule_id": row[0], "prompt": "x", "name": "new"}


KEPT: list[tuple[str, Callable[[Rig], dict[str, Any]], str]] = [
    ("set_memory_entry", memory, "cursor"),
    ("update_instruction", instruction, "content"),
    ("patch_config", config, "a"),
    ("update_schedule", schedule, "prompt"),
]
"""Tools that overwrite a text, what they are given, and the text's name."""

SHORT: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("set_model", "Benchmark Runner", {"model": "x:y"}, {"before": "anthropic:claude-sonnet-4"}),
    ("set_budget", "Marketing Lead", {"limit_cents": 4000}, {"before_cents": 10000}),
    ("update_workspace", "SEO Analyst", {"name": "Other"}, {"before": {"name": "SEO Analyst"}}),
]
"""Tools that overwrite a short value: whose, with what, and what their errors tell of it."""


def lose(rig: Rig, how: str) -> None:
    """From the change on nothing can be read, or the answer to the change itself is lost."""
    changed: list[bool] = []

    async def step_in(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET":
            changed.append(True)
            if how == "answer":
                await rig.transport.inner.handle_async_request(request)
                raise httpx.ReadError("lost")
            return None
        return httpx.Response(502, text="bad gateway") if changed else None

    rig.transport.before = step_in


async def call(rig: Rig, tool: str, given: dict[str, Any]) -> dict[str, Any]:
    """Call as somebody who cannot be asked, while the process knows a secret."""
    road = rig.road()
    road.context.secrets.resolve("env:MOLECULE_SECRET_KEY")
    outcome = await road.call(Caller(), tool, given)
    assert isinstance(outcome, Done)
    return outcome.structured["items"][0]


def kept(path: str) -> Any:
    """The JSON in a file."""
    return json.loads(Path(path).read_bytes())


def files(rig: Rig) -> list[Path]:
    """Everything in the outputs folder."""
    folder = rig.folder / "outputs"
    return sorted(folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize(("tool", "given", "name"), KEPT)
async def test_a_text_is_kept_exactly_while_the_answer_masks_and_cleans_it(
    rig: Rig, tool: str, given: Callable[[Rig], dict[str, Any]], name: str
) -> None:
    told = await call(rig, tool, given(rig))
    assert SECRET not in str(told)
    assert "\u200b" not in str(told)
    assert files(rig) == [Path(told["former_file"])]
    assert json.loads(files(rig)[0].read_bytes()) == {name: PRECIOUS}
    assert files(rig)[0].stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("how", ["read-back", "answer"])
@pytest.mark.parametrize(("tool", "given", "name"), KEPT)
async def test_an_error_after_the_send_names_the_file_that_holds_the_text(
    rig: Rig, tool: str, given: Callable[[Rig], dict[str, Any]], name: str, how: str
) -> None:
    arguments = given(rig)
    lose(rig, how)
    error = await refused(call(rig, tool, arguments))
    assert error.sent == (True if how == "read-back" else "unknown")
    assert files(rig) == [Path(error.told()["former_file"])]
    assert json.loads(files(rig)[0].read_bytes()) == {name: PRECIOUS}
    assert "PRECIOUS" not in str(error.told())


@pytest.mark.parametrize("how", ["read-back", "answer"])
async def test_an_error_after_a_file_was_written_names_the_copy_of_the_old_one(rig: Rig, how: str) -> None:
    for tool, more in (
        ("write_file", {"path": "voice.md", "content": "x"}),
        ("replace_files", {"files": {"voice.md": "y"}}),
    ):
        rig.transport.before = None
        lose(rig, how)
        error = await refused(call(rig, tool, {"workspace_id": rig.named("Copywriter"), **more}))
        assert Path(error.told()["former"]["voice.md"]) in files(rig)


@pytest.mark.parametrize("how", ["read-back", "answer"])
@pytest.mark.parametrize(("tool", "whose", "given", "former"), SHORT)
async def test_an_error_after_the_send_tells_a_short_former_value(
    rig: Rig, tool: str, whose: str, given: dict[str, Any], former: dict[str, Any], how: str
) -> None:
    workspace = rig.named(whose)
    lose(rig, how)
    error = await refused(call(rig, tool, {"workspace_id": workspace, **given}))
    assert error.sent == (True if how == "read-back" else "unknown")
    assert former.items() <= error.told().items()


@pytest.mark.parametrize(
    ("tool", "given", "former"),
    [("update_instruction", instruction, {"priority": 20}), ("update_schedule", schedule, {"name": "old"})],
)
async def test_short_values_beside_a_text_are_told_with_the_file(
    rig: Rig, tool: str, given: Callable[[Rig], dict[str, Any]], former: dict[str, Any]
) -> None:
    arguments = given(rig)
    lose(rig, "read-back")
    assert (await refused(call(rig, tool, arguments))).told()["before"] == former


async def test_an_entry_that_gets_an_end_is_kept_though_its_value_stays(rig: Rig) -> None:
    given = {"workspace_id": rig.named("Ticket Triage"), "key": "cursor", "value": {"last_ticket": 88412}}
    assert "former_file" not in await call(rig, "set_memory_entry", given)
    told = await call(rig, "set_memory_entry", {**given, "ttl_seconds": 1})
    assert kept(told["former_file"]) == {"cursor": {"last_ticket": 88412}}


async def test_what_did_not_exist_or_is_not_touched_leaves_no_file(rig: Rig) -> None:
    await call(rig, "set_memory_entry", {"workspace_id": rig.named("SEO Analyst"), "key": "new", "value": 1})
    await call(rig, "patch_config", {"workspace_id": rig.named("Benchmark Runner"), "changes": {"new": 1}})
    await call(rig, "update_instruction", {"instruction_id": TONE, "title": "Sound"})
    row = rig.app.database.execute("SELECT id, workspace_id FROM schedules").fetchone()
    await call(rig, "update_schedule", {"workspace_id": row[1], "schedule_id": row[0], "enabled": "no"})
    assert len(rig.transport.changes) == 4
    assert files(rig) == []


@pytest.mark.parametrize(("tool", "given", "name"), KEPT)
async def test_nothing_is_overwritten_that_cannot_be_kept(
    rig: Rig, tool: str, given: Callable[[Rig], dict[str, Any]], name: str
) -> None:
    (rig.folder / "outputs").touch()
    error = await refused(call(rig, tool, given(rig)))
    assert (name, error.kind, error.sent, rig.transport.changes) == (name, "store", False, [])


async def test_a_hidden_difference_can_be_written_away(rig: Rig) -> None:
    """Compared after cleaning, the text would look as it shall be already."""
    rig.app.database.execute("UPDATE instructions SET content = ? WHERE id = ?", ("Be\u200b brief.", TONE))
    told = await call(rig, "update_instruction", {"instruction_id": TONE, "content": "Be brief."})
    assert kept(told["former_file"]) == {"content": "Be\u200b brief."}


@pytest.mark.parametrize(
    ("former", "new", "lost"),
    [({"a": 1}, {"a": True}, {"a": 1}), ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 2}), ({"a": [1]}, {}, {"a": [1]})],
)
def test_only_what_is_lost_is_kept(
    tmp_path: Path, former: dict[str, Any], new: dict[str, Any], lost: dict[str, Any]
) -> None:
    where = formers.keep(Outputs(tmp_path / "outputs", Redactor()), "x", former, new)
    assert where is not None
    assert json.loads(Path(where).read_bytes()) == lost


def test_what_stays_is_not_kept(tmp_path: Path) -> None:
    assert formers.keep(Outputs(tmp_path, Redactor()), "x", {"a": 1}, {"a": 1}) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ArgumentError("x"), {}),
        (TenantUnreachable("x", sent="unknown", details={"id": "i"}), {"id": "i", "before": "\n"}),
    ],
)
def test_only_an_error_after_a_send_tells_former_values_and_tells_them_clean(
    error: MoleculeError, told: dict[str, Any]
) -> None:
    with pytest.raises(MoleculeError) as raised, formers.naming(before="\u202e\n"):
        raise error
    assert raised.value.details == told
