#!/usr/bin/env bash
# In short: a list of names has the delimiter "n", a list of dates the delimiter "0"
# Versions: Python 3.11.7 (module csv)
# Expected: `csv.Sniffer` finds a delimiter among the usual ones, or raises `csv.Error` where a
#   file has one column.
# Instead: it takes any character that occurs equally often in each line, letters and digits too.
#   Four women's names are separated by "n", cities by "r", weekdays by "y". The error is raised
#   only where no character happens to fit.
# Seen:
#   names: delimiter 'n', rows ['A', '', 'e'] ['Ha', '', 'e']
#   cities: delimiter 'r', rows ['Be', 'lin'] ['Be', 'n']
#   days: delimiter 'y', rows ['Monda', ''] ['Tuesda', '']
#   dates: delimiter '0', rows ['2', '24-', '1-', '1'] ['2', '24-', '1-', '2']
#   goods: Could not determine delimiter
# Source: `Sniffer._guess_delimiter` in Lib/csv.py counts all characters of ASCII; seen by running
#   this.
# Matters: one-column lists are common exports. Read with the sniffed dialect, "Hanne" becomes
#   "Ha", "" and "e": no word of the file is found by search. Pass `delimiters=",;\t|"`.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 - <<'PYTHON'
import csv

LISTS = {
    "names": ["Anne", "Hanne", "Susanne", "Johanne"],
    "cities": ["Berlin", "Bern", "Bergen", "Brest"],
    "days": ["Monday", "Tuesday", "Friday", "Sunday"],
    "dates": ["2024-01-01", "2024-01-02", "2024-01-03"],
    "goods": ["milk", "bread", "butter", "cheese"],
}
delimiters = {}
for name, lines in LISTS.items():
    try:
        dialect = csv.Sniffer().sniff("\n".join(lines) + "\n")
        delimiters[name] = dialect.delimiter
        print(f"{name}: delimiter {dialect.delimiter!r}, rows", *list(csv.reader(lines, dialect))[:2])
    except csv.Error as error:
        delimiters[name] = None
        print(f"{name}: {error}")
if delimiters != {"names": "n", "cities": "r", "days": "y", "dates": "0", "goods": None}:
    raise SystemExit(f"changed: {delimiters}")
PYTHON
