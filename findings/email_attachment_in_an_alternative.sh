#!/usr/bin/env bash
# In short: a PDF attached the way Apple's mail program does it is not among the mail's
#   attachments
# Versions: Python 3.11.7 (module email)
# Expected: `iter_attachments()` yields every part that says "Content-Disposition: attachment".
# Instead: where the mail is a multipart/alternative whose second form is a multipart/mixed of
#   HTML and PDF, it yields nothing. It looks at the children of the root only, and skips all of
#   them when the root is an alternative. `walk()` finds the part.
# Seen:
#   iter_attachments(): []
#   walk() and is_attachment(): ['invoice.pdf']
#   defects of the mail: []
# Source: `EmailMessage.iter_attachments` in Lib/email/message.py returns at once where the root
#   is "multipart/alternative"; seen by running this.
# Matters: mails whose plain form stands beside "HTML with attachments" are everyday. Their
#   invoices would never be indexed, and nothing says so.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 - <<'PYTHON'
from email import message_from_bytes
from email.policy import default

MAIL = b"""From: Ann <ann@example.org>
Subject: Invoice
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=outer

--outer
Content-Type: text/plain

The invoice is attached.
--outer
Content-Type: multipart/mixed; boundary=inner

--inner
Content-Type: text/html

<p>The invoice is attached.</p>
--inner
Content-Type: application/pdf; name=invoice.pdf
Content-Disposition: attachment; filename=invoice.pdf
Content-Transfer-Encoding: base64

JVBERi0xLjcK
--inner--
--outer--
"""
mail = message_from_bytes(MAIL, policy=default)
listed = [part.get_filename() for part in mail.iter_attachments()]
walked = [part.get_filename() for part in mail.walk() if part.is_attachment()]
print("iter_attachments():", listed)
print("walk() and is_attachment():", walked)
print("defects of the mail:", mail.defects)
if listed or walked != ["invoice.pdf"] or mail.defects:
    raise SystemExit("changed: attachments within an alternative")
PYTHON
