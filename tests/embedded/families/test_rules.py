"""Directories that may be mounted."""

import pytest

from molecule_mcp.embedded.families.rules import allowed_directory


@pytest.mark.parametrize("path", ["/srv/x", "/root", "/etcetera", "/home/u/etc"])
def test_a_directory_outside_the_system_is_allowed(path: str) -> None:
    assert allowed_directory(path)


@pytest.mark.parametrize("path", ["", "srv", "/srv/../etc", "/etc", "/etc/", "/usr/local", "/var/lib/x", "//proc/1"])
def test_a_system_directory_is_not(path: str) -> None:
    assert not allowed_directory(path)
