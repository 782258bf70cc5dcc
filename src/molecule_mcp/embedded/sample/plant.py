"""Write the sample organization into an empty database."""

import hashlib
import json
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from molecule_mcp.embedded.cron import next_run
from molecule_mcp.embedded.instance import Instance
from molecule_mcp.embedded.sample import traffic
from molecule_mcp.embedded.sample.people import SEATS, Seat
from molecule_mcp.embedded.times import stored

NAMESPACE = UUID("6f9d7a52-5d3c-4b5e-9a53-0d1d6f3c8a10")
DAY = 24 * 60


def sample_id(kind: str, key: str) -> str:
    """The id of a sample row: `sample_id("workspaces", "copywriter")`."""
    return str(uuid5(NAMESPACE, f"{kind}:{key}"))


def organization(planter: "Planter") -> None:
    """Write the workspaces and what they own and did; the caller holds the transaction."""
    for place, seat in enumerate(SEATS):
        planter.workspace(seat, place)
    planter.secrets()
    planter.channels()
    planter.schedules()
    planter.approvals()
    planter.activity()
    planter.delegations()
    planter.memories()
    planter.org_keys()


class Planter:
    """Writes rows whose ids follow from what they are and whose times count back from now."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self.now = instance, instance.now()

    def at(self, minutes_ago: float) -> str:
        """A time so many minutes ago."""
        return stored(self.now - timedelta(minutes=minutes_ago))

    def add(self, table: str, key: str, **columns: Any) -> str:
        """Insert a row with the id that belongs to its key."""
        row_id = sample_id(table, key)
        self.instance.db.insert(table, id=row_id, **columns)
        return row_id

    def event(self, kind: str, owner: str, minutes_ago: float, **payload: Any) -> None:
        """Insert an event of a workspace."""
        self.add(
            "events",
            f"{kind}:{owner}:{minutes_ago}",
            event_type=kind,
            workspace_id=sample_id("workspaces", owner),
            payload=json.dumps(payload),
            created_at=self.at(minutes_ago),
        )

    def workspace(self, seat: Seat, place: int) -> None:
        """A workspace with its card, its hidden token and its first events."""
        workspace_id = sample_id("workspaces", seat.key)
        url = _url(seat, workspace_id)
        card: dict[str, Any] = {"name": seat.name, "version": "1.0.0", "url": url, "skills": []}
        age = seat.days * DAY - place
        self.add(
            "workspaces",
            seat.key,
            name=seat.name,
            role=seat.role,
            tier=seat.tier,
            status=seat.status,
            agent_card=None if seat.silent else json.dumps(card),
            url=url,
            parent_id=seat.team and sample_id("workspaces", seat.team),
            active_tasks=seat.active,
            max_concurrent_tasks=seat.most,
            current_task=seat.task,
            last_error_rate=seat.error_rate,
            last_sample_error=seat.error,
            uptime_seconds=seat.up,
            runtime=seat.runtime,
            x=place % 6 * 260,
            y=place // 6 * 180,
            monthly_spend=seat.spend,
            budget_limit=seat.budget,
            last_outbound_at=self.at(place + 3) if seat.active else None,
            provisioning_at=self.at(age),
            created_at=self.at(age),
            updated_at=self.at(5),
        )
        self._token(seat, age)
        self._history(seat, age)

    def _token(self, seat: Seat, age: float) -> None:
        plaintext = secrets.token_urlsafe(32)
        self.add(
            "workspace_tokens",
            seat.key,
            workspace_id=sample_id("workspaces", seat.key),
            digest=hashlib.sha256(plaintext.encode()).hexdigest(),
            prefix=plaintext[:8],
            created_at=self.at(age),
            last_used_at=self.at(1) if seat.up else None,
            revoked_at=self.at(60) if seat.status == "removed" else None,
        )

    def _history(self, seat: Seat, age: float) -> None:
        self.event("WORKSPACE_PROVISIONING", seat.key, age)
        self.event("WORKSPACE_ONLINE", seat.key, age - 1)
        ends: dict[str, tuple[str, dict[str, Any]]] = {
            "failed": ("WORKSPACE_PROVISION_FAILED", {"error": seat.error}),
            "paused": ("WORKSPACE_PAUSED", {}),
            "offline": ("WORKSPACE_OFFLINE", {}),
            "degraded": ("WORKSPACE_DEGRADED", {"error_rate": seat.error_rate}),
            "hibernated": ("WORKSPACE_HIBERNATED", {}),
            "removed": ("WORKSPACE_REMOVED", {"cascade": False}),
        }
        if seat.status in ends:
            kind, payload = ends[seat.status]
            self.event(kind, seat.key, 90, **payload)

    def secrets(self) -> None:
        """Global and own secrets."""
        times = {"created_at": self.at(30 * DAY), "updated_at": self.at(9 * DAY)}
        seal = self.instance.vault.seal
        for key, value in traffic.GLOBAL_SECRETS.items():
            self.instance.db.insert("global_secrets", key=key, value=seal(value), **times)
        for owner, key, value in traffic.SECRETS:
            workspace_id = sample_id("workspaces", owner)
            self.instance.db.insert("workspace_secrets", workspace_id=workspace_id, key=key, value=seal(value), **times)

    def channels(self) -> None:
        """Chat channels."""
        for place, (owner, kind, config, enabled) in enumerate(traffic.CHANNELS):
            self.add(
                "channels",
                f"{owner}:{kind}",
                workspace_id=sample_id("workspaces", owner),
                channel_type=kind,
                config=self.instance.vault.seal(json.dumps(config)),
                enabled=enabled,
                message_count=place * 17,
                last_message_at=self.at(place * 45) if place else None,
                created_at=self.at(20 * DAY - place),
                updated_at=self.at(2 * DAY),
            )

    def schedules(self) -> None:
        """Schedules with the outcome of their last run."""
        for place, timer in enumerate(traffic.SCHEDULES):
            due = next_run(timer.cron, timer.zone, self.now)
            self.add(
                "schedules",
                f"{timer.owner}:{timer.name}",
                workspace_id=sample_id("workspaces", timer.owner),
                name=timer.name,
                cron_expr=timer.cron,
                timezone=timer.zone,
                prompt=timer.prompt,
                enabled=timer.enabled,
                last_run_at=self.at(place * 200 + 25),
                next_run_at=due and stored(due),
                run_count=timer.runs,
                last_status=timer.outcome,
                last_error=timer.error,
                created_at=self.at(35 * DAY - place),
                updated_at=self.at(place * 200 + 25),
            )

    def approvals(self) -> None:
        """Requests: fresh, overdue and decided ones."""
        for request in traffic.REQUESTS:
            approval_id = self.add(
                "approvals",
                f"{request.owner}:{request.action}",
                workspace_id=sample_id("workspaces", request.owner),
                action=request.action,
                reason=request.reason,
                context="null",
                status=request.status,
                decided_by=request.decided_by,
                decided_at=self.at(request.ago - 5) if request.decided_by else None,
                created_at=self.at(request.ago),
            )
            told = {"approval_id": approval_id, "action": request.action, "reason": request.reason, "task_id": ""}
            self.event("APPROVAL_REQUESTED", request.owner, request.ago, **told)

    def activity(self) -> None:
        """What agents logged."""
        for row in traffic.ACTIVITY:
            self.add(
                "activity",
                f"{row.owner}:{row.ago}",
                workspace_id=sample_id("workspaces", row.owner),
                activity_type=row.kind,
                source_id=row.source and sample_id("workspaces", row.source),
                target_id=sample_id("workspaces", row.owner) if row.kind == "a2a_receive" else None,
                method="message/send" if row.kind.startswith("a2a") else None,
                summary=row.summary,
                duration_ms=row.milliseconds,
                status=row.status,
                error_detail=row.error,
                created_at=self.at(row.ago),
            )

    def delegations(self) -> None:
        """Two rows for what ended, one for what has not."""
        for one in traffic.DELEGATIONS:
            key = f"{one.giver}:{one.taker}"
            ids = {"delegation_id": sample_id("delegations", key)}
            common = {
                "workspace_id": sample_id("workspaces", one.giver),
                "activity_type": "delegation",
                "source_id": sample_id("workspaces", one.giver),
                "target_id": sample_id("workspaces", one.taker),
                "status": one.status,
                "error_detail": one.error or None,
            }
            self.add(
                "activity",
                f"delegation:{key}",
                method="delegate",
                summary=f"Delegating to {common['target_id']}",
                request_body=json.dumps({**ids, "task": one.task}),
                created_at=self.at(one.ago),
                **common,
            )
            self.event("DELEGATION_SENT", one.giver, one.ago, target_id=common["target_id"], **ids)
            if one.reply or one.error:
                ended = f"completed ({one.reply[:60]})" if one.reply else "failed"
                self.add(
                    "activity",
                    f"result:{key}",
                    method="delegate_result",
                    summary=f"Delegation {ended}",
                    response_body=json.dumps({**ids, "text": one.reply}) if one.reply else None,
                    created_at=self.at(one.ago - 1),
                    **common,
                )

    def memories(self) -> None:
        """Memories of all scopes, and key-value entries."""
        for place, (owner, scope, content, namespace) in enumerate(traffic.MEMORIES):
            self.add(
                "memories",
                f"{owner}:{place}",
                workspace_id=sample_id("workspaces", owner),
                content=content,
                scope=scope,
                namespace=namespace,
                created_at=self.at((10 - place) * DAY),
            )
        for owner, key, value in traffic.ENTRIES:
            self.instance.db.insert(
                "memory",
                workspace_id=sample_id("workspaces", owner),
                key=key,
                value=json.dumps(value),
                version=3,
                updated_at=self.at(8),
            )

    def org_keys(self) -> None:
        """Keys whose plaintext nobody holds."""
        for place, (name, age, used) in enumerate(traffic.ORG_KEYS):
            plaintext = secrets.token_urlsafe(32)
            self.add(
                "org_tokens",
                str(place),
                digest=hashlib.sha256(plaintext.encode()).hexdigest(),
                prefix=plaintext[:8],
                name=name,
                created_by="admin-token",
                created_at=self.at(age * DAY),
                last_used_at=None if used is None else self.at(used * DAY),
            )


def _url(seat: Seat, workspace_id: str) -> str:
    if seat.silent:
        return "https://agents.partner.example/a2a"
    return f"http://ws-{workspace_id[:12]}:8000" if seat.up else ""
