"""Secrets of one workspace and of all."""

from tests.calls.cases.case import SECRET, Case, has, lacks, of, under

OF_REFUNDS = under("refunds", "secrets")

CASES = {
    "list_workspace_secrets": Case(of("refunds"), says="STRIPE_API_KEY"),
    "set_workspace_secret": Case(
        of("refunds", key="NEW_KEY", value_from=SECRET), at=OF_REFUNDS, seen=has(key="NEW_KEY"), vague=True
    ),
    "delete_workspace_secret": Case(
        of("refunds", key="STRIPE_API_KEY"),
        at=OF_REFUNDS,
        seen=lacks(key="STRIPE_API_KEY", scope="workspace"),
        vague=True,
    ),
    "list_global_secrets": Case({}, says="SENTRY_DSN"),
    "set_global_secret": Case(
        {"key": "NEW_KEY", "value_from": SECRET}, at="/settings/secrets", seen=has(key="NEW_KEY"), vague=True
    ),
    "delete_global_secret": Case(
        {"key": "SENTRY_DSN"}, at="/settings/secrets", seen=lacks(key="SENTRY_DSN"), vague=True
    ),
}
