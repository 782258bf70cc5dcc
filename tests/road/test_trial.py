"""A dry run tells what a call would ask and send, and nothing leaves."""

from typing import Annotated, Any

import pytest
from pydantic import Field

from molecule_mcp import arguments as strict
from molecule_mcp import tools
from molecule_mcp.capability import Capability, Family, Item, Own, Preview, Risk
from molecule_mcp.gate.ahead import Ahead
from molecule_mcp.gate.policy import Profile
from molecule_mcp.road.asking import Asking
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.road.trial import dry, trial
from molecule_mcp.secrets import SecretReference, Secrets
from molecule_mcp.store import approver
from molecule_mcp.store.forms import canonical
from molecule_mcp.tenant import Form, Tenant
from molecule_mcp.tools.kinds import Answer, WorkspaceId
from tests.road.own import Told, made, send
from tests.road.rig import PASSPHRASE, Rig, can_ask, refused

family = Family("test")


class Stored(Answer):
    """Nothing to tell."""


@family.tool(Risk.DISRUPT, sends=["POST /workspaces/{id}/channels"], title="Store a token")
async def store_token(
    tenant: Tenant,
    secrets: Secrets,
    workspace_id: WorkspaceId,
    token_from: SecretReference,
    label: Annotated[str, Field(description="A word.")] = "",
) -> Stored:
    """Send a secret, and what the caller said."""
    config = {"bot_token": secrets.resolve(token_from), "labels": [label, 3, {"again": [secrets.resolve(token_from)]}]}
    await tenant.send("POST", "/workspaces/{id}/channels", dict[str, Any], id=workspace_id, body={"config": config})
    return Stored()


@family.tool(Risk.DISRUPT, sends=["POST /workspaces/{id}/chat/uploads"], title="Upload")
async def upload(tenant: Tenant, workspace_id: WorkspaceId) -> Stored:
    """Send a file."""
    form = Form("files", {"a.txt": b"0123456789"})
    await tenant.send("POST", "/workspaces/{id}/chat/uploads", dict[str, Any], id=workspace_id, body=form)
    return Stored()


def found(name: str) -> Capability | None:
    """The tools of this test."""
    return family.capabilities.get(name)


@family.tool(Risk.DISRUPT, sends=["POST /workspaces/{id}/pause"], title="Sleep")
async def sleep(tenant: Tenant, workspace_id: WorkspaceId) -> Stored:
    """Send nothing but the request itself."""
    await tenant.send("POST", "/workspaces/{id}/pause", dict[str, Any], id=workspace_id)
    return Stored()


@family.tool(Risk.DISRUPT, sends=["POST /workspaces/{id}/channels"], title="Sign")
async def sign(tenant: Tenant, workspace_id: WorkspaceId) -> Stored:
    """Send who decided."""
    body = {"by": [tenant.actor, 1]}
    await tenant.send("POST", "/workspaces/{id}/channels", dict[str, Any], id=workspace_id, body=body)
    return Stored()


async def tried(rig: Rig, tool: str, **given: Any) -> dict[str, Any]:
    """Call with dry_run, and check that nothing changing left and nothing durable was written."""
    find: dict[str, Any] = {"find": found} if tool in family.capabilities else {}
    outcome = await rig.road(**find).call(can_ask(), tool, {**given, "dry_run": True})
    assert isinstance(outcome, Done)
    assert rig.transport.changes == []
    assert not (rig.folder / "state.db").exists()
    return outcome.structured


async def test_a_gated_call_shows_its_question_and_its_exact_requests(rig: Rig) -> None:
    lead = rig.named("Finance Lead")
    told = await tried(rig, "delete_workspace", workspace_id=lead)
    assert (told["items"], told["sent"], told["dry_run"]) == ([], [], True)
    assert (told["risk"], told["asks"]) == ("critical", "a phrase typed under this preview")
    assert told["would"][0] == "Delete 2 workspaces, with what is in them (critical)"
    assert told["requests"][-1] == f"DELETE /workspaces/{lead}"
    assert len(told["requests"]) == 2


async def test_a_call_of_which_a_person_decides_the_answer_shows_its_request_once(rig: Rig) -> None:
    row = rig.app.database.execute("SELECT workspace_id, id FROM approvals WHERE status = 'pending'").fetchone()
    told = await tried(rig, "decide_approval", workspace_id=row[0], approval_id=row[1])
    assert told["requests"] == [f"POST /workspaces/{row[0]}/approvals/{row[1]}/decide"]
    assert told["asks"] == "a yes to this preview"


async def test_a_free_call_with_a_preview_shows_it_though_nobody_would_be_asked(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")
    told = await tried(rig, "restart_workspace", workspace_id=leaf)
    assert (told["risk"], told["asks"]) == ("disrupt", "nobody")
    assert told["would"][0] == "Restart 1 workspace (disrupt)"
    assert told["requests"] == [f"POST /workspaces/{leaf}/restart"]


async def test_a_free_call_without_a_preview_shows_the_request_and_its_body(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")
    told = await tried(rig, "create_approval", workspace_id=leaf, action="Send 40 mails", reason="Asked for")
    assert told["requests"] == [f"POST /workspaces/{leaf}/approvals"]
    assert told["body"]["action"] == "Send 40 mails"


async def test_what_only_the_profile_asks_about_shows_the_question_of_the_profile(rig: Rig) -> None:
    road = rig.road(Profile(ask_from=Risk.WRITE))
    given = {"workspace_id": rig.named("SEO Analyst"), "action": "Send 40 mails", "dry_run": True}
    outcome = await road.call(can_ask(), "create_approval", given)
    assert isinstance(outcome, Done)
    assert outcome.structured["asks"] == "a yes to this preview"
    assert 'action: "Send 40 mails"' in outcome.structured["would"]
    assert rig.transport.changes == []


@pytest.mark.parametrize("secret", ["sesame-0123456789", "abc"])
async def test_what_a_reference_leads_to_is_not_shown_however_short_it_is(rig: Rig, secret: str) -> None:
    rig.environ["MOLECULE_SECRET_KEY"] = secret
    told = await tried(
        rig,
        "store_token",
        workspace_id=rig.named("SEO Analyst"),
        token_from="env:MOLECULE_SECRET_KEY",
        label="mine",
    )
    assert told["body"] == {"config": {"bot_token": "[not shown]", "labels": ["mine", 3, {"again": ["[not shown]"]}]}}


@pytest.mark.parametrize("tool", ["store_token", "set_workspace_secret"])
async def test_nobody_is_asked_to_type_a_secret(rig: Rig, tool: str) -> None:
    more = {"token_from": "page:KEY"} if tool == "store_token" else {"key": "OWN_KEY"}
    told = await tried(rig, tool, workspace_id=rig.named("SEO Analyst"), **more)
    assert told["dry_run"]
    assert "what a person would type" not in str(told)
    calls = [{"tool": tool, "arguments": {"workspace_id": rig.named("SEO Analyst"), **more}}]
    if tool not in family.capabilities:
        assert (await tried(rig, "run_plan", calls=calls))["asks"] != "nobody"
    assert not list(rig.folder.rglob("*.json"))


async def test_of_a_file_only_its_kind_and_size_are_told(rig: Rig) -> None:
    told = await tried(rig, "upload", workspace_id=rig.named("SEO Analyst"))
    assert told["body"]["content_type"].startswith("multipart/form-data")
    assert told["body"]["bytes"] > 10


async def test_a_read_that_would_change_something_shows_what(rig: Rig) -> None:
    told = await tried(rig, "list_pending_approvals", sweep=True)
    assert told["requests"] == ["GET /approvals/pending"]


async def test_a_read_that_changes_nothing_is_simply_made(rig: Rig) -> None:
    assert "dry_run" not in await tried(rig, "list_pending_approvals")


async def test_a_dry_run_of_what_the_profile_may_not_do_is_refused_too(rig: Rig) -> None:
    road = rig.road(Profile(role="READ"))
    given = {"workspace_id": rig.named("SEO Analyst"), "dry_run": True}
    assert (await refused(road.call(Caller(), "restart_workspace", given))).kind == "forbidden_by_policy"


async def test_a_pure_read_knows_no_dry_run(rig: Rig) -> None:
    error = await refused(rig.road().call(Caller(), "list_workspaces", {"dry_run": True}))
    assert (error.kind, "unknown argument" in error.message) == ("arguments", True)


async def test_a_dry_run_of_a_request_without_a_body_is_told_whole(rig: Rig) -> None:
    leaf = rig.named("SEO Analyst")
    assert await tried(rig, "sleep", workspace_id=leaf) == {
        "items": [],
        "sent": [],
        "dry_run": True,
        "risk": "disrupt",
        "asks": "nobody",
        "requests": [f"POST /workspaces/{leaf}/pause"],
        "body": None,
    }


async def test_where_a_request_names_a_plan_a_dry_run_names_itself(rig: Rig) -> None:
    told = await tried(rig, "sign", workspace_id=rig.named("SEO Analyst"))
    assert told["body"] == {"by": ["mcp:default:dry-run", 1]}


async def test_a_gated_dry_run_draws_its_steps_under_its_own_name_and_without_digests(rig: Rig) -> None:
    actors: list[str] = []

    async def shown(tenant: Tenant, workspace_id: WorkspaceId) -> Preview:
        item = Item({"workspace_id": workspace_id})
        return Preview(Own("Test"), (), (item,), ("a", workspace_id), frozenset({workspace_id}))

    async def gated(tenant: Tenant, workspace_id: WorkspaceId) -> Told:
        actors.append(tenant.actor)
        await send(tenant, workspace_id)
        return Told()

    leaf = rig.named("SEO Analyst")
    context = rig.road(**made(gated, Risk.DESTROY, preview=shown)).context
    capability = context.find("gated")
    assert capability is not None
    asking = Asking(context, can_ask(), capability, {"workspace_id": leaf}, Risk.DESTROY)
    told = await trial(asking)
    assert told == {
        "items": [],
        "sent": [],
        "dry_run": True,
        "risk": "destroy",
        "asks": "a yes to this preview",
        "would": told["would"],
        "requests": [f"POST /workspaces/{leaf}/channels"],
    }
    assert actors == ["mcp:default:dry-run"]
    _, steps = await dry(asking).show("ABCD-1234")
    assert [step.body_digest for step in steps] == [""]
    assert not (rig.folder / "state.db").exists()


def ahead(arguments: dict[str, Any], expires: float) -> tuple[Ahead, ...]:
    """A deletion that an operator allowed beforehand."""
    return (Ahead("delete_workspace", canonical(arguments), 1, expires),)


@pytest.mark.parametrize(
    ("profile", "name", "asks"),
    [
        (Profile(strict=True), "Finance Lead", "a phrase typed under this preview, outside of the client"),
        (Profile(strict=True), "SEO Analyst", "a yes to this preview"),
        (Profile(two_step=True), "SEO Analyst", "nobody: the same call again"),
        (Profile(two_step=True), "Finance Lead", "a phrase typed under this preview"),
    ],
)
async def test_a_dry_run_tells_who_a_profile_would_have_asked(rig: Rig, profile: Profile, name: str, asks: str) -> None:
    given = {"workspace_id": rig.named(name), "dry_run": True}
    approver.init(rig.folder, PASSPHRASE)
    outcome = await rig.road(profile).call(Caller(), "delete_workspace", given)
    assert isinstance(outcome, Done)
    assert outcome.structured["asks"] == asks


@pytest.mark.parametrize(
    ("left", "asks"),
    [
        (1.0, "nobody, if a preauth of the profile is not used up; then a person"),
        (0.0, "a yes to this preview"),
    ],
)
async def test_a_dry_run_tells_of_what_was_allowed_beforehand_while_that_lasts(
    rig: Rig, left: float, asks: str
) -> None:
    arguments = strict.read(tools.catalogue()["delete_workspace"].function, {"workspace_id": rig.named("SEO Analyst")})
    road = rig.road(Profile(ahead=ahead(arguments, rig.clock.now + left)))
    approver.init(rig.folder, PASSPHRASE)
    outcome = await road.call(Caller(), "delete_workspace", {"workspace_id": rig.named("SEO Analyst"), "dry_run": True})
    assert isinstance(outcome, Done)
    assert outcome.structured["asks"] == asks


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize(
    ("profile", "caller", "asks"),
    [
        (Profile(), Caller(), "a yes to this preview, which nobody can give: no_approver"),
        (Profile(), can_ask(), "a yes to this preview"),
        (Profile(two_step=True), Caller(), "nobody: the same call again"),
    ],
)
async def test_a_dry_run_tells_that_nobody_could_allow_it_and_how_somebody_could(
    rig: Rig, planned: bool, profile: Profile, caller: Caller, asks: str
) -> None:
    tool, given = "delete_workspace", {"workspace_id": rig.named("SEO Analyst")}
    if planned:
        tool, given = "run_plan", {"calls": [{"tool": tool, "arguments": given}]}
    outcome = await rig.road(profile).call(caller, tool, {**given, "dry_run": True})
    assert isinstance(outcome, Done)
    advice = "A person runs once: molecule-mcp approver init - then repeat exactly this call."
    told = (outcome.structured["asks"], outcome.structured.get("advice"))
    assert told == (asks, advice if "no_approver" in asks else None)
    if "no_approver" in asks:
        assert (await refused(rig.road(profile).call(caller, tool, given))).told()["advice"] == advice


async def test_a_dry_run_of_a_plan_tells_that_a_strict_profile_takes_no_form(rig: Rig) -> None:
    approver.init(rig.folder, PASSPHRASE)
    calls = [{"tool": "delete_workspace", "arguments": {"workspace_id": rig.named("Finance Lead")}}]
    outcome = await rig.road(Profile(strict=True)).call(can_ask(), "run_plan", {"calls": calls, "dry_run": True})
    assert isinstance(outcome, Done)
    assert outcome.structured["asks"] == "a phrase typed under this preview, outside of the client"
