#!/usr/bin/env bash
# In short: a time in a zone that the file does not define loses its zone, without a warning
# Versions: icalendar 7.3.2
# Expected: a TZID that is unknown is an error in `event.errors`, where icalendar puts a date that
#   it cannot read, or the value keeps a mark of its zone.
# Instead: the time becomes a naive datetime, as if the file had said "local time wherever you
#   are". Zone names of Windows are translated, so most files work, and those with a name of the
#   sender's own differ by hours. Comparing the two kinds of events then raises TypeError.
# Seen:
#   ;TZID=Europe/Berlin:20250101T100000: 2025-01-01 10:00:00+01:00, errors: 0
#   ;TZID=W. Europe Standard Time:20250101T100000: 2025-01-01 10:00:00+01:00, errors: 0
#   ;TZID=Office Berlin:20250101T100000: 2025-01-01 10:00:00, errors: 0
#   :20251301T100000: None, errors: 1
#   sorting the first three: can't compare offset-naive and offset-aware datetimes
# Source: RFC 5545, section 3.2.19, asks for a VTIMEZONE for each TZID; real exports leave it out.
#   Seen by running this.
# Matters: an appointment shows at another hour than it was made for, and sorting one calendar by
#   time fails because of a single event.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'icalendar==7.3.2'
venv/bin/python - <<'PYTHON'
import icalendar

LINES = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//EN
{events}END:VCALENDAR
"""
EVENT = """BEGIN:VEVENT
UID:{number}
DTSTAMP:20250101T000000Z
DTSTART{start}
END:VEVENT
"""
STARTS = [
    ";TZID=Europe/Berlin:20250101T100000", ";TZID=W. Europe Standard Time:20250101T100000",
    ";TZID=Office Berlin:20250101T100000", ":20251301T100000",
]
events = "".join(EVENT.format(number=n, start=start) for n, start in enumerate(STARTS))
calendar = icalendar.Calendar.from_ical(LINES.format(events=events).replace("\n", "\r\n"))
seen = []
for start, event in zip(STARTS, calendar.walk("VEVENT")):
    value = None if event.errors else event["DTSTART"].dt
    seen.append((value is not None and value.tzinfo is not None, len(event.errors)))
    print(f"{start}: {value}, errors: {len(event.errors)}")
times = [event["DTSTART"].dt for event in calendar.walk("VEVENT")[:3]]
try:
    sorted(times)
except TypeError as error:
    print("sorting the first three:", error)
if seen[:3] != [(True, 0), (True, 0), (False, 0)] or seen[3][1] != 1:
    raise SystemExit(f"changed: {seen}")
PYTHON
