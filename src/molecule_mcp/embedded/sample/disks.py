"""What stands on the disks of the sample organization's agents."""

from molecule_mcp.embedded import disks, folders
from molecule_mcp.embedded.sample.plant import Planter, sample_id

CONFIG = """\
name: Copywriter
runtime: claude-code
tier: 2
shared_context:
  - voice.md
  - gone.md
"""

FILES: tuple[tuple[str, str, str, bytes], ...] = (
    ("copywriter", "/configs", "config.yaml", CONFIG.encode()),
    ("copywriter", "/configs", "system-prompt.md", b"You write plain, friendly announcements.\n"),
    ("copywriter", "/configs", "voice.md", b"Short sentences. No superlatives.\n"),
    ("copywriter", "/workspace", "drafts/version-4.md", b"# Version 4\n\nInvoices in one click.\n"),
    ("copywriter", "/workspace", "drafts/header.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe"),
    ("backend", "/configs", "system-prompt.md", b"You build and fix the API. Tests first.\n"),
    ("backend", "/configs", ".env", b"GITHUB_TOKEN=sample-github-token-not-real\n"),
    ("backend", "/workspace", "app/main.py", b"def main() -> None:\n    print('ok')\n"),
    ("backend", "/workspace", "app/.git/HEAD", b"ref: refs/heads/main\n"),
)
"""Workspace, folder, path, content."""


def contents(planter: Planter) -> None:
    """Write everything of this module."""
    db = planter.instance.db
    for owner, root, path, content in FILES:
        if root == "/configs":
            folders.write_container(db, sample_id("workspaces", owner), path, content.decode())
        else:
            disks.put(db, sample_id("workspaces", owner), root, path, content)
