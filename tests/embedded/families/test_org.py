"""Organization templates and their import."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.support import Desk

BOSS: dict[str, Any] = {
    "name": "Inline Org",
    "workspaces": [{"name": "Boss", "tier": 1, "children": [{"name": "Kid A"}, {"name": "Kid B"}]}],
}
WEBHOOK = "https://hooks.slack.com/services/T/B/x"


class Steps:
    """Pauses that end when the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.open = asyncio.Event()
        self._news = asyncio.Queue[float]()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self._news.put_nowait(seconds)
        await self.open.wait()

    async def begun(self) -> None:
        """Until one more pause has begun."""
        await self._news.get()


@pytest.fixture
def steps() -> Steps:
    """Closed: every pause waits."""
    return Steps()


@pytest.fixture
def quick(desks: Callable[..., Desk], steps: Steps) -> Desk:
    """An empty tenant whose pauses end at once."""
    steps.open.set()
    return desks(pause=steps)


async def put(desk: Desk, template: Any, **more: Any) -> Any:
    return await desk.org.post("/org/import", json={"template": template, **more})


async def test_templates_are_listed_with_what_they_need_and_broken_ones_are_not(sample: Desk) -> None:
    rows = {row["dir"]: row for row in await sample.json("/org/templates")}
    assert list(rows) == ["free-beats-all", "old-style", "support-desk"]
    assert rows["free-beats-all"]["workspaces"] == 3
    assert rows["free-beats-all"]["required_env"] == []
    desk = rows["support-desk"]
    assert desk["required_env"] == ["GH_PAT", {"any_of": ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"]}]
    assert (desk["recommended_env"], desk["workspaces"]) == (["SENTRY_DSN"], 2)


async def test_parents_come_before_children_and_each_child_takes_two_seconds(quick: Desk, steps: Steps) -> None:
    told = await put(quick, BOSS)
    assert told.status_code == 201
    made = told.json()
    assert (made["org"], made["count"]) == ("Inline Org", 3)
    assert [(row["name"], row["tier"]) for row in made["workspaces"]] == [("Boss", 1), ("Kid A", 2), ("Kid B", 2)]
    assert steps.asked == [2.0, 2.0]
    rows = {row["name"]: row for row in await quick.json("/workspaces")}
    assert rows["Kid B"]["parent_id"] == rows["Boss"]["id"]
    assert rows["Boss"]["status"] == "provisioning"


async def test_it_goes_on_when_the_caller_hangs_up_and_others_are_answered(
    desks: Callable[..., Desk], steps: Steps
) -> None:
    desk = desks(pause=steps)
    call = asyncio.create_task(put(desk, BOSS))
    await steps.begun()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert [row["name"] for row in await desk.json("/workspaces")] == ["Boss", "Kid A"]
    steps.open.set()
    await steps.begun()
    assert [row["name"] for row in await desk.json("/workspaces")] == ["Boss", "Kid A", "Kid B"]


async def test_a_second_import_makes_a_second_set(quick: Desk) -> None:
    assert [(await put(quick, BOSS)).status_code for _ in range(2)] == [201, 201]
    assert len(await quick.json("/workspaces")) == 6


@pytest.mark.parametrize(
    ("node", "error"),
    [
        ({"workspace_dir": "srv/x"}, "workspace_dir must be an absolute path"),
        ({"workspace_dir": "/etc/x"}, "workspace_dir is not allowed"),
        ({"workspace_access": "read_only"}, 'workspace_access="read_only" requires workspace_dir to be set'),
        ({"workspace_access": "all"}, 'workspace_access="all" is not one of none, read_only, read_write'),
        ({"tier": 2**40}, "failed to create workspace"),
    ],
)
async def test_a_bad_workspace_ends_it_without_undoing_anything(quick: Desk, node: Any, error: str) -> None:
    template = {"name": "P", "workspaces": [{"name": "Good"}, {"name": "Bad", **node}, {"name": "Never"}]}
    told = await put(quick, template)
    assert (told.status_code, told.json()["error"]) == (207, f"workspace Bad: {error}")
    assert (told.json()["count"], [row["name"] for row in told.json()["workspaces"]]) == (1, ["Good"])
    assert [row["name"] for row in await quick.json("/workspaces")] == ["Good"]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ([], 400, "invalid request body"),
        ({"template": {"workspaces": [1]}}, 400, "invalid request body"),
        ({}, 400, "provide 'dir' or 'template'"),
        ({"template": {"workspaces": []}}, 400, "provide 'dir' or 'template'"),
        ({"dir": "/etc"}, 400, "invalid org directory"),
        ({"dir": "a/../.."}, 400, "invalid org directory"),
        ({"dir": "a\x00"}, 400, "invalid org directory"),
        ({"dir": "nope"}, 404, "org template not found: nope"),
        ({"dir": "old-style"}, 404, "org template not found: old-style"),
        ({"dir": "broken"}, 400, "org template expansion failed"),
    ],
)
async def test_what_is_no_template_is_refused(sample: Desk, body: Any, status: int, error: str) -> None:
    told = await sample.org.post("/org/import", json=body)
    assert (told.status_code, told.json()) == (status, {"error": error})


async def test_an_empty_template_makes_nothing(quick: Desk) -> None:
    told = await put(quick, {"name": "Empty"})
    assert (told.status_code, told.json()) == (201, {"org": "Empty", "workspaces": [], "count": 0})


async def test_what_is_needed_must_be_a_global_secret_unless_forced(desks: Callable[..., Desk], steps: Steps) -> None:
    steps.open.set()
    sample = desks(empty=False, pause=steps)
    told = await sample.org.post("/org/import", json={"dir": "support-desk"})
    assert told.status_code == 412
    assert told.json()["missing_env"] == ["GH_PAT"]
    assert told.json()["template"] == "Support Desk"
    forced = await sample.org.post("/org/import", json={"dir": "support-desk", "force": True})
    assert forced.status_code == 201
    lead, partner = forced.json()["workspaces"]
    assert lead["channels"] == ["slack"]
    assert lead["channels_skipped"] == [
        {"workspace": "Desk Lead", "type": "telegram", "reason": "missing env: [${NOPE_TOKEN}]"}
    ]
    keys = await sample.json(f"/workspaces/{lead['id']}/secrets")
    assert [key["key"] for key in keys if key["scope"] == "workspace"] == ["DESK_WEBHOOK"]
    assert await sample.status(partner["id"]) == "online"
    assert (await sample.json(f"/workspaces/{partner['id']}/tokens"))["count"] == 0
    keys = await sample.json(f"/workspaces/{partner['id']}/secrets")
    assert not [key for key in keys if key["scope"] == "workspace"]


async def test_schedules_memories_and_channels_come_with_it_and_bad_ones_are_left_out(quick: Desk) -> None:
    lead: dict[str, Any] = {
        "name": "Lead",
        "max_concurrent_tasks": 3,
        "canvas": {"x": 5, "y": 6},
        "initial_memories": [{"content": "own"}, {"content": ""}, {"content": "x", "scope": "NONE"}],
        "schedules": [
            {"name": "a", "cron_expr": "0 7 * * *", "prompt": "p", "enabled": False},
            {"name": "bad", "cron_expr": "x", "prompt": "p"},
            {"name": "no prompt", "cron_expr": "0 7 * * *"},
        ],
        "channels": [
            {"type": "slack", "config": {"webhook_url": WEBHOOK}, "allowed_users": ["u"]},
            {"type": "slack", "config": {"webhook_url": WEBHOOK}},
            {"type": "irc"},
            {"type": ""},
            {"type": "discord", "config": {"webhook_url": "https://x.example"}},
            {"type": "telegram", "config": {"bot_token": "short"}},
        ],
    }
    template = {"name": "T", "workspaces": [lead], "global_memories": [{"content": "all"}], "defaults": {"tier": 4}}
    (made,) = (await put(quick, template)).json()["workspaces"]
    assert (made["tier"], made["channels"]) == (4, ["slack"])
    assert [each["reason"] for each in made["channels_skipped"]] == [
        "already connected",
        "unknown adapter",
        "empty type",
        "invalid Discord webhook URL (must start with https://discord.com/api/webhooks/)",
        "invalid channel config",
    ]
    (schedule,) = await quick.json(f"/workspaces/{made['id']}/schedules")
    assert (schedule["name"], schedule["enabled"], schedule["source"]) == ("a", False, "template")
    memories = await quick.json("/admin/memories/export")
    assert sorted((row["content"], row["scope"]) for row in memories) == [("all", "GLOBAL"), ("own", "LOCAL")]
    (row,) = await quick.json("/workspaces")
    assert (row["x"], row["y"], row["max_concurrent_tasks"]) == (5, 6, 3)


async def test_a_requirement_that_is_no_name_is_dropped(quick: Desk) -> None:
    node = {"name": "x", "required_env": ["lower", {"any_of": ["no"]}, {"any_of": ["NEITHER", "no"]}]}
    told = await put(quick, {"name": "T", "workspaces": [node], "required_env": ["B_KEY", "A_KEY"]})
    assert told.json()["required_env"] == ["A_KEY", "B_KEY", {"any_of": ["NEITHER"]}]
