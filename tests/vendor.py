"""Third-party files of the browser: where each comes from, and proof that none has changed.

    python -m tests.vendor refresh    fetch every pinned package again with `npm pack`
    python -m tests.vendor check      compare the files with their lock, offline

A package is pinned by version and by the sha512 of its archive. From the archive named files are
taken; the few rewrites they need must match exactly once, so that a new version cannot slip past
them. `lock.json` beside the files remembers origin and sha256 of each; nothing else may lie there.
Runs from a checkout; nothing at run time imports this module.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROWSER = ROOT / "web" / "static" / "vendor"
AXE = ROOT / "tests" / "axe"  # MPL-2.0: beside the tests that run it, never in the wheel
LOCK = "lock.json"
ICONS = "icon-nodes.js"

ICON_NAMES = (
    "arrow-left arrow-right arrow-up audio-lines book-open calendar check chevron-down "
    "chevron-left chevron-right circle-alert circle-check circle-stop clock copy download "
    "file-text folder folder-plus image info keyboard library link list-filter message-square-text "
    "monitor moon pause pencil play plus quote rotate-ccw rotate-cw search settings sparkles sun "
    "trash triangle-alert undo-2 unplug upload x"
).split()


@dataclass(frozen=True, slots=True)
class VendoredFile:
    """One file of an archive: its path there, its name here, (old, new) rewrites."""

    path: str
    name: str
    rewrites: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned package and the files taken from it. `sha512` is base64, as npm prints it."""

    name: str
    version: str
    sha512: str
    folder: Path
    files: tuple[VendoredFile, ...]

    @property
    def origin(self) -> str:
        return f"npm:{self.name}@{self.version}"


PACKAGES = (
    Package(
        "preact",
        "11.2.0",
        "/HfHI/7N84e6GrWBJ3J280z3mLaRJiDcSvj/A+y/4AbLnND/1UlGHe1sR6oYuTGwId0nP7dqDU9OnLxMPZ7xBg==",
        BROWSER,
        (
            VendoredFile("dist/preact.mjs", "preact.js"),
            VendoredFile(
                "hooks/dist/hooks.mjs", "hooks.js", (('from"preact"', 'from"./preact.js"'),)
            ),
            VendoredFile("LICENSE", "preact.LICENSE"),
        ),
    ),
    Package(
        "htm",
        "3.1.1",
        "983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
        BROWSER,
        (VendoredFile("dist/htm.mjs", "htm.js"), VendoredFile("LICENSE", "htm.LICENSE")),
    ),
    Package(
        "markdown-it",
        "15.0.3",
        "+Az7Ojz3iRGu8KYMvJ6xVhvrxP3eE+vEtJX75Ow88XBpcQNV/0lGX5ZynIIBftREo4DC2jsveAMDaeltmm8QvQ==",
        BROWSER,
        (
            VendoredFile("dist/browser/markdown-it.esm.min.mjs", "markdown-it.js"),
            VendoredFile("LICENSE", "markdown-it.LICENSE"),
        ),
    ),
    Package(
        "lucide-static",
        "1.62.0",
        "WBZA/m2PvkFpMGHDtsBck5P2A9G4ehLlYu4GwwICcmEm1BvYVgj00lCDxKRWLlbMlOibLaiwdQ88G5pHkSWgwA==",
        BROWSER,
        (VendoredFile("icon-nodes.json", ICONS), VendoredFile("LICENSE", "lucide.LICENSE")),
    ),
    # markdown-it's file contains the next five; their licences have to travel with it.
    Package(
        "entities",
        "8.1.0",
        "kxL7msIffSuh9aaFAMD7rxAIuTRMAHMeBtgHW2yUdWw732ZNh4MehkF2gdjvtdmikkaIP9bFDDJOPlsvm7avrA==",
        BROWSER,
        (VendoredFile("LICENSE", "entities.LICENSE"),),
    ),
    Package(
        "linkify-it",
        "6.1.0",
        "wJ/TwpSDTLepCrQoYWYIExIKg5Zchex2Nn5yk2mFnB+6PtdkHtyLx742md9csRjjOnGkKIS/RrbY7l8D6gT9Vw==",
        BROWSER,
        (VendoredFile("LICENSE", "linkify-it.LICENSE"),),
    ),
    Package(
        "mdurl",
        "2.1.0",
        "1+HBaOx0zi/dQWht8rNv9MYf9qqpqL/kxI0hXImU6Y547zM6Sni8BQibt7ifgMcYtQg41ao3Ivd6cnSM86inpg==",
        BROWSER,
        (VendoredFile("LICENSE", "mdurl.LICENSE"),),
    ),
    Package(
        "punycode.js",
        "2.3.1",
        "uxFIHU0YlHYhDQtV4R9J6a52SLx28BCjT+4ieh7IGbgwVJWO+km431c4yRlREUAsAmt/uMjQUyQHNEPf0M39CA==",
        BROWSER,
        (VendoredFile("LICENSE-MIT.txt", "punycode.js.LICENSE"),),
    ),
    Package(
        "uc.micro",
        "3.0.0",
        "U3PppEkleoTnIfi8BozMx3yju3qc/L6SwqWo2Sw+54PX+PX0q9I+r1Um5HCmqD7n9VDX5/v3vQH/AjA6deDdtw==",
        BROWSER,
        (VendoredFile("LICENSE.txt", "uc.micro.LICENSE"),),
    ),
    Package(
        "axe-core",
        "4.14.1",
        "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        AXE,
        (
            VendoredFile("axe.min.js", "axe.min.js"),
            VendoredFile("LICENSE", "LICENSE"),
            VendoredFile("LICENSE-3RD-PARTY.txt", "LICENSE-3RD-PARTY.txt"),
        ),
    ),
)

# The declarations lead the type check to the packages in tests/types.
DECLARATIONS = {f"{name}.d.ts" for name in ("preact", "hooks", "htm", "markdown-it", "icon-nodes")}
HAND_WRITTEN = {BROWSER: {"NOTICE"} | DECLARATIONS, AXE: set[str]()}


class ChangedError(Exception):
    """A file or an archive is not what was pinned; the message says which."""


def rewritten(text: str, taken: VendoredFile) -> str:
    """`text` with the rewrites of `taken`, each matching exactly once, and no source-map line."""
    for old, new in taken.rewrites:
        if text.count(old) != 1:
            raise ChangedError(f"{taken.path} holds {old!r} {text.count(old)} times, not once")
        text = text.replace(old, new)
    return re.sub(r"\n?//# sourceMappingURL=.*\n?$", "\n", text)


def icon_module(nodes_json: str) -> str:
    """The nodes of the icons we draw, as a module of plain data."""
    nodes = json.loads(nodes_json)
    missing = [name for name in ICON_NAMES if name not in nodes]
    if missing:
        raise ChangedError(f"lucide has no icon called {', '.join(missing)}")
    lines = [
        f"  {json.dumps(name)}: {json.dumps(nodes[name], separators=(',', ':'))},"
        for name in ICON_NAMES
    ]
    head = "/* Lucide icons, ISC and MIT: see lucide.LICENSE. Written by tests/vendor.py. */\n"
    return head + "export const NODES = {\n" + "\n".join(lines) + "\n};\n"


def fetch(package: Package, folder: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of each file taken from `package`, whose archive is put into `folder`."""
    npm = shutil.which("npm")
    if npm is None:
        raise ChangedError("npm is not installed; it is needed to refresh, not to run or to check")
    command = [npm, "pack", "--silent", f"{package.name}@{package.version}"]
    listing = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    )  # pinned names
    archive = folder / listing.stdout.strip().splitlines()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != package.sha512:
        raise ChangedError(f"the archive of {package.origin} has sha512 {digest}")
    with tarfile.open(archive) as opened:
        for taken in package.files:
            member = opened.extractfile(f"package/{taken.path}")
            if member is None:
                raise ChangedError(f"{package.origin} has no file {taken.path}")
            text = member.read().decode()
            yield taken.name, icon_module(text) if taken.name == ICONS else rewritten(text, taken)


def refresh() -> None:
    """Write every third-party file and the locks anew."""
    for folder in (BROWSER, AXE):
        folder.mkdir(parents=True, exist_ok=True)
        lock: dict[str, dict[str, str]] = {}
        for package in (package for package in PACKAGES if package.folder == folder):
            with tempfile.TemporaryDirectory() as scratch:
                for name, text in fetch(package, Path(scratch)):
                    (folder / name).write_text(text, encoding="utf-8", newline="\n")
                    lock[name] = {
                        "origin": package.origin,
                        "sha256": hashlib.sha256(text.encode()).hexdigest(),
                    }
        (folder / LOCK).write_text(json.dumps(lock, indent=1, sort_keys=True) + "\n")


def check(folder: Path = BROWSER) -> None:
    """Raise `ChangedError` unless `folder` holds exactly the locked files, unchanged."""
    lock = json.loads((folder / LOCK).read_text())
    expected = set(lock) | {LOCK} | HAND_WRITTEN.get(folder, set())
    present = {path.name for path in folder.iterdir()}
    if present != expected:
        raise ChangedError(
            f"{folder.name}: missing or extra: {', '.join(sorted(present ^ expected))}"
        )
    for name, entry in lock.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != entry["sha256"]:
            raise ChangedError(f"{folder.name}/{name} is not the file taken from {entry['origin']}")


def main(verb: str) -> None:
    if verb == "refresh":
        refresh()
    elif verb != "check":
        raise SystemExit("usage: python -m tests.vendor refresh|check")
    for folder in (BROWSER, AXE):
        check(folder)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) == 2 else "")
    except ChangedError as error:
        raise SystemExit(f"vendor: {error}") from None
