"""Packed int4 weights of the 12B's shape: reading, writing and embedding, beside llama.cpp."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.memory import log
from bench.report import Report, Row
from bench.shape import FULL, QUICK, QUICK_DRAFTER, write

ROOT = Path(__file__).parents[1]
LLAMA_PYTHON = ROOT / ".venv" / "engines" / "llamacpp" / "bin" / "python"
# What embedded a text by the whole pass, in tiles whose scales were read one by one.
REFERENCE_COMMIT = "51c9949"
LAYERS = 6  # of 48: five of the window and one of the whole context
ROUNDS, READ_TOKENS, WRITTEN_TOKENS = 2, 512, 8
THREADS = 1


def run(quick: bool) -> Report:
    if not LLAMA_PYTHON.exists():
        raise SystemExit("llama.cpp is not here; run `make engines` once.")
    folder = Path(tempfile.mkdtemp(prefix="recollect-prefill-", dir=Path.cwd()))
    try:
        shape = (QUICK if quick else FULL) | {"num_hidden_layers": LAYERS}
        write(folder, shape, QUICK_DRAFTER)
        return Report("prefill", _rows(folder, 1 if quick else ROUNDS, quick), seeds=[0])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rows(folder: Path, rounds: int, quick: bool) -> list[Row]:
    gguf = _written_gguf(folder)
    llama = [str(LLAMA_PYTHON), "-m", "bench.engines.slice_speed", "measure", str(gguf)]
    counts = [str(THREADS), str(READ_TOKENS), str(WRITTEN_TOKENS)]
    process = str(ROOT / "bench" / "prefill_process.py")
    ours = [sys.executable, "-P", process, str(folder), *counts]
    with (
        _reference_tree() as reference,
        _measuring(ours, ROOT) as own,
        _measuring([*llama, *counts], ROOT) as llama_cpp,
        _measuring(ours, reference) as before,
    ):
        taken = []
        for number in range(1, rounds + 1):
            taken.append([measured() for measured in (own, llama_cpp, before)])
            log(f"round {number} of {rounds}: {taken[-1]}")
    # Of all rounds the least: other work on the machine only ever adds.
    own_s, llama_s, before_s = (
        {key: min(one[number][key] for one in taken) for key in taken[0][number]}
        for number in range(3)
    )
    of = "a hundredth of the 12B" if quick else f"{LAYERS} of the 12B's 48 layers"
    tail = f"processor second, one thread, {of}"

    def row(
        key: str, what: str, count: int, name: str, other: dict[str, float], goal: float
    ) -> Row:
        bound = None if quick else goal
        return Row(key, what, count / own_s[name], "tokens/s", count / other[name], bound)

    return [
        row("prefill_per_core_s", f"tokens of a {READ_TOKENS}-token prompt read in a {tail}, over "
            "llama.cpp as its wheel is built, on the same weights as Q4_0", READ_TOKENS, "prefill",
            llama_s, 0.95),
        row("decode_per_core_s", f"tokens written in a {tail}, over llama.cpp", WRITTEN_TOKENS,
            "decode", llama_s, 1.0),
        row("text_embedded_per_s", f"tokens of texts of {READ_TOKENS} embedded in a {tail}, over "
            f"commit {REFERENCE_COMMIT}", READ_TOKENS, "embed", before_s, 3.0),
        row("texts_together_per_s", f"the same of eight texts of 10 to 120 tokens at once, in a "
            f"{tail}", int(own_s["together_tokens"]), "together", before_s, 3.0),
        Row("second_load_s", f"seconds by the clock to load {of} from files that lie in the "
            f"system's memory, over commit {REFERENCE_COMMIT}", own_s["load"], "s",
            before_s["load"], at_most=True),
    ]  # fmt: skip


def _written_gguf(folder: Path) -> Path:
    """The same weights for llama.cpp."""
    from transformers import Gemma4UnifiedConfig

    text: Any = Gemma4UnifiedConfig.from_pretrained(folder).text_config
    described, file = folder / "text.json", folder / "slice.gguf"
    described.write_text(json.dumps(text.to_dict(), default=str))
    command = [str(LLAMA_PYTHON), "-m", "bench.engines.slice_speed", "write"]
    subprocess.run([*command, str(folder), str(described), str(file)], cwd=ROOT, check=True)
    return file


@contextmanager
def _reference_tree() -> Iterator[Path]:
    """The files of the reference commit."""
    with tempfile.TemporaryDirectory() as base:
        tree = Path(base) / "reference"
        try:
            subprocess.run(
                ["git", "worktree", "add", "--detach", str(tree), REFERENCE_COMMIT],
                cwd=ROOT, check=True, capture_output=True,
            )  # fmt: skip
        except subprocess.CalledProcessError as problem:
            raise SystemExit(
                f"This checkout has no commit {REFERENCE_COMMIT} to compare with; fetch the whole "
                "history with `git fetch --unshallow`."
            ) from problem
        try:
            yield tree
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True
            )


@contextmanager
def _measuring(command: list[str], tree: Path) -> Iterator[Any]:
    """A process that measures once for every line it is sent, in turns with others. Gives what asks
    it for seconds by name."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    process = subprocess.Popen(
        command, cwd=tree, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    begun = json.loads(process.stdout.readline() or "null")
    if begun is None:
        raise SystemExit(f"What is measured did not start: {' '.join(command[:4])}")

    def measured() -> dict[str, float]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        line = json.loads(process.stdout.readline())
        seconds = {
            key: value[0] if isinstance(value, list) else value for key, value in line.items()
        }
        return {**seconds, **{key: value for key, value in begun.items() if key != "ready"}}

    try:
        yield measured
    finally:
        process.stdin.close()
        process.wait()
