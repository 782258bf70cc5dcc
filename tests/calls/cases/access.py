"""Organization keys and workspace tokens."""

from molecule_mcp.embedded.sample import sample_id
from tests.calls.cases.case import Case, has, lacks, of, under, within

GRAFANA = sample_id("org_tokens", "1")
TOKEN = sample_id("workspace_tokens", "partner")

CASES = {
    "list_org_tokens": Case({}, says="grafana"),
    "create_org_token": Case({"name": "night"}, at="/org/tokens", seen=within("tokens", has(name="night"))),
    "revoke_org_token": Case({"token_id": GRAFANA}, at="/org/tokens", seen=within("tokens", lacks(id=GRAFANA))),
    "list_workspace_tokens": Case(of("partner"), says=TOKEN),
    "create_workspace_token": Case(of("partner"), at=under("partner", "tokens"), seen=has(count=2), vague=True),
    "revoke_workspace_token": Case(of("partner", token_id=TOKEN), at=under("partner", "tokens"), seen=has(count=0)),
}
