"""An answer that ends before the first of its stop strings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from model.decoding.stop_strings import StopText
from model.interface import AnswerCitation, AnswerEnd, AnswerEvent, AnswerText


def until_stop(
    write: Callable[[Callable[[], bool]], Iterator[AnswerEvent]],
    strings: Sequence[str],
    cancelled: Callable[[], bool],
) -> Iterator[AnswerEvent]:
    """The events that `write` gives when it is told whether to end, up to the first stop string in
    the text that a person sees."""
    if not strings:
        yield from write(cancelled)
        return
    text = StopText(strings)
    for event in write(lambda: text.match is not None or cancelled()):
        match event:
            case AnswerText(piece):
                text.add(piece)
                if shown := text.take():
                    yield AnswerText(shown)
            case AnswerCitation():
                if text.match is None:
                    yield event
            case AnswerEnd():
                if rest := text.take(last=True):
                    yield AnswerText(rest)
                yield replace(event, reason="stop") if text.match is not None else event
