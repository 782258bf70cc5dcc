"""Policy files for tests."""

from pathlib import Path

NOW = 1_800_000_000.0
"""Seconds since the epoch: 2027-01-15T08:00:00Z."""
SOON = "2027-02-01T00:00:00Z"
ONE, TWO = "6f0c1e0e-0000-4000-8000-000000000001", "6f0c1e0e-0000-4000-8000-000000000002"


def text(*lines: str, name: str = "support", role: str = "WORKSPACE-WRITE", expires: str = SOON) -> str:
    """A file of one profile with these lines besides role and expiry."""
    return "\n".join(["version = 1", f"[profile.{name}]", f'role = "{role}"', f"expires = {expires}", *lines, ""])


def file(folder: Path, content: str, mode: int = 0o600) -> Path:
    """The usual policy file in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "policy.toml"
    path.write_text(content)
    path.chmod(mode)
    return path
