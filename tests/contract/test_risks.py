"""The stated risks agree with the contract, and each check on them can fail."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.contract.contract import Operation, operations
from tests.contract.risks import FACTS, Stated, complaints, parsed, stated

from molecule_mcp.capability import Risk

CONTRACT, RISKS = operations(), stated()

CRITICAL = {
    "collapse_team", "import_bundle", "import_org", "import_memories", "set_global_secret", "delete_global_secret",
    "create_org_token", "revoke_org_token", "install_plugin", "refresh_workspace_images",
}  # fmt: skip
"""What is critical whatever it is called with, by the last row of the rules."""


def test_the_contract_has_as_many_operations_as_its_notes_say() -> None:
    assert len(CONTRACT) == 148


def test_every_operation_and_field_has_a_risk_and_no_risk_is_below_its_floor() -> None:
    assert complaints(CONTRACT, RISKS) == []


def test_exactly_the_operations_that_the_last_row_names_are_always_critical() -> None:
    assert {name for name, says in RISKS.items() if says.risk is Risk.CRITICAL} == CRITICAL


@pytest.mark.parametrize(
    ("operation", "raised", "risk"),
    [
        ("delete_workspace", "query.purge", "critical"),
        ("delete_workspace", "descendants", "critical"),
        ("pause_workspace", "descendants", "destroy"),
        ("resume_workspace", "descendants", "destroy"),
        ("restart_workspace", "external", "destroy"),
        ("create_workspace", "body.external=true", "destroy"),
        ("create_workspace", "body.url", "destroy"),
        ("create_workspace", "body.secrets", "destroy"),
        ("create_workspace", "body.workspace_dir", "critical"),
        ("create_workspace", "body.workspace_access=read_write", "critical"),
        ("update_workspace", "body.workspace_dir", "critical"),
        ("update_workspace", "body.parent_id", "destroy"),
        ("commit_memory", "body.scope=TEAM", "destroy"),
        ("commit_memory", "body.scope=GLOBAL", "critical"),
        ("create_instruction", "body.scope=global", "critical"),
        ("update_instruction", "global_scope", "critical"),
        ("decide_approval", "body.decision=approved", "destroy"),
        ("decide_approval", "body.decision=denied", "disrupt"),
        ("update_channel", "body.enabled=true", "destroy"),
        ("replace_files", "no_container", "destroy"),
    ],
)
def test_a_value_or_fact_that_the_rules_name_raises_to_the_risk_they_name(
    operation: str, raised: str, risk: str
) -> None:
    says = RISKS[operation]
    name, _, value = raised.partition("=")
    of = says.facts[name] if name in FACTS else says.fields[name]
    found = of[value] if isinstance(of, dict) else of
    assert isinstance(found, Risk)
    assert found.label == risk


def test_no_tool_may_give_what_turns_the_tenants_own_safeguard_off() -> None:
    assert RISKS["delete_workspace"].fields["query.confirm"] is None


def test_routes_that_answer_secrets_or_hand_the_key_on_are_omitted() -> None:
    never = {
        "get_workspace_secret_values", "get_github_installation_token", "get_workspace_github_token",
        "get_transcript", "proxy_control_plane", "call_workspace_mcp", "open_terminal",
    }  # fmt: skip
    assert never <= {name for name, says in RISKS.items() if says.omitted}


def changed(name: str, **to: Any) -> Callable[[dict[str, Stated]], None]:
    """A way to spoil the stated risks: one operation says something else."""

    def change(risks: dict[str, Stated]) -> None:
        risks[name] = replace(risks[name], **to)

    return change


def without(risks: dict[str, Stated]) -> None:
    """One operation is missing."""
    del risks["list_workspaces"]


def with_one_more(risks: dict[str, Stated]) -> None:
    """One operation is stated that the contract has not."""
    risks["gone"] = Stated("GET /gone")


def with_field(name: str, path: str, of: Any) -> Callable[[dict[str, Stated]], None]:
    """A way to spoil them: one field says something else."""
    return changed(name, fields={**RISKS[name].fields, path: of})


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (without, "list_workspaces: not stated"),
        (with_one_more, "gone: no such operation"),
        (changed("list_workspaces", route="GET /workspace"), "list_workspaces: its route is GET /workspaces"),
        (changed("set_budget", fields={}), "set_budget: body.budget_limit is not stated"),
        (with_field("set_budget", "body.limit", Risk.DISRUPT), "set_budget: no such field body.limit"),
        (with_field("set_budget", "body.budget_limit", Risk.WRITE), "set_budget: body.budget_limit lowers the risk"),
        (
            with_field("commit_memory", "body.scope", {"LOCAL": Risk.DISRUPT, "TEAM": Risk.DESTROY}),
            "commit_memory: body.scope takes ['GLOBAL', 'LOCAL', 'TEAM']",
        ),
        (changed("pause_workspace", facts={"children": Risk.DESTROY}), "pause_workspace: no such fact children"),
        (changed("pause_workspace", facts={"descendants": Risk.READ}), "pause_workspace: descendants lowers the risk"),
        (
            changed("list_admin_secrets", omitted=None),
            "list_admin_secrets: an alias of list_global_secrets is omitted",
        ),
        (changed("list_peers", omitted=None), "list_peers: refuses an org key, so it is omitted"),
        (changed("list_workspaces", risk=Risk.WRITE), "list_workspaces: only reads"),
        (changed("remove_agent", risk=Risk.READ), "remove_agent: is no read"),
        (changed("delete_memory", risk=Risk.DISRUPT), "delete_memory: cannot be undone, so it is destroy"),
        (changed("restart_workspace", risk=Risk.WRITE), "restart_workspace: cannot be undone, so it is destroy"),
        (changed("set_model", risk=Risk.WRITE), "set_model: restarts, so it is disrupt"),
        (
            with_field("create_workspace", "body.secrets.*", Risk.DISRUPT),
            "create_workspace: body.secrets.* moves a secret, so it is destroy",
        ),
        (
            with_field("update_channel", "body.config.*", Risk.DISRUPT),
            "update_channel: body.config.* moves a secret, so it is destroy",
        ),
        (
            changed("create_org_token", secret_out={}),
            "create_org_token: what becomes of 'auth_token' is not stated",
        ),
        (
            changed("create_org_token", secret_out={"auth_token": "redacted"}),
            "create_org_token: auth_token is a secret, not text",
        ),
        (changed("get_workspace", secret_out={"url": "output"}), "get_workspace: the contract names no secret url"),
        (changed("set_budget", former=("DELETE /workspaces/{id}",)), "set_budget: DELETE /workspaces/{id} is no read"),
    ],
)
def test_a_spoilt_statement_is_complained_about(spoil: Callable[[dict[str, Stated]], None], complaint: str) -> None:
    risks = dict(RISKS)
    spoil(risks)
    assert complaint in complaints(CONTRACT, risks)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"route": "GET /x", "risk": "harmless"}, "'harmless' is no risk"),
        ({"route": "GET /x", "risk": "read", "field": {}}, "unknown ['field']"),
        ({"route": "GET /x", "omitted": "why", "risk": "read"}, "an omission states its route and its reason"),
        ({"route": "GET /x", "omitted": ""}, "an omission states its route and its reason"),
        ({"route": "GET /x", "risk": "read", "secret_out": {"token": "shown"}}, "token = 'shown' is not one of"),
    ],
)
def test_a_word_that_is_none_of_ours_is_refused(table: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        parsed({"some_operation": table})


def test_a_field_new_in_the_contract_is_complained_about_until_it_has_a_risk() -> None:
    old = CONTRACT["set_budget"]
    grown: dict[str, Operation] = {**CONTRACT, "set_budget": replace(old, fields={**old.fields, "body.hard": None})}
    assert complaints(grown, RISKS) == ["set_budget: body.hard is not stated"]
