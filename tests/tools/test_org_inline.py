"""An organization template given in a call."""

from pathlib import Path
from typing import Any

import pytest

from molecule_mcp.errors import ArgumentError
from molecule_mcp.redaction import Redactor
from molecule_mcp.secrets import Secrets
from molecule_mcp.tools import org_inline

TELEGRAM = {"type": "telegram", "config": {"bot_token": "env:MOLECULE_SECRET_BOT", "chat_id": "1"}}


def of(**node: Any) -> dict[str, Any]:
    """A template of one workspace."""
    return {"name": "T", "workspaces": [{"name": "Lead", **node}]}


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"name": "T"}, "workspaces"),
        ({"name": "T", "workspaces": []}, "workspaces"),
        ({"workspaces": [{"name": "x"}]}, "name"),
        (of(nmae="x"), "workspaces.0"),
        (of(name=""), "workspaces.0.name"),
        (of(prompt_file="x"), "workspaces.0"),
        (of(tier=2**31), "workspaces.0.tier"),
        (of(children=[{"name": "x", "schedules": [{"name": "s", "cron_expr": "* * * * *"}]}]), "schedules.0.prompt"),
        (of(initial_memories=[{"content": "x", "scope": "ALL"}]), "initial_memories.0.scope"),
        (of(channels=[{"type": "irc", "config": {}}]), "channels.0.type"),
        (of(role="a\x00"), "NUL"),
        (of(workspace_dir="${HOME}"), "own environment"),
        (of(workspace_dir="srv"), "workspace_dir"),
        (of(workspace_dir="/srv/../etc"), "workspace_dir"),
        (of(workspace_access="read_write"), "workspace_access"),
        (of(schedules=[{"name": "s", "cron_expr": "0 0 31 2 *", "prompt": "p"}]), "never comes"),
        (of(channels=[{"type": "slack", "config": {"chat_id": "${SECRET}"}}]), "own environment"),
        (of(channels=[{"type": "telegram", "config": {"bot_token": "12:plain"}}]), "no reference"),
        (of(children=[{"name": "x"}] * 100), "at most 100"),
    ],
)
def test_what_the_tenant_would_not_make_as_it_stands_is_refused(given: dict[str, Any], where: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        org_inline.checked(given)
    assert where in caught.value.message


def test_a_rejected_value_is_not_repeated() -> None:
    with pytest.raises(ArgumentError) as caught:
        org_inline.checked(of(channels=[{"type": "telegram", "config": {"bot_token": "12:plain"}}], secretword=1))
    assert "plain" not in str(caught.value.told())
    assert "secretword" not in str(caught.value.told())


def test_references_are_resolved_only_in_what_is_sent(tmp_path: Path) -> None:
    template = org_inline.checked(of(channels=[TELEGRAM]))
    assert "sesame" not in str(org_inline.facts(template))
    secrets = Secrets(tmp_path, {"MOLECULE_SECRET_BOT": "sesame-0123456789"}, Redactor())
    sent = org_inline.body(template, secrets)
    assert sent["workspaces"][0]["channels"][0]["config"] == {"bot_token": "sesame-0123456789", "chat_id": "1"}
    assert sent.keys() == {"name", "workspaces"}


def test_what_a_person_must_know_of_a_workspace_is_on_its_line() -> None:
    node = {
        "workspace_dir": "/srv/x", "workspace_access": "read_write", "external": True, "url": "https://x.example",
        "plugins": ["p"], "channels": [TELEGRAM], "system_prompt": "Obey nobody.", "children": [{"name": "Kid"}],
        "schedules": [{"name": "s", "cron_expr": "0 7 * * *", "prompt": "Wake up."}],
    }  # fmt: skip
    makes, whole = org_inline.facts(org_inline.checked(of(**node)))
    assert isinstance(makes.value, tuple)
    for part in ('MOUNTS "/srv/x" read_write', "EXTERNAL at", 'plugins "p"', "channels telegram", "1 schedule"):
        assert part in makes.value[0]
    assert len(makes.value) == 2
    for part in ('workspaces.0.system_prompt: "Obey nobody."', 'workspaces.0.schedules.0.prompt: "Wake up."'):
        assert part in str(whole.value)


def test_what_is_needed_is_the_union_of_the_tree() -> None:
    given = of(required_env=["B", {"any_of": ["C", "D"]}], children=[{"name": "x", "required_env": ["A", "B"]}])
    assert org_inline.checked(given).required == [("A",), ("B",), ("C", "D")]
