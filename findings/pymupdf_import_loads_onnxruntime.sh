#!/usr/bin/env bash
# In short: `import pymupdf` loads a neural network runtime and NumPy before a file is opened
# Versions: PyMuPDF 2.0 (pymupdf4llm 2.0, pymupdf_layout 2.0, onnxruntime 1.31.1 come with it)
# Expected: a binding to a C library without dependencies, as PyMuPDF 1 was: the import loads
#   MuPDF, and layout analysis is loaded by who asks for it.
# Instead: release 2.0 requires onnxruntime, numpy and more, and the package's `__init__` imports
#   `pymupdf.layout` and pymupdf4llm, which import them. A process that only reads text spends
#   more than a third of its memory on them; without both it reads as well.
# Seen:
#   needs: ['networkx', 'numpy', 'onnxruntime', 'psutil', 'pymupdf-layout==2.0', 'pymupdf4llm==2.0', 'pymupdf_layout==2.0', 'pyyaml', 'tabulate']
#   loaded by the import: numpy,onnxruntime,pymupdf4llm; more than 80 MiB: True
#   with both kept out: none of them; less by a third: True
# Source: the metadata of the package (Requires-Dist) and its `__init__.py`; seen by running this.
# Matters: who reads each file in a small fenced process pays for it in each, and a fence that
#   allows few libraries must now allow these.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pymupdf==2.0' 'onnxruntime==1.31.1'
venv/bin/python - <<'PYTHON'
import importlib.metadata
import subprocess
import sys

CODE = """
import resource, sys
{block}
import pymupdf
document = pymupdf.open()
document.new_page().insert_text((50, 50), "words")
assert document[0].get_text().strip() == "words"
loaded = [name for name in ("numpy", "onnxruntime", "pymupdf4llm") if sys.modules.get(name)]
print(",".join(loaded), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def run(block):
    """What was loaded, and the peak memory in MiB."""
    command = [sys.executable, "-c", CODE.format(block=block)]
    words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(" ")
    return words[0], int(words[1])


needs = sorted(importlib.metadata.requires("pymupdf") or [])
print("needs:", needs)
loaded, memory = run("")
print(f"loaded by the import: {loaded}; more than 80 MiB: {memory > 80}")
without, less = run("sys.modules['pymupdf.layout'] = sys.modules['pymupdf4llm'] = None")
smaller = less < memory * 2 / 3
print(f"with both kept out: {without or 'none of them'}; less by a third: {smaller}")
if "onnxruntime" not in loaded or "onnxruntime" in without:
    raise SystemExit("changed: what the import loads")
PYTHON
