"""The calls: every tool's row of the table of cases, and more where a tool takes several secrets."""

from collections.abc import Iterator
from typing import Any, cast

from molecule_mcp.embedded.sample import sample_id
from tests.calls.cases import cases
from tests.calls.cases.case import BOT, SECRET, of
from tests.canary.values import Canary

HOOK, SIGN, VERIFY = (f"env:MOLECULE_SECRET_{each}" for each in ("HOOK", "SIGN", "VERIFY"))
TELEGRAM = sample_id("channels", "support:telegram")

ENVIRON = {
    SECRET: 'k"7\\ü/+ %=&<Zx7LwQ2mN5vB8cR1>\u20ac',
    BOT: "987654321:AAq7Xw-Canary_0Env5yTgH3kLpZ8vBnM2x",
    HOOK: "https://hooks.slack.com/services/T0EnvQ7/B0EnvW3/Zr8kNv5xTq2LmW9c",
    SIGN: "qZ7#x!",
    VERIFY: "verify me: 9Rk2&Tz=5/Wb+7",
}
"""Values behind references to variables."""

FILES = {
    "file:test": "-----BEGIN KEY-----\nMIIB/Canary+File7Qw3Zx9LmN5vB8\nk2Tr8yGh4Jp1==\n-----END KEY-----",
    "file:bot": "123456789:AAf4Ly-Canary_1File8uJnK6mQsV3xCbR9",
    "file:hook": "https://hooks.slack.com/services/T1FileK4/B1FileP8/Hs3jDw7fGt6YnX2b",
    "file:sign": "sign\tfile 'n' \"q\" Xb6Vn4",
    "file:verify": "verify-file-%2F-7Tq3Wz",
}
"""The same behind references to files, in the same order."""

CANARIES = [Canary(place, value) for place, value in {**ENVIRON, **FILES}.items()]

TEMPLATE = {
    "name": "Org with a channel",
    "workspaces": [
        {
            "name": "Doorman",
            "channels": [{"type": "telegram", "config": {"bot_token": BOT, "chat_id": "-1001"}}],
        }
    ],
}

MORE: list[tuple[str, dict[str, Any]]] = [
    ("create_channel", of("papers", channel_type="slack", chat_id="#news", secrets_from={"webhook_url": HOOK})),
    (
        "create_channel",
        of("books", channel_type="telegram", chat_id="-1", secrets_from={"bot_token": BOT, "webhook_secret": SIGN}),
    ),
    (
        "create_channel",
        of("backend", channel_type="lark", chat_id="c", secrets_from={"webhook_url": HOOK, "verify_token": VERIFY}),
    ),
    (
        "update_channel",
        of(
            "support",
            channel=TELEGRAM,
            chat_id="-7",
            secrets_from={"bot_token": BOT, "webhook_secret": SIGN, "verify_token": VERIFY},
        ),
    ),
    ("set_workspace_secret", of("seo", key="SIGNING", value_from=SIGN)),
    ("set_global_secret", {"key": "VERIFYING", "value_from": VERIFY}),
    ("import_org", {"template": TEMPLATE}),
    ("list_channels", of("marketing")),
    ("watch_workspace", {"workspace": sample_id("workspaces", "seo"), "until": "failed", "seconds": 3}),
]
"""Calls beside those of the table."""

RESOURCES = [
    "molecule://org",
    f"molecule://workspaces/{sample_id('workspaces', 'seo')}",
    f"molecule://workspaces/{sample_id('workspaces', 'triage')}/memories",
]


def calls(*, hosted: bool, files: bool, only: frozenset[str] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tool and arguments of every call.

    Args:
        hosted: The rows that need a hosted tenant, and no others.
        files: Whether references lead to files, and not to variables.
        only: These tools alone.
    """
    rows = [(tool, case.arguments) for tool, case in cases().items() if case.hosted == hosted]
    for tool, arguments in [*rows, *([] if hosted else MORE)]:
        if only is None or tool in only:
            yield tool, referring(arguments, files=files)


def referring(value: Any, *, files: bool) -> Any:
    """Arguments with references of one kind."""
    if isinstance(value, dict):
        return {key: referring(each, files=files) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [referring(each, files=files) for each in cast("list[Any]", value)]
    return dict(zip(ENVIRON, FILES, strict=True)).get(value, value) if files and isinstance(value, str) else value
