"""Keys and tokens: minted into files, listed without values, the key in use never revoked."""

import stat
from pathlib import Path

import pytest
from tests.road.rig import Rig, asked, can_ask, refused
from tests.tools.test_lifecycle import done

from molecule_mcp.errors import StoreError
from molecule_mcp.redaction import Redactor
from molecule_mcp.road.traffic import Caller, Done
from molecule_mcp.secrets import Outputs


async def test_a_minted_key_goes_to_a_file_and_works_until_it_is_revoked(rig: Rig) -> None:
    minted = await done(rig, "create_org_token", {"name": "nightly report"})
    (file,) = (rig.folder / "outputs").iterdir()
    assert str(file) == minted["written_to"]
    key = file.read_text().strip()
    assert key.startswith(minted["prefix"])
    assert key not in str(minted)
    revoked = await done(rig, "revoke_org_token", {"token_id": minted["id"]})
    assert revoked == {"id": minted["id"], "gone": True}


async def test_the_key_in_use_is_marked_and_cannot_be_revoked(rig: Rig) -> None:
    road = rig.road()
    listed = await road.call(Caller(), "list_org_tokens", {})
    assert isinstance(listed, Done)
    own = next(key for key in listed.structured["tokens"] if key.get("this_one"))
    error = await refused(road.call(can_ask(), "revoke_org_token", {"token_id": own["id"]}))
    assert error.kind == "forbidden_by_policy"
    assert str(error.advice).startswith("Mint another with create_org_token")
    assert rig.transport.changes == []


async def test_an_unknown_key_is_refused_before_anything_is_asked(rig: Rig) -> None:
    given = {"token_id": "00000000-0000-4000-8000-000000000000"}
    assert (await refused(rig.road().call(can_ask(), "revoke_org_token", given))).kind == "arguments"


async def test_a_workspace_token_is_minted_listed_and_revoked(rig: Rig) -> None:
    workspace = rig.named("Partner Bot")
    minted = await done(rig, "create_workspace_token", {"workspace_id": workspace})
    listed = await rig.road().call(Caller(), "list_workspace_tokens", {"workspace_id": workspace})
    assert isinstance(listed, Done)
    assert minted["id"] in {token["id"] for token in listed.structured["tokens"]}
    given = {"workspace_id": workspace, "token_id": minted["id"]}
    assert (await done(rig, "revoke_workspace_token", given))["gone"] is True
    rig.clock.now += 121  # a repeat sooner is answered with the first outcome
    assert (await refused(rig.road().call(can_ask(), "revoke_workspace_token", given))).details["status"] == 404


async def test_minting_asks_for_a_typed_phrase(rig: Rig) -> None:
    assert (await asked(rig.road(), "create_org_token", {"name": "ci"})).plan.risk == "critical"


async def test_nothing_is_minted_when_the_file_could_not_be_written(rig: Rig) -> None:
    (rig.folder / "outputs").mkdir(mode=0o755)
    (rig.folder / "outputs").chmod(0o755)
    error = await refused(rig.road().call(can_ask(), "create_org_token", {"name": "ci"}))
    assert (error.kind, error.sent) == ("store", False)
    assert rig.transport.changes == []


def test_a_value_that_was_minted_and_could_not_be_kept_is_told_as_sent(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as lost:
        Outputs(tmp_path / "missing", Redactor()).write("org-token", "id", "value-of-the-key")
    assert lost.value.sent is True
    assert "value-of-the-key" not in str(lost.value.told())


def test_an_outputs_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outputs").touch()
    with pytest.raises(StoreError):
        Outputs(tmp_path / "outputs", Redactor()).ready()


def test_a_value_is_learned_and_kept_private(tmp_path: Path) -> None:
    redactor = Redactor()
    outputs = Outputs(tmp_path / "outputs", redactor, lambda: 0.0)
    outputs.ready()
    path = Path(outputs.write("org-token", "../../x", "value-of-the-key"))
    assert path.parent == tmp_path / "outputs"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert redactor.text("value-of-the-key") == "[redacted:org-token]"
