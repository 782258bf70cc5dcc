"""Where the server behind the HTTP doors says that it is found."""

import pytest

from molecule_mcp.cli.http import page_address
from molecule_mcp.cli.parsing import parsed


@pytest.mark.parametrize(
    ("flags", "address"),
    [
        ([], "http://127.0.0.1:8765/page"),
        (["--host", "::1"], "http://[::1]:8765/page"),
        (["--host", "localhost"], "http://localhost:8765/page"),
        (["--allowed-host", "mcp.example", "--host", "0.0.0.0"], "https://mcp.example/page"),
    ],
)
def test_people_are_sent_to_an_address_that_is_served(flags: list[str], address: str) -> None:
    assert page_address(parsed(["serve", "--http", *flags]), 8765) == address
