"""Where the page for people is found beside a server."""

from pathlib import Path

from molecule_mcp.cli import page


def test_the_address_of_a_folders_page_outlives_its_server_and_gives_way_to_another(tmp_path: Path) -> None:
    with page.bound_for(tmp_path) as first:
        before = page.address(first)
        with page.bound_for(tmp_path) as second:
            assert page.address(second) != before
    with page.bound_for(tmp_path) as again:
        assert page.address(again) == before
