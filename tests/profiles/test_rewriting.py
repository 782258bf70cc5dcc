"""New ids in a policy file change its one list and nothing else, or nothing at all."""

import tomllib

import pytest

from molecule_mcp.errors import ConfigurationError
from molecule_mcp.profiles.rewriting import with_workspaces
from tests.profiles.making import ONE, TWO, text

OTHER = text(f'workspaces = ["{ONE}"]', name="other").removeprefix("version = 1\n")


def rewritten(content: str, **names: str) -> str:
    """A file whose profile `support` is bound to these."""
    return with_workspaces(content.encode(), "support", names or {ONE: "Lead", TWO: "Leaf"}).decode()


def ids(content: str, name: str = "support") -> list[str]:
    """The ids that a profile of a file is bound to."""
    return tomllib.loads(content)["profile"][name]["workspaces"]


@pytest.mark.parametrize(
    "content",
    [
        text('roots = ["Lead"]'),
        text("workspaces = []", 'roots = ["Lead"]'),
        text('roots = ["Lead"]', f'  workspaces = [ # old\n  "{ONE}", # a ] in a "comment\n\n]  # kept'),
        text("# workspaces = [1]", f"workspaces = ['{ONE}']"),
        text(name=' "support" ').replace(" ]", " ] # why"),
        text() + OTHER,
        OTHER.join(["version = 1\n", text().removeprefix("version = 1\n")]),
        text().replace("\n", "\r\n"),
        text().rstrip(),
    ],
)
def test_only_the_list_changes(content: str) -> None:
    after = rewritten(content)
    assert ids(after) == [ONE, TWO]
    before = tomllib.loads(content)
    before["profile"]["support"]["workspaces"] = [ONE, TWO]
    assert tomllib.loads(after) == before
    kept = [line for line in content.splitlines() if line.startswith(("role", "expires", "# ", "[", "version"))]
    assert [line for line in kept if line not in after.splitlines()] == []
    assert ("\r\n" in after) == ("\r\n" in content)
    assert rewritten(after) == after


def test_names_stand_beside_ids_and_cannot_leave_their_comment() -> None:
    after = rewritten(text(), **{ONE: 'x\n]\nrole = "ORG-ADMIN" # \u202e'})
    assert ids(after) == [ONE]
    assert tomllib.loads(after)["profile"]["support"]["role"] == "WORKSPACE-WRITE"
    assert rewritten(after) != after and ids(rewritten(after)) == [ONE, TWO]


@pytest.mark.parametrize(
    "content",
    [
        'version = 1\nprofile.support.role = "READ"\nprofile.support.expires = 2027-02-01T00:00:00Z\n',
        'version = 1\n[profile]\nsupport = { role = "READ", expires = 2027-02-01T00:00:00Z }\n',
        text('workspaces = ["""\n[profile.support]\n"""]'),
    ],
)
def test_what_cannot_be_changed_alone_is_left_for_a_person(content: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be changed without touching the rest"):
        rewritten(content)
