"""Approvals: the person's form is the decision."""

from molecule_mcp.embedded.sample import sample_id
from tests.calls.cases.case import Case, has, of, under

REFUND = sample_id("approvals", "refunds:refund_order")

CASES = {
    "list_pending_approvals": Case({}, says="refund_order"),
    "list_approvals": Case(of("refunds"), says="refund_order"),
    "create_approval": Case(of("seo", action="buy_links"), at=under("seo", "approvals"), seen=has(action="buy_links")),
    "decide_approval": Case(
        of("refunds", approval_id=REFUND),
        at=under("refunds", "approvals"),
        seen=has(id=REFUND, status="approved"),
    ),
}
