"""What the sample's workspaces own and did: secrets, channels, schedules, approvals, activity, delegations, keys.

Credentials are obviously made up. `ago` is minutes before planting.
"""

from dataclasses import dataclass
from typing import Any

GLOBAL_SECRETS = {
    "ANTHROPIC_API_KEY": "sample-anthropic-key-not-real",
    "OPENAI_API_KEY": "sample-openai-key-not-real",
    "SENTRY_DSN": "https://sample@sentry.example/1",
}

SECRETS = (
    ("newsletter", "OPENAI_API_KEY", "sample-expired-key-not-real"),
    ("backend", "GITHUB_TOKEN", "sample-github-token-not-real"),
    ("backend", "DATABASE_URL", "postgres://sample@db.example/app"),
    ("refunds", "STRIPE_API_KEY", "sample-stripe-key-not-real"),
    ("social", "MASTODON_TOKEN", "sample-mastodon-token-not-real"),
)

CHANNELS: tuple[tuple[str, str, dict[str, Any], bool], ...] = (
    ("marketing", "slack", {"webhook_url": "https://hooks.slack.com/services/T0SAMPLE/B0SAMPLE/notreal",
                            "chat_id": "marketing"}, True),
    ("engineering", "discord", {"webhook_url": "https://discord.com/api/webhooks/1000/notreal",
                                "chat_id": "deploys"}, True),
    ("support", "telegram", {"bot_token": "1234567890:SampleSampleSampleSampleSample_12345",
                             "chat_id": "-100200300400", "webhook_secret": "sample-webhook-secret"}, True),
    ("support", "slack", {"bot_token": "xoxb-sample-not-real-token", "channel_id": "C0SAMPLE",
                          "chat_id": "C0SAMPLE"}, False),
)  # fmt: skip


@dataclass(frozen=True)
class Timer:
    """One schedule."""

    owner: str
    name: str
    cron: str
    prompt: str
    zone: str = "UTC"
    enabled: bool = True
    runs: int = 0
    outcome: str = ""
    error: str = ""


SCHEDULES = (
    Timer("chief", "weekly status", "0 8 * * 1", "Ask every lead for a status and send one page.",
          "Europe/Berlin", runs=12, outcome="ok"),
    Timer("marketing", "campaign check", "30 9 * * 1-5", "Compare yesterday's numbers with the plan.",
          runs=40, outcome="ok"),
    Timer("newsletter", "monthly issue", "0 7 1 * *", "Assemble the newsletter from last month's posts.",
          runs=2, outcome="error", error="agent unreachable"),
    Timer("papers", "morning scan", "0 6 * * *", "List new papers on retrieval and agents.", enabled=False,
          runs=44, outcome="ok"),
    Timer("triage", "queue sweep", "*/30 * * * *", "Sort every ticket that has no label.", runs=950,
          outcome="skipped"),
    Timer("books", "month end", "0 18 28-31 * *", "Match open invoices.", "Europe/London", runs=4, outcome="ok"),
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One approval."""

    owner: str
    action: str
    reason: str
    ago: float
    status: str = "pending"
    decided_by: str | None = None


REQUESTS = (
    Request("refunds", "refund_order", "Order 48213, 129.00 EUR: the parcel was lost and the customer has waited "
            "three weeks.", 2),
    Request("copywriter", "publish_page", "The landing page for version 4 is ready; legal has not answered yet.", 6),
    Request("release", "deploy_production", "4.0.0-rc2 has been on staging for a day without errors.", 25),
    Request("social", "buy_ads", "Boosting three posts for 200 EUR in total. Please approve quickly, no need to "
            "read the details.", 55),
    Request("backend", "drop_index", "The index on invoices.created_at is unused since the rewrite.", 1500,
            "approved", "dana"),
    Request("triage", "close_tickets", "312 tickets without an answer for a year.", 2900, "denied", "dana"),
    Request("market", "buy_report", "Analyst report, 1,900 EUR.", 4300, "denied", "auto-expired"),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One activity row; `source` is the key of the sender, None for a person."""

    owner: str
    kind: str
    summary: str
    ago: float
    source: str | None = None
    status: str = "ok"
    milliseconds: int | None = None
    error: str | None = None


ACTIVITY = (
    Row("code-review", "task_update", "Left two comments on pull request 1182", 0.5, "code-review"),
    Row("chief", "a2a_receive", "message/send: what is the state of the launch?", 12, None, milliseconds=4210),
    Row("copywriter", "task_update", "First draft of the announcement is at 60 percent", 4, "copywriter"),
    Row("copywriter", "a2a_receive", "message/send: tone should be less formal", 33, "marketing", milliseconds=2800),
    Row("backend", "task_update", "Reproduced the timeout with 40,000 invoices", 7, "backend"),
    Row("backend", "agent_log", "Ran 312 tests, 2 failed", 9, "backend"),
    Row("release", "error", "registry push timed out after 30 s", 5, "release", "error",
        error="push registry.example/app:4.0.0-rc2: deadline exceeded"),
    Row("newsletter", "error", "model provider answered 401", 190, "newsletter", "error",
        error="OPENAI_API_KEY is not valid"),
    Row("triage", "task_update", "27 of 41 tickets sorted", 1, "triage"),
    Row("refunds", "agent_log", "Checked order 48213 with the carrier", 3, "refunds"),
    Row("researcher", "task_update", "9 of 14 papers summarised", 2, "researcher"),
    Row("research", "a2a_send", "message/send to Researcher", 61, "research", milliseconds=900),
    Row("bench", "error", "rate limited by the model provider", 15, "bench", "error", error="429"),
    Row("partner", "a2a_receive", "message/send: please share the stock list", 240, "chief", milliseconds=6100),
    Row("data", "error", "container exited with code 137", 700, None, "error", error="out of memory"),
    Row("social", "a2a_receive", "message/send: hold all posts", 130, "marketing", milliseconds=1500),
)  # fmt: skip


@dataclass(frozen=True)
class Delegation:
    """One task handed over; `reply` or `error` make the second row."""

    giver: str
    taker: str
    task: str
    ago: float
    status: str
    reply: str = ""
    error: str = ""


DELEGATIONS = (
    Delegation("engineering", "backend", "Find out why invoice export times out", 48, "completed",
               reply="The export loads every line item at once. A paged query brings it from 41 s to 3 s."),
    Delegation("engineering", "code-review", "Review pull request 1182", 9, "dispatched"),
    Delegation("marketing", "newsletter", "Prepare the October issue", 195, "failed",
               error="workspace Newsletter Editor is not reachable"),
    Delegation("research", "researcher", "Summarise the 14 papers on the reading list", 61, "dispatched"),
    Delegation("support", "triage", "Sort what came in overnight", 20, "queued"),
)  # fmt: skip

MEMORIES = (
    ("chief", "GLOBAL", "Releases go out on Tuesdays, never on Fridays.", "facts"),
    ("chief", "GLOBAL", "The fiscal year ends in September.", "facts"),
    ("marketing", "TEAM", "We write version numbers without a leading v.", "style"),
    ("engineering", "TEAM", "Staging is rebuilt every night at 02:00 UTC.", "general"),
    ("triage", "LOCAL", "Tickets from the pilot customers get the label gold.", "general"),
    ("researcher", "LOCAL", "The reading list is kept in the shared folder.", "general"),
)

ENTRIES = (
    ("triage", "cursor", {"last_ticket": 88412}),
    ("release", "rollout", {"version": "4.0.0-rc2", "stage": "staging", "percent": 50}),
)

ORG_KEYS = (("ci-deploy", 60, 0.2), ("grafana", 45, None), (None, 20, 3))
"""Name, age in days, days since the last use."""
