#!/usr/bin/env bash
# In short: a number written to a sheet and read back is another number in its last digit, and NaN
#   becomes empty
# Versions: openpyxl 3.1.5
# Expected: xlsx stores numbers as text, and Python's `repr` gives the shortest text that reads
#   back as the same float, so a round trip is exact; Excel itself writes 17 digits for that
#   reason.
# Instead: openpyxl writes 16 significant digits. Numbers that differ become equal, integers above
#   2**53 are rounded as well, and NaN is written as nothing.
# Seen:
#   0.5 is read back as 0.5
#   0.30000000000000004 is read back as 0.3
#   123456789.12345679 is read back as 123456789.1234568
#   9007199254740993 is read back as 9007199254740992
#   4012888888881881123 is read back as 4.012888888881881e+18
#   nan is read back as None
# Source: `safe_string` in openpyxl/compat/strings.py formats numbers with "%.16g"; what is lost
#   is seen by running this.
# Matters: a table of measurements that was exported, indexed and compared with its source by
#   value differs, and a long account number has other last digits.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'openpyxl==3.1.5'
venv/bin/python - <<'PYTHON'
import io
import math

import openpyxl


def written_and_read(value):
    book = openpyxl.Workbook()
    book.active["A1"] = value
    file = io.BytesIO()
    book.save(file)
    return openpyxl.load_workbook(file).active["A1"].value


VALUES = [0.5, 0.1 + 0.2, 123456789.12345679, 2**53 + 1, 4012888888881881123, math.nan]
same = []
for value in VALUES:
    read = written_and_read(value)
    same.append(read == value)
    print(f"{value!r} is read back as {read!r}")
if same != [True, False, False, False, False, False]:
    raise SystemExit("changed: numbers written by openpyxl")
PYTHON
