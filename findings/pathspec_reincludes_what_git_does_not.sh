#!/usr/bin/env bash
# In short: "build/" and "!build/keep.txt": git ignores the file, the library's git spec does not
# Versions: pathspec 1.1.1; dulwich 1.2.21 (a git in Python) as the other reader
# Expected: `GitIgnoreSpec` says what git says; its name and documentation promise git's edge
#   cases.
# Instead: git never looks into an ignored folder, so a later line cannot bring back a file in it.
#   pathspec takes each path by itself, and the last line that matches wins. With "build/*"
#   instead of "build/" both bring it back.
# Seen:
#   ['build/', '!build/keep.txt']: is build/keep.txt ignored? pathspec False, git's rule True
#   ['build/*', '!build/keep.txt']: is build/keep.txt ignored? pathspec False, git's rule False
# Source: git-scm.com/docs/gitignore: "It is not possible to re-include a file if a parent
#   directory of that file is excluded". Seen by running this.
# Matters: a program that leaves out what git leaves out reads files from folders that it promised
#   not to enter, or walks these folders only to find out.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pathspec==1.1.1' 'dulwich==1.2.21'
venv/bin/python - <<'PYTHON'
import pathspec
from dulwich.ignore import IgnoreFilter

answers = []
for lines in (["build/", "!build/keep.txt"], ["build/*", "!build/keep.txt"]):
    ours = pathspec.GitIgnoreSpec.from_lines(lines).match_file("build/keep.txt")
    git = IgnoreFilter([line.encode() for line in lines]).is_ignored("build/keep.txt")
    answers.append((ours, git))
    print(f"{lines}: is build/keep.txt ignored? pathspec {ours}, git's rule {git}")
if answers != [(False, True), (False, False)]:
    raise SystemExit("changed: a file within an ignored folder")
PYTHON
