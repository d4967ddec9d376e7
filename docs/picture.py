"""The picture of the ways as an SVG: stations as boxes on a grid, arrows as straight lines.

Readable on a light and on a dark page: it brings its own background, and follows the reader's
choice of colours.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise

from docs.arrows import ARROWS, STATIONS, Arrow, Station
from docs.tree import PACKAGES

# All lengths in the SVG's own units, px at its natural size.
COLUMN, ROW = 248, 76
BOX_WIDTH, BOX_HEIGHT = 168, 40
LEFT, TOP = 100, 76  # the centre of the first box
HEADINGS = (("a saved file", 1), ("a question", 3.5))
LINES = (
    ("line", "the source calls and hands over"),
    ("line pulled", "the target calls and is given"),
)

STYLE = """
svg { --page: #ffffff; --ink: #1c2430; --quiet: #5b6675; --line: #7a8696;
  --web: #fde8d2; --retriever: #dcefdc; --indexer: #dbe8fa; --model: #ecdff7; }
@media (prefers-color-scheme: dark) {
  svg { --page: #14181e; --ink: #e8edf3; --quiet: #a4afbd; --line: #8794a5;
    --web: #4a3420; --retriever: #24402a; --indexer: #22344f; --model: #3d2a50; } }
text { font-family: system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--ink);
  text-anchor: middle; }
.file { font-size: 13px; font-weight: 600; } .wing, .what { font-size: 11px; fill: var(--quiet); }
.key { font-size: 12px; fill: var(--quiet); text-anchor: start; }
.what { stroke: var(--page); stroke-width: 4px; paint-order: stroke; }
.heading { font-size: 16px; font-weight: 700; }
.box { stroke: var(--line); stroke-width: 1; }
.web { fill: var(--web); } .retriever { fill: var(--retriever); }
.indexer { fill: var(--indexer); } .model { fill: var(--model); }
.line { fill: none; stroke: var(--line); stroke-width: 1.6; } .pulled { stroke-dasharray: 5 3; }
#head path { fill: var(--line); }
"""

Point = tuple[float, float]


def svg() -> str:
    """The whole picture."""
    columns = max(station.column for station in STATIONS)
    rows = max(station.row for station in STATIONS)
    width, height = 2 * LEFT + COLUMN * columns, TOP + ROW * rows + 84
    places = {station.name: _place(station.column, station.row) for station in STATIONS}
    lines = [_line(arrow, places) for arrow in ARROWS]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="The way of a file and of a question">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>',
        f'<rect width="{width}" height="{height}" rx="10" fill="var(--page)"/>',
        *(
            f'<text class="heading" x="{_place(column, 0)[0]:g}" y="36">{words}</text>'
            for words, column in HEADINGS
        ),
        *(line for line, _ in lines),
        *(_box(station, places[station.name]) for station in STATIONS),
        *(label for _, label in lines),
        *_legend(height - 34),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _place(column: float, row: float) -> Point:
    return LEFT + COLUMN * column, TOP + ROW * row


def _box(station: Station, centre: Point) -> str:
    x, y = centre
    *wing, file = station.name.split(".")
    left, top = x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2
    return (
        f'<rect class="box {wing[0]}" x="{left:g}" y="{top:g}" width="{BOX_WIDTH}" '
        f'height="{BOX_HEIGHT}" rx="6"/>'
        f'<text class="file" x="{x:g}" y="{y - 2:g}">{file}</text>'
        f'<text class="wing" x="{x:g}" y="{y + 13:g}">{"/".join(wing)}/</text>'
    )


def _line(arrow: Arrow, places: dict[str, Point]) -> tuple[str, str]:
    """The line of an arrow from edge to edge, and its label at the middle of its longest part."""
    corners = [_place(*corner) for corner in arrow.path]
    begin, end = places[arrow.source], places[arrow.target]
    points = [
        _edge(begin, corners[0] if corners else end),
        *corners,
        _edge(end, corners[-1] if corners else begin),
    ]
    line = " ".join(f"{x:g},{y:g}" for x, y in points)
    kind = "line pulled" if arrow.pulled else "line"
    longest = max(
        pairwise(points),
        key=lambda pair: abs(pair[0][0] - pair[1][0]) + abs(pair[0][1] - pair[1][1]),
    )
    (x1, y1), (x2, y2) = longest
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    y += -7 if y1 == y2 else 4
    return (
        f'<polyline class="{kind}" points="{line}" marker-end="url(#head)"/>',
        f'<text class="what" x="{x:g}" y="{y:g}">{escape(arrow.what)}</text>',
    )


def _edge(centre: Point, towards: Point) -> Point:
    """Where a line from the centre of a box leaves it, straight across or straight down."""
    (x, y), (tx, ty) = centre, towards
    if abs(tx - x) >= BOX_WIDTH / 2:  # to the side, at the height of the next point if it can be
        side = BOX_WIDTH / 2 if tx > x else -BOX_WIDTH / 2
        height = ty if abs(ty - y) < BOX_HEIGHT / 2 else y
        return x + side, height
    down = BOX_HEIGHT / 2 if ty > y else -BOX_HEIGHT / 2
    return tx, y + down


def _legend(y: float) -> list[str]:
    parts = []
    for number, package in enumerate(PACKAGES):
        x = LEFT - BOX_WIDTH / 2 + 120 * number
        parts.append(
            f'<rect class="box {package}" x="{x:g}" y="{y - 11:g}" width="14" height="14" rx="3"/>'
            f'<text class="key" x="{x + 22:g}" y="{y:g}">{package}/</text>'
        )
    for number, (kind, words) in enumerate(LINES):
        x = LEFT + BOX_WIDTH * 3 + 300 * number
        parts.append(
            f'<polyline class="{kind}" points="{x:g},{y - 4:g} {x + 44:g},{y - 4:g}" '
            f'marker-end="url(#head)"/><text class="key" x="{x + 54:g}" y="{y:g}">{words}</text>'
        )
    return parts
