"""Unknown intents of processes that are gone, and what reading the tenant later said of them.

Functions of one open transaction of the store. The intent, its step and its outcome stay as they are: what was read is
a row, and a record of the chain, of its own. A row grants nothing: one written from outside at worst lets a call be
made again, which then passes the whole gate anew, or keeps it from being made.
"""

import json
from collections.abc import Iterator
from sqlite3 import Connection

from molecule_mcp.store.forms import intent_from
from molecule_mcp.store.records import Intent, Settlement

SCHEMA = """
CREATE TABLE settlements (intent TEXT PRIMARY KEY REFERENCES intents, settler TEXT NOT NULL, verdict TEXT,
                          read TEXT, at REAL);
CREATE INDEX intents_unknown ON intents (id) WHERE state = 'unknown';
"""

_OPEN = "SELECT 1 FROM intents WHERE state = 'open' LIMIT 1"
_UNSETTLED = (
    " FROM intents LEFT JOIN settlements ON intents.id = settlements.intent"
    " WHERE intents.state = 'unknown' AND settlements.verdict IS NULL"
)
_LEFT = f"SELECT id, owner, settler, call, intents.intent{_UNSETTLED} ORDER BY intents.rowid DESC"
_TAKE = (
    "INSERT INTO settlements VALUES (?, ?, NULL, NULL, NULL)"
    " ON CONFLICT (intent) DO UPDATE SET settler = excluded.settler WHERE verdict IS NULL"
)
# What cannot be read, or not in full, may have been the same request.
_AGAIN = (
    "SELECT 1 FROM intents AS later, intents AS own WHERE own.id = ? AND later.rowid > own.rowid"
    " AND later.state != 'failed' AND ifnull(CASE WHEN json_valid(later.intent) THEN"
    " json_extract(later.intent, '$.method') = json_extract(own.intent, '$.method')"
    " AND (json_extract(later.intent, '$.path') = json_extract(own.intent, '$.path')"
    " OR NOT json_extract(later.intent, '$.exact')) END, 1) LIMIT 1"
)


def waiting(sql: Connection) -> bool:
    """Whether any intent is open, or unknown and not settled."""
    return any(sql.execute(query).fetchone() for query in (_OPEN, f"SELECT 1{_UNSETTLED} LIMIT 1"))


def take(sql: Connection, settler: str, living: set[str], profile: str, origin: str, most: int) -> list[Intent]:
    """See `records.Settler.take`; neither what a living process wrote nor what one settles is taken."""
    of_one = [
        (key, intent)
        for key, _, intent in _free(sql, living)
        if intent is not None and (intent.profile, intent.origin) == (profile, origin)
    ]
    taken = of_one[:most][::-1]
    sql.executemany(_TAKE, [(key, settler) for key, _ in taken])
    return [intent for _, intent in taken]


def unreadable(sql: Connection, settler: str, living: set[str]) -> list[tuple[str, str | None]]:
    """Take what of the same was changed from outside so that nobody can read it. Returns: ids, and their calls'."""
    found = [(key, call) for key, call, intent in _free(sql, living) if intent is None]
    sql.executemany(_TAKE, [(key, settler) for key, _ in found])
    return found


def _free(sql: Connection, living: set[str]) -> Iterator[tuple[str, str | None, Intent | None]]:
    """What none of the living has: id, its call's, and the intent, None when it cannot be read; the newest first."""
    for key, owner, other, call, text in sql.execute(_LEFT).fetchall():
        if not {owner, other} & living:
            yield key, call, intent_from(text)


def repeated(sql: Connection, intent_id: str) -> bool:
    """Whether the same request was sent again since, so that the tenant's state says nothing of the first."""
    return sql.execute(_AGAIN, (intent_id,)).fetchone() is not None


def write(sql: Connection, settler: str, intent_id: str, settlement: Settlement) -> bool:
    """Write what was read, once; False when somebody else settles it, or has."""
    change = sql.execute(
        "UPDATE settlements SET verdict = ?, read = ?, at = ? WHERE intent = ? AND settler = ? AND verdict IS NULL",
        (settlement.verdict, json.dumps(settlement.read), settlement.at, intent_id, settler),
    )
    return change.rowcount == 1


def let_go(sql: Connection, settler: str, intent_id: str) -> None:
    """Leave it to whoever comes next."""
    sql.execute("DELETE FROM settlements WHERE intent = ? AND settler = ? AND verdict IS NULL", (intent_id, settler))
