"""Functions of our own that the catalog's SQL calls: parts of a path, words, and keyed marks."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re

from indexer.types.text.tokens import tokens


def name_words(path: bytes) -> str:
    """The words of a file's name: without its folder and suffix, "BoatTrip" as two words."""
    name = path.rpartition(b"/")[2]
    stem = name.rpartition(b".")[0] or name
    words = os.fsdecode(stem).encode("utf-8", "replace").decode()
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)", " ", words)
    return words if apart == words else f"{words} {apart}"


def extension(name: bytes) -> str:
    """The extension of a file's name with its dot, in lower case; of an archive the last one."""
    stem, dot, suffix = name.rpartition(b"/")[2].rpartition(b".")
    return os.fsdecode(dot + suffix).encode("utf-8", "replace").decode().lower() if stem else ""


def lies_in_one_of(root: bytes, path: bytes, names: str) -> bool:
    """Whether one of the folders that a file lies below, from its root on, has one of the names: a
    JSON list of case-folded ones."""
    folders = [root.rstrip(b"/").rpartition(b"/")[2], *path.split(b"/")[:-1]]
    wanted = _names_in(names)
    return any(os.fsdecode(f).encode("utf-8", "replace").decode().casefold() in wanted
               for f in folders)  # fmt: skip


@functools.lru_cache(maxsize=8)
def _names_in(names: str) -> frozenset[str]:
    """Read once a query, and not for each of its files."""
    return frozenset(json.loads(names))


def folded_words(text: str) -> str:
    """The tokens of a passage as the index of words has them, a blank between two."""
    return " ".join(tokens(text))


def path_mark(key: str, root: bytes, path: bytes) -> str:
    """What stands in `forgotten` for a file's path, 40 hex digits."""
    whole = root.rstrip(b"/") + b"/" + path
    return hashlib.blake2b(b"path" + whole, digest_size=20, key=bytes.fromhex(key)).hexdigest()


def content_mark(key: str, content: str) -> str:
    """What stands in `forgotten` for a content, 40 hex digits."""
    marked = b"content" + bytes.fromhex(content)
    return hashlib.blake2b(marked, digest_size=20, key=bytes.fromhex(key)).hexdigest()
