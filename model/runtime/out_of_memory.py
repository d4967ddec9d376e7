"""Running out of memory: telling it from other errors, releasing what can be, going on with less.

Importing this loads no torch; torch is touched only where it is loaded already.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from model.interface import ModelMemoryError

Item = TypeVar("Item")
Result = TypeVar("Result")

# What torch says on a processor, on a graphics card (where it also has a type of its own), and on
# Apple's; the exceptions are plain RuntimeErrors.
SHORTAGE_MESSAGES = (
    "not enough memory: you tried to allocate",
    "can't allocate memory",
    "out of memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether something failed for want of memory."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(part in text for part in SHORTAGE_MESSAGES)


def release_memory() -> None:
    """Return to the system and to the graphics card what nothing refers to any more."""
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
    work: Callable[[Sequence[Item]], list[Result]],
    items: Sequence[Item],
    on_shortage: Callable[[Sequence[Item]], None],
) -> list[Result]:
    """The results of `work` for `items`: at once where there is the memory, else in halves, and a
    single one once more after memory was released. `on_shortage` is given the items that did not
    fit, and may release something. Raises ModelMemoryError where one alone does not fit."""
    if (results := _attempt(work, items)) is not None:
        return results
    # Only here, outside any `except`, nothing refers to the failed frames and their tensors.
    on_shortage(items)
    release_memory()
    if len(items) > 1:
        half = len(items) // 2
        return run_in_halves(work, items[:half], on_shortage) + run_in_halves(
            work, items[half:], on_shortage
        )
    if (results := _attempt(work, items)) is not None:
        return results
    release_memory()
    raise ModelMemoryError


def _attempt(
    work: Callable[[Sequence[Item]], list[Result]], items: Sequence[Item]
) -> list[Result] | None:
    """None where there was not the memory."""
    try:
        return work(items)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    return None
