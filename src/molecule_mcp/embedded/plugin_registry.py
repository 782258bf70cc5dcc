"""The plugin registry: what can be installed from `local://`, and which runtimes take it.

Names are those that the contract's examples show, and some more; what they say of themselves is made up.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

CLAUDE = ("claude_code",)
MANY = ("claude_code", "deepagents", "hermes", "langgraph")


@dataclass(frozen=True)
class Plugin:
    """One folder of the registry; `runtimes` None means that it fits all."""

    name: str
    description: str
    skills: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    runtimes: tuple[str, ...] | None = None
    version: str = "1.0.0"

    @property
    def told(self) -> dict[str, Any]:
        """As lists show it (contract schema Plugin)."""
        return {
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "author": "Molecule AI",
            "tags": list(self.tags),
            "skills": list(self.skills),
            "runtimes": None if self.runtimes is None else list(self.runtimes),
        }

    @property
    def manifest(self) -> str:
        """Its plugin.yaml."""
        return f"name: {self.name}\nversion: {self.version}\ndescription: {self.description}\n"

    @property
    def manifest_digest(self) -> str:
        """Hex SHA-256 of its plugin.yaml."""
        return hashlib.sha256(self.manifest.encode()).hexdigest()

    def fits(self, runtime: str) -> bool:
        """Whether a runtime takes it; hyphen and underscore are the same."""
        return not self.runtimes or runtime.replace("-", "_") in self.runtimes


REGISTRY: dict[str, Plugin] = {
    plugin.name: plugin
    for plugin in (
        Plugin("invoice-tools", "Read invoices and match them with payments.", ("invoice-matching",), ("finance",)),
        Plugin("molecule-audit", "Keep a log of every command an agent runs.", (), ("guardrails",), MANY),
        Plugin(
            "molecule-careful-bash",
            "Stop commands that destroy: forced pushes, deleted roots, dropped tables.",
            ("careful-mode",),
            ("guardrails",),
            CLAUDE,
        ),
        Plugin("research-notes", "Collect sources and cite them.", ("cite-sources",), ("research",), ("langgraph",)),
        Plugin(
            "superpowers",
            "Plan first, test first, verify last.",
            ("executing-plans", "systematic-debugging", "test-driven-development", "writing-plans"),
            ("planning", "testing"),
            ("claude_code", "deepagents", "hermes"),
        ),
    )
}
"""Plugins by folder name, in folder order."""
