"""The templates that the sample organization can make workspaces and teams from."""

from molecule_mcp.embedded import folders
from molecule_mcp.embedded.sample.plant import Planter

CLAUDE = """\
name: Claude Code Agent
description: >-
  General-purpose workspace. Takes a subscription token or an API key;
  each model says which.
tier: 2
runtime: claude-code
runtime_config:
  model: sonnet
  required_env: [CLAUDE_CODE_OAUTH_TOKEN]
  models:
    - id: sonnet
      name: Sonnet (subscription)
      required_env: [CLAUDE_CODE_OAUTH_TOKEN]
    - id: claude-sonnet-4-6
      name: Sonnet 4.6 (API key)
      required_env: [ANTHROPIC_API_KEY]
"""

LANGGRAPH = """\
name: LangGraph Agent
description: Python agent with skills, tools and plugins
tier: 2
runtime: langgraph
model: openai:gpt-4.1-mini
skills: []
"""

SCOUT = """\
name: Paper Scout
description: Looks for new papers every morning
tier: 2
runtime: langgraph
model: openai:gpt-4.1-mini
prompt_files:
  - system-prompt.md
skills:
  - digest
"""

TEAM = """\
name: Research Lead
description: Leads a small research team
tier: 3
runtime: claude-code
sub_workspaces:
  - name: Librarian
    role: Finds facts
    config: claude-code-default
  - config: claude-code-default
"""

FREE_BEATS = """\
name: Free Beats All
description: 3 agents, 3 free providers, $0/month
defaults:
  runtime: langgraph
  tier: 2
workspaces:
  - name: Beats Lead
    role: Splits questions among the others
    children:
      - name: Beats Groq
        role: Answers fast
        schedules:
          - name: morning check
            cron_expr: "0 7 * * *"
            prompt: Say which provider answered fastest yesterday.
      - name: Beats Gemini
        role: Answers long questions
        initial_memories:
          - content: Long answers go to the lead first.
"""

SUPPORT_DESK = """\
name: Support Desk
description: A lead with a bot and an outside partner
required_env:
  - GH_PAT
  - any_of: [ANTHROPIC_API_KEY, CLAUDE_CODE_OAUTH_TOKEN]
recommended_env: [SENTRY_DSN]
workspaces:
  - !include lead.yaml
"""

SUPPORT_LEAD = """\
name: Desk Lead
role: Answers customers
channels:
  - type: slack
    config:
      webhook_url: ${DESK_WEBHOOK}
  - type: telegram
    config:
      bot_token: ${NOPE_TOKEN}
children:
  - name: Desk Partner
    external: true
"""

SHELF: tuple[tuple[folders.Kind, str, str, str], ...] = (
    ("workspace", "claude-code-default", "config.yaml", CLAUDE),
    ("workspace", "langgraph", "config.yaml", LANGGRAPH),
    ("workspace", "paper-scout", "config.yaml", SCOUT),
    ("workspace", "paper-scout", "system-prompt.md", "Read the new papers of the day and list the three best.\n"),
    ("workspace", "paper-scout", "skills/digest/SKILL.md", "# Digest\nOne line for each paper.\n"),
    ("workspace", "research-lead", folders.CONFIG, TEAM),
    ("org", "free-beats-all", "org.yaml", FREE_BEATS),
    ("org", "support-desk", "org.yaml", SUPPORT_DESK),
    ("org", "support-desk", "lead.yaml", SUPPORT_LEAD),
    ("org", "support-desk", ".env", "DESK_WEBHOOK=https://hooks.slack.com/services/T0/B0/sample\n"),
    ("org", "old-style", "org.yml", "name: Old Style\nworkspaces:\n  - name: Solo\n"),
    ("org", "broken", "org.yaml", "name: [never closed\n"),
)
"""Kind, folder, path and content."""


def shelf(planter: Planter) -> None:
    """Write everything of this module."""
    for kind, folder, path, content in SHELF:
        folders.write(planter.instance.db, kind, folder, path, content)
