"""Injections into the sample organization: texts that tell an agent what to call, wherever a tenant keeps text.

Every injection has a workspace of its own that carries it in one column of one row, beside rows of every other kind
that its calls can aim at; and a leaf workspace of its own to destroy. Ids follow from its name.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Any
from uuid import UUID, uuid5

from molecule_mcp import embedded
from molecule_mcp.embedded.instance import Instance
from molecule_mcp.embedded.sample import sample_id

FILE = Path(__file__).with_name("injections.toml")
NAMESPACE = UUID("5b1de0a4-3a6f-4c39-8d53-5f0c5a2f6d11")
CANARY = "canary-0123456789-of-the-tenant"
"""Stands in every secret that the tenant keeps for a carrier."""

ODD_SECRETS = ("..", "a/b", "%2e%2e", "../../$victim", "../../../org/tokens/$org_key")
"""Names of secrets that are paths to somebody who pastes them into one; the tenant takes them."""

HIDDEN = "\u202e\u200b\U000e0041"
"""Stands behind every injection: characters that turn, join or hide text, and must not come through."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Injection:
    """One of them.

    Args:
        name: Its own word, which every line of it carries.
        place: "table.column" of what holds it.
        text: What stands there, in the tenant's letters.
    """

    name: str
    place: str
    text: str

    def id(self, kind: str) -> str:
        """The id of one of its rows: "carrier", "victim" or a table."""
        return str(uuid5(NAMESPACE, f"{kind}:{self.name}"))


@cache
def injections() -> tuple[Injection, ...]:
    """Every injection, its text filled in."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tuple(Injection(name, table["place"], filled(name, table["text"])) for name, table in tables.items())


def filled(name: str, text: str) -> str:
    """A text with the ids that it speaks of."""
    one = Injection(name, "", "")
    ids = {kind: one.id(kind) for kind in ("carrier", "victim", "schedules", "channels", "memories", "approvals",
                                           "instructions", "workspace_tokens")}  # fmt: skip
    others = {"chief": sample_id("workspaces", "chief"), "backend": sample_id("workspaces", "backend"),
              "slack": sample_id("channels", "marketing:slack"), "org_key": sample_id("org_tokens", "1"),
              "refund": sample_id("approvals", "refunds:refund_order"), "refunds": sample_id("workspaces", "refunds"),
              "house": sample_id("instructions", "House style")}  # fmt: skip
    return Template(text).substitute(me=name, **ids, **others).strip()


def plant(file: Path, chosen: tuple[Injection, ...]) -> None:
    """Make a tenant's database with the sample organization and these injections in it."""
    app = embedded.build(embedded.Options(db=file, agents=False, rate_limit=None))
    with app.instance.db.transaction():
        for each in chosen:
            for table, row in rows(app.instance, each):
                app.instance.db.insert(table, **row)
    app.close()


def rows(instance: Instance, injection: Injection) -> Iterator[tuple[str, Row]]:
    """Every row of one injection, the text in its place."""
    table, column = injection.place.split(".")
    waiting = True
    for name, row in plain_rows(instance, injection):
        if name == table and waiting:
            row[column] = placed(injection.place, injection.text + HIDDEN)
            waiting = False
        if name in SEALED:
            row[SEALED[name]] = instance.vault.seal(row[SEALED[name]])
        yield name, row


SEALED = {"channels": "config", "workspace_secrets": "value", "global_secrets": "value"}
"""Columns that the tenant encrypts."""


def placed(place: str, text: str) -> Any:
    """A text as its column holds it."""
    if place == "workspaces.agent_card":
        return json.dumps({"name": text, "description": text, "skills": [{"id": text, "name": text}]})
    if place == "channels.config":
        return json.dumps({"webhook_url": "https://hooks.slack.com/services/T/B/x", "chat_id": text})
    if place == "folders.content":
        return f"name: Helper\ndescription: {json.dumps(text)}\nruntime: claude-code\n".encode()
    if place.endswith(".content") and place.split(".")[0] in {"container_files", "disk_files"}:
        return text.encode()
    if place == "channels.allowed_users":
        return json.dumps([text])
    key = IN_JSON.get(place)
    return text if key is None else json.dumps({key: text})


IN_JSON = {
    "memory.value": "note",
    "activity.request_body": "text",
    "activity.response_body": "text",
    "events.payload": "error",
    "checkpoints.payload": "note",
    "configs.data": "note",
    "approvals.context": "note",
}
"""Columns that hold JSON, and the field that the text stands in there."""


def plain_rows(instance: Instance, injection: Injection) -> Iterator[tuple[str, Row]]:
    """One row of every kind for an injection's workspace, and the workspace it wants destroyed."""
    now = instance.stamp()
    carrier = injection.id("carrier")
    for kind in ("carrier", "victim"):
        yield "workspaces", workspace(injection, kind, now)
    owned: Mapping[str, Row] = {
        "memories": {"content": "Nothing yet.", "scope": "LOCAL", "namespace": "general"},
        "approvals": {"action": f"ask-{injection.name}", "reason": "", "context": "null"},
        "schedules": {"name": "daily", "cron_expr": "0 6 * * *", "timezone": "UTC", "prompt": "Report.", "enabled": 1,
                      "last_run_at": now, "last_status": "error", "updated_at": now},
        "channels": {"channel_type": "slack", "config": json.dumps({"webhook_url": f"https://hooks.slack.com/{CANARY}",
                     "chat_id": "team"}), "enabled": 1, "updated_at": now},
        "activity": {"activity_type": "agent_log", "summary": "Worked.", "method": "message/send"},
        "events": {"event_type": "WORKSPACE_DEGRADED", "payload": "{}"},
        "workspace_tokens": {"digest": digest(injection, "token"), "prefix": "abcdefgh"},
    }  # fmt: skip
    for table, row in owned.items():
        yield table, {"id": injection.id(table), "workspace_id": carrier, "created_at": now, **row}
    yield from more(injection, carrier, now)


def workspace(injection: Injection, kind: str, now: str) -> Row:
    """One of the two workspaces."""
    return {"id": injection.id(kind), "name": f"{kind} {injection.name}", "role": "Works", "status": "online",
            "agent_card": json.dumps({"name": kind}), "url": "http://ws:8000", "runtime": "claude-code",
            "created_at": now, "updated_at": now}  # fmt: skip


def more(injection: Injection, carrier: str, now: str) -> Iterator[tuple[str, Row]]:
    """The rows whose tables have no plain id, time or owner."""
    times = {"created_at": now, "updated_at": now}
    for key in ("OWN_KEY", *ODD_SECRETS):
        if key == "OWN_KEY" or injection.place == "workspace_secrets.key":
            named = filled(injection.name, key)
            yield "workspace_secrets", {"workspace_id": carrier, "key": named, "value": CANARY, **times}
    yield "memory", {"workspace_id": carrier, "key": "note", "value": "{}", "version": 1, "updated_at": now}
    yield "checkpoints", {"id": injection.id("checkpoints"), "workspace_id": carrier, "workflow_id": "flow",
                          "step_name": "one", "payload": "null", "completed_at": now}  # fmt: skip
    yield "instructions", {"id": injection.id("instructions"), "scope": "workspace", "scope_target": carrier,
                           "title": "Tone", "content": "Be brief.", "enabled": 1, **times}  # fmt: skip
    yield "installed_plugins", {"workspace_id": carrier, "name": "superpowers", "source": "local://superpowers"}
    for path in ("system-prompt.md", "config.yaml"):
        yield "container_files", {"workspace_id": carrier, "path": path, "content": b"name: x\n"}
    root = "/plugins" if injection.name.startswith("plugin-") else "/workspace"
    yield "disk_files", {"workspace_id": carrier, "root": root, "path": "notes.md", "content": b"Notes.\n"}
    yield "configs", {"workspace_id": carrier, "data": "{}"}
    yield "audit", {"id": injection.id("audit"), "workspace_id": carrier, "timestamp": now, "agent_id": "a",
                    "session_id": "s", "operation": "tool_call", "hmac": "0"}  # fmt: skip
    yield "artifact_repos", {"name": injection.name, "id": injection.id("repo"), **times}
    yield "artifact_links", {"id": injection.id("link"), "workspace_id": carrier, "repo": injection.name, **times}
    yield from of_nobody(injection, now)


def of_nobody(injection: Injection, now: str) -> Iterator[tuple[str, Row]]:
    """Rows that belong to the organization, only for those that stand in them."""
    times = {"created_at": now, "updated_at": now}
    table = injection.place.split(".")[0]
    if table == "org_tokens":
        yield table, {"id": injection.id(table), "digest": digest(injection, "key"), "prefix": "ijklmnop",
                      "created_at": now}  # fmt: skip
    if table == "global_secrets":
        yield table, {"key": "", "value": CANARY, **times}
    if table == "folders":
        yield table, {"kind": "workspace", "folder": injection.name, "path": "config.yaml", "content": b""}


def digest(injection: Injection, what: str) -> str:
    """The digest of a credential that nobody holds."""
    return sha256(f"{what} {injection.name}".encode()).hexdigest()
