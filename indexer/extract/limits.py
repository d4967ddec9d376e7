"""How much of one document is read; what lies beyond is left out, and its note says so."""

from __future__ import annotations

MAX_PAGES = 10_000
MAX_CHARS = 20_000_000

# Of a workbook or a table of comma-separated values, over all sheets; columns are of one row.
MAX_ROWS = 100_000
MAX_CELLS = 3_000_000
MAX_COLUMNS = 1_000
