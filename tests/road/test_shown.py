"""What a person says yes to shows all of what would be sent: every text of a call stands in its question, whole.

Every tool that can be asked about is called with texts of the greatest length it takes, each with an end of its own.
"""

import re
from collections.abc import Iterator
from typing import Any, cast

import pytest

from molecule_mcp.arguments import model
from molecule_mcp.capability import UUID, Risk, quoted
from molecule_mcp.embedded.sample import sample_id
from molecule_mcp.road.traffic import Done
from molecule_mcp.tools import catalogue
from tests.calls.cases import cases
from tests.calls.cases.case import BOT, ENVIRON, SECRET, of, workspace
from tests.road.rig import Rig, asked, can_ask, refused
from tests.tools.test_allowlist import bound
from tests.tools.test_instructions import TONE

ASKED = {name: tool for name, tool in catalogue().items() if tool.highest >= Risk.DESTROY and not tool.combines}
"""The tools that a person is asked about; one made of other tools' calls shows theirs."""

ABSENT = {
    ("import_bundle", "file"): "excludes bundle; the bundle in the file is shown like a given one",
    ("import_memories", "file"): "excludes entries; the entries in the file are shown like given ones",
    ("import_org", "directory"): "excludes template; it names a folder that the tenant lists",
}
"""Arguments that hold text and that a call below does not give, and why."""

SHORTER = {
    ("create_workspace", "runtime"): "is the one that makes this call ask",
    ("create_workspace", "template"): "names what is there",
    ("delete_checkpoints", "workflow_id"): "names what is there",
    ("delete_memory_entry", "key"): "names what is there",
    ("discover_channel_chats", "bot_token_from"): "is a reference to a secret that is there",
    ("write_file", "content"): "a longer one is more than one question holds, see below",
}
"""Texts of a call below that are shorter than they may be, and why."""


def text(name: str, size: int) -> str:
    """A text of plain words that is unlike any other, with an end of its own."""
    end = f"_the_end_of_{name}"
    return "".join(f"{name}_{number}_" for number in range(size))[: size - len(end)] + end if size > len(end) else name


TEAM = {"scope": "TEAM", "namespace": text("namespace", 50)}
NODE = {
    "name": text("node", 255), "role": text("role", 700), "template": text("template", 300),
    "model": text("model", 300), "runtime": text("runtime", 300), "system_prompt": text("system", 9_000),
    "initial_prompt": text("initial", 2_000),
    "idle_prompt": text("idle", 2_000), "plugins": [text("plugin_a", 300), text("plugin_b", 300)],
    "category_routing": {text("category", 300): [text("routed", 300)]}, "workspace_dir": "/" + text("mount", 500),
    "workspace_access": "read_write", "external": True, "url": text("node_url", 700), "tier": 2,
    "initial_memories": [{"content": text("beginning", 2_000), "scope": "TEAM"}],
    "schedules": [{"name": text("schedule", 300), "cron_expr": "11 7 * * *", "timezone": "Europe/Rome",
                   "prompt": text("scheduled", 5_000)}],
    "channels": [{"type": "slack", "config": {"chat_id": text("chat", 300), "webhook_url": SECRET},
                  "allowed_users": [text("outsider", 300)]}],
    "recommended_env": [text("recommended", 100).upper(), {"any_of": [text("either", 100)]}],
    "children": [{"name": text("child", 255), "role": text("child_role", 700)}],
}  # fmt: skip
ORG = {
    "name": text("org", 255), "description": text("described", 700), "workspaces": [NODE],
    "defaults": {"model": text("default_model", 300), "plugins": [text("default_plugin", 300)],
                 "initial_prompt": text("default_prompt", 2_000)},
    "global_memories": [{"content": text("everybodys", 2_000), "scope": "GLOBAL"}],
    "required_env": [text("required", 100)],
}  # fmt: skip
BUNDLE = {
    "schema": text("schema", 100), "name": text("bundle", 300), "description": text("described", 700),
    "model": text("model", 300), "system_prompt": text("system", 9_000), "author": text("author", 300),
    "version": text("version", 300), "agent_card": {text("card", 300): [{"deep": text("deep", 700)}]},
    "prompts": {"config.yaml": text("config", 2_000), text("prompt_path", 300): text("prompt", 5_000)},
    "tools": [{text("tool_key", 300): text("tool", 700)}],
    "skills": [{"id": text("skill", 300), "name": text("skill_name", 300), "description": text("skill_is", 300),
                "files": {text("skill_path", 300): text("skill_file", 2_000)}}],
    "sub_workspaces": [{"name": text("below", 300), "system_prompt": text("below_system", 2_000)}],
}  # fmt: skip
CONFIG = {name: text(name, 255) for name in ("channel_id", "username", "icon_emoji")}
HOOK = {"webhook_url": SECRET}

CALLS: dict[str, dict[str, Any]] = {
    "attach_artifacts_repo": of(
        "seo", name=text("repo", 63), description=text("described", 500), import_depth=7,
        import_url="https://git.example/" + text("path", 480), import_branch=text("branch", 200), read_only=True,
    ),
    "commit_memory": of("seo", content=text("memory", 8_000), **TEAM),
    "create_channel": of(
        "seo", channel_type="slack", chat_id=text("chat", 255), config=CONFIG | {"public_key": text("public", 255)},
        secrets_from=HOOK | {"bot_token": BOT}, allowed_users=[text(f"user_{n}", 255) for n in range(100)],
    ),
    "create_instruction": {"scope": "global", "title": text("title", 200), "content": text("content", 8_192)},
    "create_org_token": {"name": text("label", 50)},
    "create_workspace": {
        "name": text("name", 255), "role": text("role", 1_000), "parent_id": workspace("seo"), "external": True,
        "template": "claude-code-default", "model": text("model", 200), "url": text("url", 500), "tier": 4,
        "runtime": "external",
        "max_concurrent_tasks": 93, "budget_limit_cents": 987_654_321,
    },
    "fork_artifacts_repo": of("backend", name=text("fork", 63), description=text("described", 500)),
    "import_bundle": {"bundle": BUNDLE},
    "import_memories": {
        "entries": [
            {"workspace_name": "Ticket Triage", "scope": "TEAM", "namespace": text(f"{n}_space", 50),
             "content": text(f"memory_{n}", 250), "created_at": f"2026-01-01T00:00:00.{n:06}Z"}
            for n in range(75)
        ]
    },
    "import_org": {"template": ORG, "force": True},
    "import_template": {
        "name": text("name", 100), "files": {f"{text('path', 200)}/{n}": text(f"file_{n}", 400) for n in range(60)}
    },
    "install_plugin": of("backend", source="github://" + text("source", 291), sha256="0123456789abcdef" * 4),
    "list_pending_approvals": {"sweep": True},
    "pause_workspace": of("finance"),
    "replace_agent": of("chief", model=text("model", 200)),
    "replace_files": of("seo", files={text("path", 200): text("content", 80_000), text("other", 200): "short"}),
    "replace_plugin_allowlist": {
        "org_id": workspace("chief"), "plugins": [text(f"plugin_{n}", 128) for n in range(200)]
    },
    "save_checkpoint": of(
        "books", workflow_id=text("workflow", 255), step_name=text("step", 255), step_index=17,
        payload={text("name", 300): [text("payload", 9_000), 12_345]},
    ),
    "set_global_secret": {"key": text("KEY", 128), "value_from": SECRET},
    "set_workspace_secret": of("seo", key=text("KEY", 128), value_from=SECRET),
    "update_channel": of(
        "support", channel=sample_id("channels", "support:slack"), chat_id=text("chat", 255),
        config=CONFIG, secrets_from=HOOK | {"bot_token": BOT}, enabled="yes",
        allowed_users=[text(f"user_{n}", 255) for n in range(100)],
    ),
    "update_instruction": {
        "instruction_id": TONE, "title": text("title", 200), "content": text("content", 8_192), "priority": 7_654,
    },
    "update_workspace": of(
        "seo", name=text("name", 255), role=text("role", 1_000), runtime=text("runtime", 100),
        parent_id=workspace("backend"), tier=4,
    ),
    "write_file": of("seo", path=text("path", 200), content=text("content", 80_000)),
}  # fmt: skip
"""Calls with long texts; those of the other tools name what is there, as in tests/calls/cases."""


def call_of(name: str) -> dict[str, Any]:
    """The arguments of a tool's call."""
    return CALLS.get(name) or cases()[name].arguments


def leaves(value: Any) -> Iterator[str]:
    """Every text and number in a JSON value, and the names that a caller chose."""
    if isinstance(value, dict):
        for name, part in cast("dict[str, Any]", value).items():
            yield from [name] if "_the_end_of_" in name else []
            yield from leaves(part)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            yield from leaves(part)
    elif not isinstance(value, bool) and value is not None:
        yield str(value)


def unshown(lines: list[str], arguments: dict[str, Any]) -> list[str]:
    """The texts and numbers of a call that do not stand in its question."""
    plain = "\n".join(lines)
    # A text that goes on in the next line is one again.
    joined = "".join(piece for line in lines for piece in re.findall(r'"([^"]*)"', line))
    values = [each for value in arguments.values() for each in leaves(value)]
    return [each for each in values if each not in plain and str(quoted(each, len(each)))[1:-1] not in joined]


@pytest.mark.parametrize("name", sorted(ASKED))
async def test_every_text_of_a_call_stands_whole_in_what_a_person_says_yes_to(rig: Rig, name: str) -> None:
    rig.environ |= ENVIRON
    road = bound(rig)[0] if name == "replace_plugin_allowlist" else rig.road()
    outcome = await road.call(can_ask(), name, call_of(name) | {"dry_run": True})
    assert isinstance(outcome, Done)
    assert unshown(outcome.structured["would"], call_of(name)) == []
    assert not [value for value in ENVIRON.values() if value in str(outcome.structured)]


def test_a_text_that_is_cut_or_left_out_is_noticed() -> None:
    long = text("long", 400)
    whole = ["Text: 3", *(f'  - "{long[start : start + 160]}"' for start in range(0, 400, 160))]
    assert unshown(whole, {"text": long}) == []
    assert unshown(whole[:-1], {"text": long}) == [long]
    assert unshown([*whole[:-1], f"{whole[-1][:-2]}..."], {"text": long}) == [long]
    assert unshown(whole, {"text": long, "limit": 4_321}) == ["4321"]


def kinds(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and those of what it holds."""
    yield schema
    for each in schema.get("anyOf", []):
        yield from kinds(each)
    for each in (schema.get("items"), schema.get("additionalProperties")):
        yield from kinds(cast("dict[str, Any]", each)) if isinstance(each, dict) else ()


def is_text(schema: dict[str, Any]) -> bool:
    """Whether it takes words of a caller's own: not one of a few, and not a number."""
    if schema.get("type") == "string":
        return "enum" not in schema and "const" not in schema
    return schema.get("type") == "object" or schema.keys().isdisjoint({"type", "anyOf"})


def texts_of(name: str) -> dict[str, int | None]:
    """The arguments of a tool that hold text of a caller's own, and the length of one that is a text and no more."""
    properties: dict[str, dict[str, Any]] = model(ASKED[name].function).model_json_schema()["properties"]
    return {
        key: schema.get("maxLength")
        for key, schema in properties.items()
        for each in [[*kinds(schema)]]
        if any(is_text(kind) for kind in each) and UUID not in schema.get("pattern", "")
    }


def test_the_calls_give_every_text_that_their_tools_take_as_long_as_it_may_be() -> None:
    texts = {(name, key): limit for name in ASKED for key, limit in texts_of(name).items()}
    absent = {(name, key) for name, key in texts if key not in call_of(name)}
    assert absent == ABSENT.keys()
    shorter = {
        (name, key)
        for (name, key), limit in texts.items()
        if limit and isinstance(given := call_of(name).get(key), str) and len(given) < limit
    }
    assert shorter == SHORTER.keys()


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("write_file", of("papers", path="notes.md", content="x" * 200_000)),
        ("import_bundle", {"bundle": {"name": "x", "system_prompt": "x" * 100_000}}),
    ],
)
async def test_what_is_too_much_to_be_shown_whole_is_not_asked_about(
    rig: Rig, name: str, given: dict[str, Any]
) -> None:
    error = await refused(asked(rig.road(), name, given))
    assert (error.kind, error.sent, rig.transport.changes) == ("too_large", False, [])
    assert "Send less at once" in str(error.advice)
