"""The stored JSON config and the model override, neither of which an agent here reads."""

import json
from typing import Any, cast

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import BadBody, decode, mapping, parse, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing, workspace_uid
from molecule_mcp.embedded.database import uid
from molecule_mcp.embedded.families.secrets import store_secret
from molecule_mcp.embedded.lifecycle import restart_after_secret
from molecule_mcp.embedded.routing import Route

MODEL = "MODEL_PROVIDER"
LARGEST = 262_144


def get_model(call: Call) -> Response:
    """The override, or the default: also for unknown ids, and for a model given at creation."""
    with refusing(500, "query failed"):
        workspace_id = uid(call.path["id"])
    row = call.db.row("SELECT value FROM workspace_secrets WHERE workspace_id = ? AND key = ?", workspace_id, MODEL)
    if row is None:
        return answer({"model": "", "source": "default"})
    return answer({"model": call.instance.vault.open(row["value"]), "source": "workspace_secrets"})


def set_model(call: Call) -> Response:
    """Write the override as a secret, or drop it, then restart like after any secret."""
    workspace_id = workspace_uid(call)
    with refusing(400, "invalid request body"):
        model = decode(call.body, {"model": text}).get("model", "")
    if model:
        with refusing(500, "failed to save model"):
            store_secret(call, workspace_id, MODEL, model)
    else:
        call.db.run("DELETE FROM workspace_secrets WHERE workspace_id = ? AND key = ?", workspace_id, MODEL)
    restart_after_secret(call.instance, workspace_id)
    return answer({"status": "saved", "model": model} if model else {"status": "cleared"})


def get_config(call: Call) -> Response:
    """The document; {} for whoever has none, unknown ids included."""
    with refusing(500, "query failed"):
        workspace_id = uid(call.path["id"])
    return answer({"data": _stored(call, workspace_id)})


def patch_config(call: Call) -> Response:
    """Merge the top level of two objects; anything else becomes entries of an array, for good."""
    if len(call.body) > LARGEST:
        raise Refusal(413, "body too large or unreadable")
    with refusing(400, "invalid JSON"):
        given = parse(call.body)
    with refusing(500, "failed to update config"):
        workspace_id = uid(call.path["id"])
        merged = json.dumps(_merged(_stored(call, workspace_id), given))
        if "\\u0000" in merged:
            raise BadBody("nothing that can be stored")
        call.db.run("INSERT OR REPLACE INTO configs (workspace_id, data) VALUES (?, ?)", workspace_id, merged)
    return answer({"status": "updated"})


def _stored(call: Call, workspace_id: str) -> Any:
    row = call.db.row("SELECT data FROM configs WHERE workspace_id = ?", workspace_id)
    return {} if row is None else json.loads(row["data"])


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return mapping(old) | mapping(new)
    return [*_entries(old), *_entries(new)]


def _entries(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


ROUTES = [
    Route("GET", "/workspaces/{id}/model", auth.workspace, get_model),
    Route("PUT", "/workspaces/{id}/model", auth.workspace, set_model),
    Route("GET", "/workspaces/{id}/config", auth.workspace, get_config),
    Route("PATCH", "/workspaces/{id}/config", auth.workspace, patch_config),
]
