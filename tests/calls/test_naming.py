"""A name where an id is wanted, over stdio: the refusal holds the id, so that the next call is the right one."""

from pathlib import Path

from tests.calls import harness
from tests.calls.harness import Person, called, client, tenant_process


async def test_the_refusal_of_a_name_is_all_that_the_right_call_takes(tmp_path: Path) -> None:
    with tenant_process() as tenant:
        target = tenant.make("Ledger Clerk")
        tenant.make("Payroll")
        person = Person(harness.exactly_yes)
        async with client(tenant, tmp_path, person=person) as connected:
            worked, refusal = await called(connected, "delete_workspace", {"workspace_id": "ledger clerk"})
            assert (worked, refusal["error"], refusal["sent"]) == (False, "arguments", False)
            assert (tenant.proxy.changes, person.questions, tenant.lives(target)) == ([], [], True)
            [candidate] = refusal["candidates"]
            assert (candidate["id"], candidate["for"]) == (target, "workspace_id")
            worked, answer = await called(connected, "delete_workspace", {"workspace_id": candidate["id"]})
        assert worked, answer
        assert tenant.proxy.changes == [f"DELETE /workspaces/{target}"]
