"""The only importer of pymupdf, without the packages that it imports in turn.

From 2.0 on, `import pymupdf` imports its layout analysis and with it onnxruntime, whose official
builds write a device id into the home folder and send events to their maker. It is not
needed here: without it nothing leaves the machine, and the import takes 0.2 s instead of 1.5 s.
"""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # in case another package imports onnxruntime
for _package in ("pymupdf.layout", "pymupdf4llm"):
    sys.modules.setdefault(_package, None)  # type: ignore[arg-type]

import pymupdf as _pymupdf  # noqa: E402  after these lines, that is the point

pymupdf: Any = _pymupdf
