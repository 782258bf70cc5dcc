"""Logs, events, traces, the audit ledger and notices."""

from tests.calls.cases.case import Case, of, under

CASES = {
    "list_activity": Case({"workspace": "Copywriter"}, says="First draft"),
    "list_events": Case({}, says="WORKSPACE_"),
    "list_workspace_events": Case(of("seo"), says="WORKSPACE_"),
    "list_traces": Case({"workspace": "Backend Engineer"}, says="traces"),
    "query_audit_log": Case({"workspace": "Bookkeeper"}, says="task_start"),
    "search_session": Case({"workspace": "Ticket Triage", "q": "ticket"}, says="sorted"),
    "watch_workspace": Case({"workspace": "SEO Analyst", "until": "online", "seconds": 3}, says="online"),
    "stream_workspace_events": Case(of("copywriter", seconds=1), says="ended"),
    "notify_user": Case(
        of("copywriter", message="Look at this"),
        at=under("copywriter", "activity"),
        seen=lambda rows: any("Look at this" in str(row) for row in rows),
        blind=True,
    ),
}
