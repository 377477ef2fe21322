"""Rows that outlived what they are about. The tables are read from the catalogue, so a new one is covered."""

from typing import Final

from app.db.pool import Connection

_TABLES_ABOUT_AN_INBOX: Final = """
SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attname = 'inbox_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relnamespace = 'public'::regnamespace
ORDER BY 1
"""

_NO_INBOX: Final = """
SELECT count(*) FROM {table} t
WHERE t.inbox_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM inboxes i WHERE i.environment_id = t.environment_id AND i.id = t.inbox_id)
"""

# By what a row refers to, where that is not an inbox_id.
_OTHERS: Final = {
    "inboxes": """
        SELECT count(*) FROM inboxes t WHERE NOT EXISTS (
            SELECT FROM subscribers s WHERE s.environment_id = t.environment_id AND s.id = t.id)""",
    "subscribers": """
        SELECT count(*) FROM subscribers t WHERE NOT EXISTS (
            SELECT FROM inboxes i WHERE i.environment_id = t.environment_id AND i.id = t.id)""",
    "scheduled_positions": """
        SELECT count(*) FROM scheduled_positions t WHERE NOT EXISTS (
            SELECT FROM notifications n WHERE n.environment_id = t.environment_id
            AND n.position = t.position AND n.id = t.id)""",
    "timeline": """
        SELECT count(*) FROM timeline t WHERE NOT EXISTS (
            SELECT FROM notifications n
            WHERE n.environment_id = t.environment_id AND n.position = t.position)""",
    "outbox": """
        SELECT count(*) FROM outbox t WHERE t.job_type = 'archive_read' AND NOT EXISTS (
            SELECT FROM inboxes i WHERE i.environment_id = t.environment_id AND i.id = t.id)""",
    "dead_letters": """
        SELECT count(*) FROM dead_letters t WHERE t.job_type = 'archive_read' AND NOT EXISTS (
            SELECT FROM inboxes i WHERE i.environment_id = t.environment_id AND i.id = t.id)""",
}


async def count_orphans(connection: Connection) -> dict[str, int]:
    """Per table, where there are any."""
    checks = {
        table: _NO_INBOX.format(table=table) for (table,) in await connection.fetch(_TABLES_ABOUT_AN_INBOX)
    }
    assert {"notifications", "scheduled", "preferences"} <= set(checks)
    found = {table: await connection.fetchval(check) for table, check in (checks | _OTHERS).items()}
    return {table: number for table, number in found.items() if number}
