"""Git repositories of workspaces at an outside service, which is simulated: nothing leaves the process.

The service's own rules are not in the contract beyond their shape; here it refuses only names that are taken.
"""

import re
import secrets
import sqlite3
from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from molecule_mcp.embedded import auth
from molecule_mcp.embedded.bodies import boolean, decode, integer, text
from molecule_mcp.embedded.calls import Call, Refusal, answer, refusing
from molecule_mcp.embedded.database import StorageError, uid
from molecule_mcp.embedded.routing import Route
from molecule_mcp.embedded.times import shown

NAMESPACE = "sample"
HOST = "sample.artifacts.cloudflare.net"
CLONE_HOST = "artifacts.cloudflare.net"
"""Fixed in the tenant's code, and not the host of the stored remote."""
REPO_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}")
IMPORTED_OBJECTS = 12
DEFAULT_TTL, LONGEST_TTL = 3600, 604_800
ATTACH = {
    "name": text,
    "description": text,
    "import_url": text,
    "import_branch": text,
    "import_depth": integer,
    "read_only": boolean,
}
FORK = {"name": text, "description": text, "read_only": boolean, "default_branch_only": boolean}
TOKEN = {"scope": text, "ttl": integer}


def attach_artifacts_repo(call: Call) -> Response:
    """Make or import a repository and link it; a link lasts."""
    workspace_id = _workspace(call)
    if _link(call, workspace_id) is not None:
        raise Refusal(409, "workspace already has a linked Artifacts repo — delete it first")
    with refusing(400, "invalid request body"):
        given = decode(call.body, ATTACH)
    name = _named(given.get("name") or f"molecule-ws-{workspace_id}")
    source = given.get("import_url", "")
    if source and not source.startswith("https://"):
        raise Refusal(400, "import_url must use https://")
    _make(call, name, given, IMPORTED_OBJECTS if source else 0)
    with refusing(500, "failed to persist artifact link"):
        call.db.insert(
            "artifact_links",
            id=call.instance.new_id(),
            workspace_id=workspace_id,
            repo=name,
            created_at=call.now,
            updated_at=call.now,
        )
    return answer(_artifact(_linked(call, workspace_id)), 201)


def get_artifacts_repo(call: Call) -> Response:
    """The stored link; what the service says of it when it answers."""
    row = _linked(call, _workspace(call))
    told = {"artifact": _artifact(row)}
    if call.instance.options.artifacts == "unavailable":
        return answer(told | {"cf_status": "unavailable", "cf_error": "upstream service error"})
    return answer(told | {"cf_status": "ok", "cf_repo": _repo(call, row["repo"])})


def fork_artifacts_repo(call: Call) -> Response:
    """Copy the linked repository; the tenant keeps no note of the copy, whose address holds a credential."""
    linked = _linked(call, _workspace(call))
    with refusing(400, "invalid request body"):
        given = decode(call.body, FORK)
    if not given.get("name"):
        raise Refusal(400, "invalid request body")
    name = _named(given["name"])
    _make(call, name, given, linked["objects"])
    fork = _repo(call, name) | {"remote_url": _remote(HOST, name, _secret())}
    return answer({"fork": fork, "object_count": linked["objects"], "remote_url": _remote(HOST, name)}, 201)


def create_artifacts_token(call: Call) -> Response:
    """A credential for the linked repository; odd lifetimes are mended, not refused."""
    linked = _linked(call, _workspace(call))
    with refusing(400, "invalid request body"):
        given = decode(call.body, TOKEN)
    scope = given.get("scope") or "write"
    if scope not in {"read", "write"}:
        raise Refusal(400, 'scope must be "read" or "write"')
    _reach(call)
    asked = given.get("ttl", 0)
    ttl = min(asked, LONGEST_TTL) if asked > 0 else DEFAULT_TTL
    token = _secret()
    told = {
        "token_id": f"t_{secrets.token_hex(6)}",
        "token": token,
        "scope": scope,
        "expires_at": shown(call.instance.stamp(after=ttl)),
        "clone_url": _remote(CLONE_HOST, linked["repo"], token),
        "message": "Save this token — it cannot be retrieved again.",
    }
    return answer(told, 201)


def _workspace(call: Call) -> str:
    """The id of the path; a malformed one fails in the query for its link."""
    with refusing(500, "query failed"):
        return uid(call.path["id"])


def _link(call: Call, workspace_id: str) -> sqlite3.Row | None:
    sql = "SELECT l.*, r.description, r.objects FROM artifact_links l JOIN artifact_repos r ON r.name = l.repo"
    return call.db.row(f"{sql} WHERE l.workspace_id = ?", workspace_id)


def _linked(call: Call, workspace_id: str) -> sqlite3.Row:
    row = _link(call, workspace_id)
    if row is None:
        raise Refusal(404, "no Artifacts repo linked to this workspace")
    return row


def _named(name: str) -> str:
    if not REPO_NAME.fullmatch(name):
        raise Refusal(400, "repo name must match ^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$")
    return name


def _reach(call: Call) -> None:
    if call.instance.options.artifacts == "unavailable":
        raise Refusal(502, "upstream service error")


def _make(call: Call, name: str, given: dict[str, Any], objects: int) -> None:
    """What the service does; it exists there whatever the tenant stores afterwards."""
    _reach(call)
    try:
        call.db.insert(
            "artifact_repos",
            name=name,
            id=f"r_{secrets.token_hex(6)}",
            description=given.get("description", "").replace("\x00", ""),
            read_only=given.get("read_only", False),
            objects=objects,
            created_at=call.now,
            updated_at=call.now,
        )
    except StorageError as taken:
        raise Refusal(400, "a repository of this name already exists") from taken


def _remote(host: str, name: str, credential: str = "") -> str:
    return f"https://{f'x:{credential}@' if credential else ''}{host}/git/{name}.git"


def _secret() -> str:
    return f"art_v1_{secrets.token_hex(20)}"


def _artifact(row: sqlite3.Row) -> dict[str, Any]:
    told = {"id": row["id"], "workspace_id": row["workspace_id"], "cf_repo_name": row["repo"]}
    told |= {"cf_namespace": NAMESPACE, "remote_url": _remote(HOST, row["repo"])}
    return told | _described(row)


def _repo(call: Call, name: str) -> dict[str, Any]:
    row = call.db.rows("SELECT * FROM artifact_repos WHERE name = ?", name)[0]
    told = {"name": name, "id": row["id"], "remote_url": _remote(HOST, name), "read_only": bool(row["read_only"])}
    return told | _described(row)


def _described(row: sqlite3.Row) -> dict[str, Any]:
    description = {"description": row["description"]} if row["description"] else {}
    return description | {name: shown(row[name]) for name in ("created_at", "updated_at")}


def _configured(handler: Callable[[Call], Response]) -> Callable[[Call], Response]:
    """A handler behind the check that goes before the id and the body."""

    def handle(call: Call) -> Response:
        if call.instance.options.artifacts == "absent":
            unset = "set CF_ARTIFACTS_API_TOKEN and CF_ARTIFACTS_NAMESPACE"
            raise Refusal(503, f"Cloudflare Artifacts not configured — {unset}")
        return handler(call)

    return handle


ROUTES = [
    Route("POST", "/workspaces/{id}/artifacts", auth.workspace, _configured(attach_artifacts_repo)),
    Route("GET", "/workspaces/{id}/artifacts", auth.workspace, _configured(get_artifacts_repo)),
    Route("POST", "/workspaces/{id}/artifacts/fork", auth.workspace, _configured(fork_artifacts_repo)),
    Route("POST", "/workspaces/{id}/artifacts/token", auth.workspace, _configured(create_artifacts_token)),
]
