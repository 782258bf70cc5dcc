"""The workspaces of the sample organization."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Seat:
    """One workspace.

    `key` names it inside the sample, `team` is the key of its parent; `spend` and `budget` are US cents,
    `days` is its age, `up` its uptime in seconds, `silent` an agent that never sent a heartbeat.
    """

    key: str
    name: str
    role: str
    team: str | None = None
    status: str = "online"
    active: int = 0
    most: int = 2
    task: str = ""
    error: str = ""
    error_rate: float = 0
    runtime: str = "claude-code"
    tier: int = 2
    spend: int = 0
    budget: int | None = None
    days: int = 30
    up: int = 86400
    silent: bool = False


SEATS: tuple[Seat, ...] = (
    Seat("chief", "Chief of Staff", "Coordinates the teams and reports to the founders", active=1, most=3,
         task="Collecting the weekly status of all teams", tier=4, spend=8120, days=90),
    Seat("marketing", "Marketing Lead", "Plans campaigns and hands out the writing", "chief", most=3, tier=3,
         spend=4210, budget=10000, days=80),
    Seat("copywriter", "Copywriter", "Writes announcements and landing pages", "marketing", active=1,
         task="Drafting the announcement of version 4", spend=2333, days=78),
    Seat("seo", "SEO Analyst", "Watches search terms and suggests page titles", "marketing", spend=901, days=60),
    Seat("social", "Social Media Manager", "Posts and answers on social networks", "marketing", "paused", active=2,
         most=4, task="Scheduling posts for the launch week", spend=1180, days=60, up=0),
    Seat("newsletter", "Newsletter Editor", "Assembles the monthly newsletter", "marketing", "failed",
         error="model provider answered 401: OPENAI_API_KEY is not valid", runtime="langgraph", days=41, up=0),
    Seat("engineering", "Engineering Lead", "Splits work into tickets and reviews plans", "chief", active=2, most=4,
         task="Planning the migration to the new billing service", tier=4, spend=15240, budget=40000, days=88),
    Seat("backend", "Backend Engineer", "Builds and fixes the API", "engineering", active=1,
         task="Fixing the timeout in invoice export", tier=3, spend=9020, days=85),
    Seat("frontend", "Frontend Engineer", "Builds the customer dashboard", "engineering", tier=3, spend=7100, days=85),
    Seat("code-review", "Reviewer", "Reviews pull requests", "engineering", spend=3120, days=70),
    Seat("release", "Release Manager", "Cuts releases and watches the rollout", "engineering", "degraded", active=1,
         task="Rolling out 4.0.0-rc2 to staging", error="registry push timed out after 30 s", error_rate=0.62,
         spend=2050, days=50),
    Seat("qa", "QA Engineer", "Runs the end-to-end suite", "engineering", "offline", runtime="langgraph",
         spend=640, days=50, up=0),
    Seat("data", "Data Engineer", "Keeps the warehouse pipelines running", "engineering", "failed",
         error="container exited with code 137: out of memory", runtime="langgraph", spend=310, days=20, up=0),
    Seat("support", "Support Lead", "Keeps the queue short and the customers happy", "chief", most=3, tier=3,
         spend=3900, days=88),
    Seat("triage", "Ticket Triage", "Sorts new tickets by urgency and product", "support", active=3, most=5,
         task="Sorting 41 tickets that came in overnight", spend=5210, days=75),
    Seat("refunds", "Refund Agent", "Checks refund requests and prepares payouts", "support", spend=1400, days=40),
    Seat("reply-review", "Reviewer", "Reviews answers before they go to customers", "support", spend=1190, days=40),
    Seat("night", "Night Shift", "Answers urgent tickets at night", "support", "hibernated", spend=220, days=35, up=0),
    Seat("research", "Research Lead", "Decides what to find out next", "chief", active=1, most=3,
         task="Comparing three vendors of speech models", tier=4, spend=6620, days=86),
    Seat("researcher", "Researcher", "Reads sources and writes summaries", "research", active=2, most=2,
         task="Summarising 14 papers on retrieval", tier=3, spend=5800, days=86),
    Seat("market", "Market Analyst", "Follows competitors and prices", "research", spend=1720, days=44),
    Seat("papers", "Paper Scout", "Looks for new papers every morning", "research", "paused", spend=180, days=44, up=0),
    Seat("bench", "Benchmark Runner", "Runs model benchmarks", "research", "degraded",
         error="rate limited by the model provider", error_rate=0.5, runtime="langgraph", spend=4400, days=25),
    Seat("finance", "Finance Lead", "Watches spending and prepares the books", "chief", tier=3, spend=990, days=55),
    Seat("books", "Bookkeeper", "Matches invoices with payments", "finance", spend=5004, budget=5000, days=55),
    Seat("partner", "Partner Bot", "Agent of a partner, connected from outside", "chief", runtime="external",
         silent=True, tier=3, days=15, up=0),
    Seat("old-planner", "Campaign Planner 2024", "Replaced by the Marketing Lead", None, "removed", days=89, up=0),
)  # fmt: skip
