"""What is generated from the tools is what lies in the tree: `make generate` brings it up to date."""

from molecule_mcp.cli import generate


def test_the_catalogue_the_schemas_and_the_reference_are_up_to_date() -> None:
    files = generate.generated()
    for path, text in files.items():
        assert (generate.ROOT / path).read_text() == text, f"{path}: run make generate"
    lying = {path.relative_to(generate.ROOT) for path in (generate.ROOT / "tool_schemas").iterdir()}
    assert lying == {path for path in files if path.parent.name == "tool_schemas"}
