#!/usr/bin/env bash
# In short: with languages ["de", "en"], German first, "03.04.2024" is the 4th of March
# Versions: dateparser 1.5.0
# Expected: languages are tried in the order they are given, and dots between day, month and year
#   are German, so the date is the 3rd of April, as it is with ["de"] alone.
# Instead: unless use_given_order is set, English goes first however the list is ordered, and reads
#   the dots month first. From the 13th day on the order turns, so one list of dates is read both
#   ways.
# Seen:
#   de: 03.04.2024 is 3 April, 13.04.2024 is 13 April
#   de, en: 03.04.2024 is 4 March, 13.04.2024 is 13 April
#   en, de: 03.04.2024 is 4 March, 13.04.2024 is 13 April
#   de, en in the given order: 03.04.2024 is 3 April, 13.04.2024 is 13 April
# Source: dateparser's documentation of DateDataParser (use_given_order: "if True, locales are tried
#   for translation of date string in the order in which they are given"); seen by running this.
# Matters: dates of letters and invoices in a library of two languages are off by weeks or months
#   for twelve days of each month, and nothing says so.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'dateparser==1.5.0'
venv/bin/python - <<'PYTHON'
from dateparser.date import DateDataParser


def days(**options: object) -> str:
    parser = DateDataParser(**options)
    dates = {text: parser.get_date_data(text).date_obj for text in ("03.04.2024", "13.04.2024")}
    return ", ".join(f"{text} is {date.day} {date:%B}" for text, date in dates.items())


seen = {
    "de": days(languages=["de"]),
    "de, en": days(languages=["de", "en"]),
    "en, de": days(languages=["en", "de"]),
    "de, en in the given order": days(languages=["de", "en"], use_given_order=True),
}
for languages, text in seen.items():
    print(f"{languages}: {text}")
if "3 April" not in seen["de"] or "4 March" not in seen["de, en"]:
    raise SystemExit("changed: the order of dateparser's languages")
PYTHON
