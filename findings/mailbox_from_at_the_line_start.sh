#!/usr/bin/env bash
# In short: a mailbox of two mails has four, if a sentence in one begins with "From "
# Versions: Python 3.11.7 (module mailbox)
# Expected: a mail in an mbox begins with a line "From address date" after an empty line; a
#   sentence like "From here on it is easy" in the middle of a paragraph begins none.
# Instead: `mailbox.mbox` starts a new mail at every line that begins with "From ", whatever
#   follows and whatever stands before. The rest of the letter becomes mails without a header.
#   When writing, the module quotes such lines as ">From ", but does not take the mark away when
#   reading.
# Seen:
#   subjects: ['first', None, None, 'second']
#   written and read again: >From here on it is easy.
# Source: `mbox._generate_toc` in Lib/mailbox.py; RFC 4155, appendix A, describes the separator
#   line with its date.
# Matters: mailboxes that other programs wrote, with a Content-Length or after an empty line only,
#   fall apart: half a letter is found under no sender and no date.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 - <<'PYTHON'
import mailbox
import pathlib

pathlib.Path("mails").write_text("""From ann@example.org Thu Jan  1 00:00:00 1970
Subject: first

Take the second street.
From here on it is easy.
From the bridge you see the house.

From bob@example.org Thu Jan  1 00:00:00 1970
Subject: second

Thanks.
""")
subjects = [mail["Subject"] for mail in mailbox.mbox("mails")]
print("subjects:", subjects)

written = mailbox.mbox("written")
mail = mailbox.mboxMessage()
mail["Subject"] = "third"
mail.set_payload("From here on it is easy.\n")
written.add(mail)
written.flush()
(again,) = mailbox.mbox("written")
print("written and read again:", again.get_payload().strip())
if subjects != ["first", None, None, "second"] or not again.get_payload().startswith(">From"):
    raise SystemExit("changed: lines that begin with From")
PYTHON
