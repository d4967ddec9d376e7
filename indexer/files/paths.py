"""Paths as raw bytes: joined to a root, and told relative to one."""

from __future__ import annotations


def join(root: bytes, path: bytes) -> bytes:
    """The absolute path of `path`, which is relative to `root` (b"" is the root itself)."""
    return root.rstrip(b"/") + b"/" + path if path else root


def relative(root: bytes, path: bytes) -> bytes | None:
    """`path` relative to `root`, b"" for the root itself, None outside of it; both absolute."""
    if path == root:
        return b""
    prefix = root.rstrip(b"/") + b"/"
    return path[len(prefix) :] if path.startswith(prefix) else None
