"""Who may message whom, by the tree of workspaces; status does not matter."""

from molecule_mcp.embedded.database import Database
from molecule_mcp.embedded.lifecycle import ABOVE, find


def may_message(db: Database, caller_id: str, target_id: str) -> bool:
    """True for the same id, even of nobody, for the same parent (all roots are siblings), and for ancestors."""
    if caller_id == target_id:
        return True
    caller, target = find(db, caller_id), find(db, target_id)
    if caller is None or target is None:
        return False
    if caller["parent_id"] == target["parent_id"]:
        return True
    return _is_above(db, caller_id, target_id) or _is_above(db, target_id, caller_id)


def _is_above(db: Database, upper_id: str, lower_id: str) -> bool:
    return any(row["id"] == upper_id for row in db.rows(ABOVE + "SELECT id FROM above", lower_id))
