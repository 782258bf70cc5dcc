"""Instructions of agents."""

from molecule_mcp.embedded.sample import sample_id
from tests.calls.cases.case import Case, has, lacks, of, workspace

TONE = sample_id("instructions", "Tone")
STYLE = sample_id("instructions", "House style")
OF_TRIAGE = f"/instructions?workspace_id={workspace('triage')}"

CASES = {
    "list_instructions": Case({}, says=STYLE),
    "resolve_instructions": Case(of("triage"), says="House style"),
    "create_instruction": Case(
        {"scope": "workspace", "scope_target": workspace("triage"), "title": "Names", "content": "Use first names."},
        at=OF_TRIAGE,
        seen=has(title="Names"),
    ),
    "update_instruction": Case({"instruction_id": TONE, "priority": 5}, at=OF_TRIAGE, seen=has(id=TONE, priority=5)),
    "delete_instruction": Case({"instruction_id": STYLE}, at="/instructions", seen=lacks(id=STYLE)),
}
