"""Whether a container can answer."""

import pytest
from tests.tenant.making import Script, answer, tenant, wired

from molecule_mcp.errors import TenantRefused
from molecule_mcp.tenant import Permit, Tenant
from molecule_mcp.tools.containers import refused_without_container, silent
from molecule_mcp.tools.workspaces import Row


@pytest.mark.parametrize(
    ("status", "runtime", "why"),
    [("online", "langgraph", None), ("degraded", "", None), ("paused", "", "paused"), ("online", "external", "runs")],
)
def test_a_container_answers_for_agents_that_run_here(status: str, runtime: str, why: str | None) -> None:
    told = silent(tenant(Script(answer({}))), Row(id="1", name="x", status=status, runtime=runtime))
    assert (told is None) if why is None else (why in str(told))


def test_no_container_of_a_hosted_tenant_is_looked_into() -> None:
    hosted = Tenant(wired(Script(answer({})), org_id="o"), Permit(frozenset()))
    assert "hosted" in str(silent(hosted, Row(id="1", name="x", status="online")))


@pytest.mark.parametrize(
    ("status", "body"), [(503, {"error": "x"}), (503, "x"), (500, {"error": "workspace container not running"})]
)
def test_only_the_tenants_own_words_take_the_doubt_away(status: int, body: object) -> None:
    error = TenantRefused(status, "x", sent="unknown", body=body)
    assert refused_without_container(error) is error
