"""Too little memory: knowing it when it comes, giving back what can be given, going on with less.

Light: importing this loads no torch; what it does to torch, it does where torch is loaded already.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from model.interface import ModelMemoryError

Given = TypeVar("Given")
Made = TypeVar("Made")

# What torch says on a processor, on a graphics card (where it also has a type of its own), and on
# Apple's; the exceptions are plain RuntimeErrors.
SHORTAGE_MESSAGES = (
    "not enough memory: you tried to allocate",
    "can't allocate memory",
    "out of memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
)


def is_out_of_memory(problem: BaseException) -> bool:
    """Whether something failed for want of memory."""
    if isinstance(problem, MemoryError) or type(problem).__name__ == "OutOfMemoryError":
        return True
    said = str(problem).lower()
    return isinstance(problem, RuntimeError) and any(words in said for words in SHORTAGE_MESSAGES)


def release_memory() -> None:
    """Returns to the system and to the graphics card what nothing holds any more."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if torch.backends.mps.is_available():
            torch.mps.empty_cache()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc keeps what was freed
        if trim is not None:
            trim(0)


def run_in_halves(
    work: Callable[[Sequence[Given]], list[Made]],
    given: Sequence[Given],
    short: Callable[[Sequence[Given]], None],
) -> list[Made]:
    """What `work` makes of `given`: at once where there is the memory, else in halves, and a single
    one once more after all that can be is given back. `short` is told what did not fit, and may let
    go of something. Raises ModelMemoryError where one alone does not."""
    if (made := _tried(work, given)) is not None:
        return made
    # Only here, outside any `except`, nothing holds the frames of what failed and their tensors.
    short(given)
    release_memory()
    if len(given) > 1:
        half = len(given) // 2
        return run_in_halves(work, given[:half], short) + run_in_halves(work, given[half:], short)
    if (made := _tried(work, given)) is not None:
        return made
    release_memory()
    raise ModelMemoryError


def _tried(
    work: Callable[[Sequence[Given]], list[Made]], given: Sequence[Given]
) -> list[Made] | None:
    try:
        return work(given)
    except Exception as problem:
        if not is_out_of_memory(problem):
            raise
    return None
