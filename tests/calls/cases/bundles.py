"""Bundles."""

from tests.calls.cases.case import Case, has, of

TREE = {"name": "Branch office", "tier": 2}

CASES = {
    "export_bundle": Case(of("seo"), says="file"),
    "import_bundle": Case({"bundle": TREE}, at="/workspaces", seen=has(name="Branch office"), follows=True),
}
