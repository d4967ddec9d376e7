"""A child whose decoder dies of one file, as the native ones do now and then.

Started by a Reader in place of its own worker.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import IO

from indexer.extract.formats.texts import text
from indexer.extract.pages.blocks import DocumentMetadata, Section
from indexer.extract.pages.typesetting import PageSource
from indexer.extract.process import worker

_sections = text.sections


def sections(
    file: IO[bytes], name: str, metadata: DocumentMetadata
) -> Iterator[Section | PageSource]:
    if name == "deadly.txt":
        os.abort()
    yield from _sections(file, name, metadata)


if __name__ == "__main__":
    text.sections = sections
    worker.main(int(sys.argv[1]), int(sys.argv[2]))
