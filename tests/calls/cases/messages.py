"""Messages to agents, and tasks that they hand over."""

from tests.calls.cases.case import Case, has, of, under, workspace

CASES = {
    "send_message": Case(
        of("seo", text="How far are you?"),
        at=under("seo", "activity"),
        seen=lambda rows: any("How far are you?" in str(row) for row in rows),
        doubt=True,
    ),
    "check_access": Case({"caller_id": workspace("chief"), "target_id": workspace("seo")}, says="allowed"),
    "delegate_task": Case(
        of("engineering", target_id=workspace("frontend"), task="Count the tickets", seconds=0),
        at=under("engineering", "delegations"),
        seen=has(target_id=workspace("frontend")),
    ),
    "list_delegations": Case({"workspace": "Engineering Lead"}, says="The export"),
}
