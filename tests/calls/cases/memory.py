"""What agents keep: entries by key, and memories."""

from molecule_mcp.embedded.sample import sample_id
from tests.calls.cases.case import Case, has, lacks, of, under

GOLD = sample_id("memories", "triage:4")
ENTRIES, MEMORIES = under("triage", "memory"), under("triage", "memories")
IMPORTED = {"workspace_name": "Ticket Triage", "scope": "LOCAL", "namespace": "general", "content": "Imported."}

CASES = {
    "list_memory_entries": Case(of("triage"), says="cursor"),
    "get_memory_entry": Case(of("triage", key="cursor"), says="88412"),
    "set_memory_entry": Case(of("triage", key="cursor", value=7), at=ENTRIES, seen=has(key="cursor", value=7)),
    "delete_memory_entry": Case(of("triage", key="cursor"), at=ENTRIES, seen=lacks(key="cursor")),
    "search_memories": Case(of("triage"), says="label gold"),
    "commit_memory": Case(
        of("triage", content="Ask twice.", scope="LOCAL"), at=MEMORIES, seen=has(content="Ask twice.")
    ),
    "delete_memory": Case(of("triage", memory_id=GOLD), at=MEMORIES, seen=lacks(id=GOLD)),
    "export_memories": Case({}, says="written_to"),
    "import_memories": Case({"entries": [IMPORTED]}, at=MEMORIES, seen=has(content="Imported.")),
}
