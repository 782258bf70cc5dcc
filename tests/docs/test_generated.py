"""What is generated from the tools is what lies in the tree: `make generate` brings it up to date."""

import re

from molecule_mcp import toolsets
from molecule_mcp.cli import generate
from molecule_mcp.prepared import entries

REFERENCE = (generate.ROOT / "docs" / "tools.md").read_text(encoding="utf-8")


def test_the_catalogue_the_schemas_and_the_reference_are_up_to_date() -> None:
    files = generate.generated()
    for path, text in files.items():
        assert (generate.ROOT / path).read_text() == text, f"{path}: run make generate"
    lying = {path.relative_to(generate.ROOT) for path in (generate.ROOT / "tool_schemas").iterdir()}
    assert lying == {path for path in files if path.parent.name == "tool_schemas"}


def test_the_reference_lists_every_toolset_with_its_tools_in_the_order_in_which_they_follow() -> None:
    contents = re.findall(r"^- \[(\w+)\]\(#\1\): (.*)$", REFERENCE, re.MULTILINE)
    named = {family: re.findall(r"\[(\w+)\]\(#\1\)", tools) for family, tools in contents}
    assert list(named) == [each for each in toolsets.names(entries()) if each not in {toolsets.ALL, toolsets.SHORT}]
    assert named == {family: [name for name, entry in entries().items() if entry.family == family] for family in named}
    headings = re.findall(r"^#{2,3} (\w+)$", REFERENCE, re.MULTILINE)
    assert headings == [each for family, tools in named.items() for each in (family, *tools)]


def test_the_reference_says_in_words_what_raises_a_risk_and_no_default_that_is_none() -> None:
    assert "destroy when `enabled` is `yes`" in REFERENCE
    assert "{'" not in REFERENCE
    assert '(default `""`)' not in REFERENCE
    assert "- `dry_run` (optional): Preview." in REFERENCE
