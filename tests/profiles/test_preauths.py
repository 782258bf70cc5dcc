"""A pre-authorisation is one exact call that its profile could make; everything else stops the start."""

import pytest

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.gate.policy import Profile
from molecule_mcp.prepared import entries
from molecule_mcp.profiles import force, forms
from molecule_mcp.store.forms import canonical
from tests.profiles.making import NOW, ONE, SOON, TWO, text


def preauth(tool: str, arguments: str, uses: str = "max_uses = 3", expires: str = SOON) -> str:
    """One entry."""
    return "\n".join(
        ["[[profile.support.preauth]]", f'tool = "{tool}"', f"arguments = {arguments}", uses, f"expires = {expires}"]
    )


def effective(*lines: str, role: str = "ORG-ADMIN") -> Profile:
    """The profile of a file with these lines."""
    written = forms.profiles(text(*lines, role=role).encode(), "p.toml", entries(), NOW)["support"]
    return force.effective(written, entries())


def test_an_entry_allows_the_call_with_every_argument_that_is_left_out_at_its_default() -> None:
    (allowed,) = effective(preauth("delete_workspace", f'{{ workspace_id = "{ONE.upper()}" }}')).ahead
    assert allowed.arguments == canonical({"workspace_id": ONE, "purge": False})
    assert (allowed.tool, allowed.max_uses, allowed.expires) == ("delete_workspace", 3, 1_801_440_000.0)


def test_a_critical_call_can_be_allowed_by_its_exact_arguments() -> None:
    (allowed,) = effective(preauth("delete_workspace", f'{{ workspace_id = "{ONE}", purge = true }}')).ahead
    assert allowed.arguments == canonical({"workspace_id": ONE, "purge": True})


APPROVAL = f'{{ workspace_id = "{ONE}", approval_id = "{TWO}" }}'
DELETE = f'{{ workspace_id = "{ONE}" }}'


@pytest.mark.parametrize(
    ("lines", "role", "told"),
    [
        ((preauth("delete_workspaces", DELETE),), "ORG-ADMIN", "preauth.0.tool is no tool"),
        ((preauth("*", DELETE),), "ORG-ADMIN", "preauth.0.tool is no tool"),
        ((preauth("delete_workspace", '{ workspace_id = "*" }'),), "ORG-ADMIN", "holds a wildcard"),
        ((preauth("install_plugin", f'{{ workspace_id = "{ONE}", source = "*" }}'),), "ORG-ADMIN", "holds a wildcard"),
        ((preauth("delete_workspace", "{}"),), "ORG-ADMIN", "workspace_id is required"),
        ((preauth("delete_workspace", '{ workspace_id = "Leaf" }'),), "ORG-ADMIN", "does not have the form"),
        (
            (preauth("delete_workspace", f'{{ workspace_id = "{ONE}", all = true }}'),),
            "ORG-ADMIN",
            "1 unknown argument",
        ),
        ((preauth("list_workspaces", "{}"),), "ORG-ADMIN", "only reads"),
        ((preauth("run_plan", '{ calls = [{ tool = "x", arguments = {} }] }'),), "ORG-ADMIN", "made of other calls"),
        ((preauth("decide_approval", APPROVAL),), "ORG-ADMIN", "a person's choice is what it does"),
        ((preauth("delete_workspace", DELETE),), "READ", "the profile itself refuses this call"),
        ((preauth("create_org_token", '{ name = "x" }'),), "WORKSPACE-WRITE", "the profile itself refuses"),
        ((f'workspaces = ["{TWO}"]', preauth("delete_workspace", DELETE)), "WORKSPACE-WRITE", "itself refuses"),
        (('deny = ["delete_workspace"]', preauth("delete_workspace", DELETE)), "ORG-ADMIN", "`deny`"),
        (
            ('confirm = "strict"', preauth("delete_workspace", f'{{ workspace_id = "{ONE}", purge = true }}')),
            "ORG-ADMIN",
            "confirm = strict",
        ),
        (
            (preauth("delete_workspace", DELETE, expires="2027-03-01T00:00:00Z"),),
            "ORG-ADMIN",
            "later than the profile's",
        ),
        ((preauth("delete_workspace", DELETE, uses="max_uses = 0"),), "ORG-ADMIN", "max_uses must be at least 1"),
        ((preauth("delete_workspace", DELETE, uses=""),), "ORG-ADMIN", "max_uses is required"),
        ((preauth("delete_workspace", DELETE, uses="max_uses = 1\nrisk = 1"),), "ORG-ADMIN", "risk is not known"),
        ((preauth("delete_workspace", DELETE, expires="2027-01-20"),), "ORG-ADMIN", "expires must be a date and time"),
        (('unattended = "always"',), "ORG-ADMIN", "unattended must be one of"),
    ],
)
def test_whatever_is_not_one_exact_call_of_the_profile_stops_the_start(
    lines: tuple[str, ...], role: str, told: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        effective(*lines, role=role)
    assert told in error.value.message


def test_repeating_is_off_unless_it_is_named() -> None:
    assert not effective().two_step
    assert effective('unattended = "two-step"').two_step
