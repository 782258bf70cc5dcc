"""Encryption at rest."""

from pathlib import Path

import pytest

from molecule_mcp.embedded.vault import Undecipherable, Vault, make_key, vault_beside


def test_what_is_sealed_is_opened_by_the_same_key_only() -> None:
    vault = Vault(b"k" * 32)
    sealed = vault.seal("päss")
    assert vault.open(sealed) == "päss"
    for damaged in (sealed[:-1], b"", b"short"):
        with pytest.raises(Undecipherable):
            vault.open(damaged)
    with pytest.raises(Undecipherable):
        vault_beside(None).open(sealed)


def test_the_key_of_a_file_lies_beside_it_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    sealed = vault_beside(tmp_path / "t.db").seal("x")
    assert vault_beside(tmp_path / "t.db").open(sealed) == "x"
    assert (tmp_path / "t.db.key").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["t.db.key"]


def test_a_key_that_another_process_made_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.db.key"
    path.write_bytes(b"k" * 32)
    make_key(path)
    assert path.read_bytes() == b"k" * 32
    assert [each.name for each in tmp_path.iterdir()] == ["t.db.key"]
