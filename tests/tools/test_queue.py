"""Messages dropped from the queue, over the embedded tenant."""

from tests.road.rig import Rig, answered, asked, can_ask, refused

TOOL = "drop_stale_queue"


def wait(rig: Rig, sender: str, target: str) -> None:
    """A delegation that has waited for a busy agent since long ago."""
    rig.app.database.execute(
        "INSERT INTO handovers (delegation_id, source_id, target_id, task, state, due_at) "
        "VALUES (?, ?, ?, 't', 'queued', '2020-01-01T00:00:00.000000Z')",
        (f"{sender}-{target}", rig.named(sender), rig.named(target)),
    )
    rig.app.database.execute("UPDATE workspaces SET active_tasks = 9 WHERE name = ?", (target,))


async def test_only_what_waits_for_the_named_workspace_is_dropped_after_a_yes(rig: Rig) -> None:
    wait(rig, "Research Lead", "Researcher")
    wait(rig, "Support Lead", "Ticket Triage")
    road, given = rig.road(), {"workspace_id": rig.named("Researcher"), "max_age_minutes": 5}
    question = await asked(road, TOOL, given)
    assert question.plan.risk == "destroy"
    assert any("How many: unknown" in line for line in question.plan.question.lines)
    told = (await answered(road, TOOL, given, question, allow=True)).structured["items"][0]
    assert told["dropped"] == 1
    assert "queued for ever" in told["note"]
    left = rig.app.database.execute("SELECT delegation_id FROM handovers WHERE state = 'queued'").fetchall()
    assert [row[0] for row in left] == ["Support Lead-Ticket Triage"]


async def test_everybody_is_meant_only_when_said_and_the_question_says_so(rig: Rig) -> None:
    wait(rig, "Research Lead", "Researcher")
    wait(rig, "Support Lead", "Ticket Triage")
    road, given = rig.road(), {"everywhere": True}
    question = await asked(road, TOOL, given)
    assert any("EVERY workspace" in line for line in question.plan.question.lines)
    assert (await answered(road, TOOL, given, question, allow=True)).structured["items"][0]["dropped"] == 2


async def test_a_removed_workspace_and_an_age_of_nothing_are_refused(rig: Rig) -> None:
    for given, kind in (
        ({"workspace_id": rig.named("Campaign Planner 2024")}, "nothing_to_do"),
        ({"everywhere": True, "max_age_minutes": 0}, "arguments"),
        ({}, "arguments"),
        ({"workspace_id": rig.named("Researcher"), "everywhere": True}, "arguments"),
    ):
        assert (await refused(rig.road().call(can_ask(), TOOL, given))).kind == kind
    assert rig.transport.changes == []
