"""Plugins and allow-lists."""

from tests.calls.cases.case import Case, lacks, of, under, workspace

ALLOWED = f"/orgs/{workspace('chief')}/plugins/allowlist"

CASES = {
    "list_plugin_registry": Case({}, says="superpowers"),
    "list_plugin_sources": Case({}, says="github"),
    "list_available_plugins": Case(of("seo"), says="superpowers"),
    "list_installed_plugins": Case(of("backend"), says="superpowers"),
    "check_plugin_compatibility": Case(of("backend", runtime="hermes"), says="superpowers"),
    "install_plugin": Case(
        of("seo", source="local://superpowers"), unseen="the list is read from a container that starts again"
    ),
    "uninstall_plugin": Case(
        of("backend", name="superpowers"), at=under("backend", "plugins"), seen=lacks(name="superpowers")
    ),
    "get_plugin_allowlist": Case({"org_id": workspace("chief")}, says="plugins"),
    "replace_plugin_allowlist": Case(
        {"org_id": workspace("chief"), "plugins": ["superpowers"]},
        at=ALLOWED,
        seen=lambda told: "superpowers" in str(told),
    ),
}
