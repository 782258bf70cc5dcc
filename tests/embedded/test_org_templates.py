"""Organization templates as data."""

import pytest

from molecule_mcp.embedded import folders
from molecule_mcp.embedded import org_templates as templates
from tests.embedded.support import Desk


def test_includes_are_expanded_where_they_stand(sample: Desk) -> None:
    given = templates.stored(sample.app.instance.db, "support-desk")
    assert [node["name"] for node in templates.nodes(given["workspaces"])] == ["Desk Lead", "Desk Partner"]


@pytest.mark.parametrize("content", ["name: x\nworkspaces:\n  - !include gone.yaml\n", "!include org.yaml\n", "- 1\n"])
def test_what_cannot_be_expanded_is_broken(desk: Desk, content: str) -> None:
    db = desk.app.instance.db
    folders.write(db, "org", "x", "org.yaml", content)
    with pytest.raises(templates.BrokenTemplate):
        templates.stored(db, "x")
    assert templates.listed(db) == []


def test_what_is_needed_is_the_union_of_the_tree_names_before_groups() -> None:
    given = templates.template(
        {
            "required_env": ["B", {"any_of": ["D", "C"]}],
            "workspaces": [{"children": [{"required_env": ["A", "B", "9"]}]}],
        }
    )
    assert templates.needed(given, "required_env") == ["A", "B", {"any_of": ["D", "C"]}]
