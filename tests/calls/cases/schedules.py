"""Schedules."""

from molecule_mcp.embedded.sample import sample_id
from tests.calls.cases.case import Case, has, lacks, of, under

SWEEP = sample_id("schedules", "triage:queue sweep")
LIST = under("triage", "schedules")

CASES = {
    "list_schedules": Case(of("triage"), says="queue sweep"),
    "list_all_schedule_health": Case({}, says="month end"),
    "list_schedule_history": Case(of("triage", schedule_id=SWEEP), says="runs"),
    "create_schedule": Case(
        of("triage", name="evening", cron_expr="0 18 * * *", prompt="Report."), at=LIST, seen=has(name="evening")
    ),
    "update_schedule": Case(
        of("triage", schedule_id=SWEEP, cron_expr="0 * * * *"), at=LIST, seen=has(id=SWEEP, cron_expr="0 * * * *")
    ),
    "run_schedule": Case(
        of("triage", schedule_id=SWEEP),
        at=under("triage", "activity"),
        seen=lambda rows: any("Sort every ticket" in str(row) for row in rows),
        doubt=True,
    ),
    "delete_schedule": Case(of("triage", schedule_id=SWEEP), at=LIST, seen=lacks(id=SWEEP)),
}
