#!/usr/bin/env bash
# In short: folders that a watcher ignores by pattern take their watches from the system all the
#   same
# Versions: watchdog 7.1.0 on Linux
# Expected: a handler with `ignore_patterns` for a folder costs nothing for what lies in it; that
#   is why one names node_modules and .git there.
# Instead: patterns belong to the handler and filter events after they arrive. The observer has
#   already put an inotify watch on every folder below the root: 103 watches here, of which 100
#   are for nothing, and each of their events is read and thrown away.
# Seen:
#   folders that are not ignored, with the root: 3
#   watches: 103
# Source: `InotifyWatchGroup` in watchdog/observers/inotify.py adds all subfolders of a recursive
#   watch; the number is seen by running this.
# Matters: watches are counted for each user, and one JavaScript project has thousands of folders.
#   At the limit the folders that matter are no longer watched.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'watchdog==7.1.0'
venv/bin/python - <<'PYTHON'
import pathlib
import sys

from watchdog.events import PatternMatchingEventHandler
from watchdog.observers import Observer

if sys.platform != "linux":
    raise SystemExit("This finding is about inotify and needs Linux.")
root = pathlib.Path("project").resolve()
for number in range(99):
    (root / "node_modules" / f"package{number}").mkdir(parents=True)
(root / "docs").mkdir()
(root / "notes").mkdir()


def watches():
    """How many inotify watches this process holds."""
    count = 0
    for descriptor in pathlib.Path("/proc/self/fdinfo").iterdir():
        try:
            lines = descriptor.read_text().splitlines()
        except OSError:
            continue
        count += sum(line.startswith("inotify wd:") for line in lines)
    return count


ignored = [f"{root}/node_modules", f"{root}/node_modules/**"]
observer = Observer()
observer.schedule(PatternMatchingEventHandler(ignore_patterns=ignored), str(root), recursive=True)
observer.start()
count = watches()
observer.stop()
observer.join()
print("folders that are not ignored, with the root: 3")
print("watches:", count)
if count != 103:
    raise SystemExit("changed: watches of ignored folders")
PYTHON
