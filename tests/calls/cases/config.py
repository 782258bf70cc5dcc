"""What a workspace runs on."""

from tests.calls.cases.case import Case, has, of, under

CASES = {
    "get_config": Case(of("seo"), says="data"),
    "get_model": Case(of("seo"), says="model"),
    "get_workspace_console": Case(of("seo"), says="starting runtime", hosted=True),
    "patch_config": Case(
        of("seo", changes={"colour": "blue"}), at=under("seo", "config"), seen=has(data={"colour": "blue"})
    ),
    "set_model": Case(of("seo", model="claude-opus-4"), at=under("seo", "model"), seen=has(model="claude-opus-4")),
}
