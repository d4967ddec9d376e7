#!/usr/bin/env bash
# In short: the pattern "*.txt" matches every text file in watchdog 6 and none in watchdog 7
# Versions: watchdog 6.0.0 and 7.1.0
# Expected: the patterns of `PatternMatchingEventHandler` mean in 7 what they meant in 6, or the
#   new ones raise or warn where they would never match.
# Instead: 6 compared a pattern with the end of the path (`PurePath.match`), 7 with all of it
#   (`full_match`). Events of a watch on an absolute folder carry absolute paths, so "*.txt" and
#   "*/cache/*" now match nothing: a handler that names wanted patterns is never called, and one
#   that names ignored ones ignores nothing. Now it takes "**/*.txt".
# Seen:
#   6.0.0 patterns ["*.txt"] sees ['a.txt', 'c.txt']
#   6.0.0 ignore_patterns ["*/cache/*"] sees ['a.txt', 'b.pdf']
#   6.0.0 patterns ["**/*.txt"] sees ['a.txt', 'c.txt']
#   7.1.0 patterns ["*.txt"] sees []
#   7.1.0 ignore_patterns ["*/cache/*"] sees ['a.txt', 'b.pdf', 'c.txt']
#   7.1.0 patterns ["**/*.txt"] sees ['a.txt', 'c.txt']
# Source: `_match_path` in watchdog/utils/patterns.py of both releases; seen by running this.
# Matters: the watcher starts, reports no error and is silent. Only a file that never turns up in
#   the index tells.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
for release in 6.0.0 7.1.0; do
  venv/bin/pip install --quiet --disable-pip-version-check --target "$release" "watchdog==$release"
  PYTHONPATH=$release venv/bin/python - <<'PYTHON'
import os
import pathlib
import sys
import time
from importlib.metadata import version

from watchdog.events import PatternMatchingEventHandler
from watchdog.observers import Observer

root = pathlib.Path("notes" + version("watchdog")).resolve()
(root / "cache").mkdir(parents=True)


class Names(PatternMatchingEventHandler):
    def __init__(self, **patterns):
        super().__init__(**patterns)
        self.names = set()

    def on_created(self, event):
        self.names.add(os.path.basename(event.src_path))


handlers = {
    'patterns ["*.txt"]': Names(patterns=["*.txt"]),
    'ignore_patterns ["*/cache/*"]': Names(ignore_patterns=["*/cache/*"]),
    'patterns ["**/*.txt"]': Names(patterns=["**/*.txt"]),
}
observer = Observer()
for handler in handlers.values():
    observer.schedule(handler, str(root), recursive=True)
observer.start()
for name in ("a.txt", "b.pdf", "cache/c.txt"):
    (root / name).write_text("words")
time.sleep(2)
observer.stop()
observer.join()
for name, handler in handlers.items():
    print(version("watchdog"), name, "sees", sorted(handler.names))
seen = [sorted(handler.names) for handler in handlers.values()][:2]
wanted = {
    "6.0.0": [["a.txt", "c.txt"], ["a.txt", "b.pdf"]],
    "7.1.0": [[], ["a.txt", "b.pdf", "c.txt"]],
}
if seen != wanted[version("watchdog")]:
    sys.exit(f"changed: patterns of watchdog {version('watchdog')}: {seen}")
PYTHON
done
