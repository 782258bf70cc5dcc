"""A listening socket and what it is called."""

import pytest

from molecule_mcp.cli.listening import authority, bound
from molecule_mcp.errors import ConfigurationError


@pytest.mark.parametrize(
    ("host", "named"), [("127.0.0.1", "127.0.0.1:80"), ("localhost", "localhost:80"), ("::1", "[::1]:80")]
)
def test_an_address_names_host_and_port_so_that_they_can_be_told_apart(host: str, named: str) -> None:
    assert authority(host, 80) == named


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_a_port_that_is_taken_is_an_error_that_names_it(host: str, shown: str) -> None:
    with bound(host, 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigurationError) as refused:
            bound(host, port)
    assert f"Cannot listen on {shown}:{port}: " in refused.value.message
