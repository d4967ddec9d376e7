"""Clean text, as it is stored and shown: NFC, without invisible characters."""

from __future__ import annotations

import re
import unicodedata

# Soft hyphens, zero-width spaces, bidirectional overrides, tags: unseen by a person and able to
# tell a model something else than what is read. Joiners stay: words and emoji are made with them.
INVISIBLE = (
    "\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
JOINERS = "\u200c\u200d"
_UNSEEN = re.compile(f"[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f{INVISIBLE}]")
_ODD = re.compile("[\u0000-\u0008\u000d-\u001f\u007f]")  # what of ASCII does not stay as it is
_SPACES = re.compile(r"[ \t\f\v\n\u00a0]+")
_LINE_ENDS = ("\r\n", "\r", "\u0085", "\u2028", "\u2029")


def clean(text: str) -> str:
    """`text` in NFC, with `\\n` ends of lines, without unseen characters and lone surrogates."""
    if text.isascii() and not _ODD.search(text):
        return text  # nearly all is: there is nothing to be cleaned
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    return _UNSEEN.sub("", text)


def clean_line(text: str | None) -> str:
    """Clean text in one line: any white space is one blank."""
    text = clean(text or "")
    if text.isascii():  # the same, four times as fast
        return " ".join(text.split())
    return _SPACES.sub(" ", text).strip()
