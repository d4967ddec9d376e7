#!/usr/bin/env bash
# Runs every finding, or those that are named, and prints a line each; status 1 if one has changed.
set -uo pipefail
cd "$(dirname "$0")" || exit 1
output=$(mktemp)
trap 'rm -f "$output"' EXIT
changed=0
[ "$#" -gt 0 ] || set -- *.sh
for script in "$@"; do
  name=$(basename "$script" .sh)
  [ "$name" = run ] && continue
  if bash "$name.sh" >"$output" 2>&1; then
    echo "as described  $name"
  else
    echo "CHANGED       $name: $(tail -n 1 "$output")"
    changed=1
  fi
done
exit "$changed"
