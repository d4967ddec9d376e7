"""The step of the tables from one sentence about what was left out to notes with codes."""

from __future__ import annotations

CONTENT_NOTES: tuple[str, ...] = (
    # What was left out of a content: `[{"code", "sentence"}]`, NULL where nothing was.
    "ALTER TABLE contents ADD COLUMN notes TEXT",
    """UPDATE contents SET notes = json_array(json_object('code', 'earlier', 'sentence', note))
        WHERE note IS NOT NULL""",
    """CREATE INDEX contents_partial ON contents(content)
        WHERE notes IS NOT NULL OR reason IS NOT NULL""",
    "DROP VIEW listing",
    "DROP VIEW wholes",
    "ALTER TABLE contents DROP COLUMN note",
    """CREATE VIEW wholes AS SELECT
        c.content, c.item, c.kind, c.read_generation, c.understood_generation, c.attempts,
        CASE WHEN c.state = 'understood' AND c.content IN (
            SELECT m.container FROM members m JOIN contents d ON d.content = m.content
            WHERE d.state IN ('read', 'understanding'))
            THEN 'read' ELSE c.state END AS state,
        CASE WHEN c.reason IS NULL AND c.content IN (SELECT container FROM members) THEN (
            SELECT d.reason FROM members m JOIN contents d ON d.content = m.content
            WHERE m.container = c.content AND d.reason IS NOT NULL ORDER BY m.ordinal
            ) ELSE c.reason END AS reason,
        CASE WHEN c.reason IS NULL
            AND c.content IN (SELECT container FROM members) THEN (
            SELECT 'The attachment “' || m.name || '” was not understood. ' || d.sentence
            FROM members m JOIN contents d ON d.content = m.content
            WHERE m.container = c.content AND d.reason IS NOT NULL ORDER BY m.ordinal
            ) ELSE c.sentence END AS sentence
        FROM contents c""",
    """CREATE VIEW listing AS SELECT
        f.id, f.root, f.path, r.path AS root_path, f.size, f.mtime_ns, f.content,
        coalesce(c.kind, f.kind) AS kind, c.item, c.state AS content_state,
        c.read_generation, c.understood_generation,
        r.offline = 0 AND f.content IS NOT NULL
            AND f.state IN ('known', 'pending', 'reading') AS live,
        CASE WHEN r.offline THEN 'offline' WHEN f.state = 'known' THEN c.state
            ELSE f.state END AS state,
        CASE f.state WHEN 'known' THEN c.reason WHEN 'missing' THEN a.why
            ELSE f.reason END AS reason,
        CASE f.state WHEN 'known' THEN c.sentence
            WHEN 'missing' THEN CASE a.why
                WHEN 'unmounted' THEN 'The drive it is on is not there; it is remembered.'
                ELSE 'It went missing with many others; it is kept until you accept that.' END
            ELSE f.sentence END AS sentence,
        CASE WHEN f.state = 'known' THEN c.attempts ELSE f.attempts END AS attempts
        FROM files f JOIN roots r ON r.id = f.root
        LEFT JOIN wholes c ON c.content = f.content LEFT JOIN absent a ON a.file = f.id""",
)
