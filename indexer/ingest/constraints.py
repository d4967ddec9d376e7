"""When the model may work through the files: at which hours, on which power, beside what load.

Only the second stage in the background asks here. Words of new files are read at any time, and a
person's own searches and questions are never limited.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import psutil

MEASURED_S = 5.0  # a load is what was done in so many seconds


@dataclass(frozen=True, slots=True)
class Hours:
    """Times of the day, as pairs of minutes since midnight; over midnight where the end is not
    after the beginning. None at all means any time."""

    spans: tuple[tuple[int, int], ...] = ()

    def allow(self, minute: int) -> bool:
        return not self.spans or any(
            begin <= minute < end if begin < end else minute >= begin or minute < end
            for begin, end in self.spans
        )

    def next_begin(self, minute: int) -> int:
        """The minute of the day at which it is allowed next."""
        return min((begin for begin, _ in self.spans), key=lambda b: (b - minute) % 1440)


def parse_hours(written: str) -> Hours:
    """`22-6`, `22:30-6:15` or several, `12-13, 20-7`. Raises ValueError with a sentence."""
    spans = []
    for part in written.split(",") if written.strip() else ():
        found = re.fullmatch(r"\s*(\d{1,2})(?::(\d{2}))?\s*-\s*(\d{1,2})(?::(\d{2}))?\s*", part)
        minutes = [int(n or 0) for n in found.groups()] if found else [99]
        if not found or max(minutes[0::2]) > 24 or max(minutes[1::2]) > 59:
            raise ValueError(f"“{part.strip()}” is no span of hours; write it like 22-6 or 22:30-6")
        begin, end = minutes[0] * 60 + minutes[1], minutes[2] * 60 + minutes[3]
        spans.append((begin % 1440, 1440 if end == 1440 else end % 1440))
    return Hours(tuple(spans))


class WorkConstraints:
    """Says what the second stage has to wait for. `max_load` is the share of the processors that
    other programs may use meanwhile. One thread asks."""

    def __init__(
        self,
        hours: Hours | None = None,
        on_battery: bool = True,
        max_load: float = 1.0,
        *,
        now: Callable[[], datetime] = datetime.now,
        mains: Callable[[], bool] | None = None,
        load: Callable[[], float] | None = None,
    ) -> None:
        self._hours = hours or Hours()
        self._on_battery = on_battery
        self._max_load = max_load
        self._now = now
        self._mains = mains or on_mains
        self._load = load or OtherLoad().share

    def unmet(self) -> str | None:
        """What has to come first, as a sentence; None when the model may go on."""
        now = self._now()
        minute = now.hour * 60 + now.minute
        if not self._hours.allow(minute):
            at = self._hours.next_begin(minute)
            return f"Understanding waits for {at // 60:02}:{at % 60:02}."
        if not self._on_battery and not self._mains():
            return "Understanding waits for mains power."
        if self._max_load < 1.0 and (used := self._load()) > self._max_load:
            return (
                "Understanding waits until other programs leave it more of the processor "
                f"(they use {used:.0%})."
            )
        return None


def on_mains() -> bool:
    """Whether this machine has no battery, or does not draw on it."""
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return battery is None or battery.power_plugged is not False


class OtherLoad:
    """How much of the processors other programs use: what they did since it was last measured."""

    def __init__(self) -> None:
        self._at = 0.0
        self._busy_s, self._own_s = 0.0, 0.0
        self._share = 0.0

    def share(self) -> float:
        """From 0 to 1, over the last seconds; 0 until there is something to compare with."""
        now = time.monotonic()
        if now - self._at < MEASURED_S:
            return self._share
        busy_s, own_s = _busy_s(), _own_s()
        if self._at:
            others_s = (busy_s - self._busy_s) - (own_s - self._own_s)
            had_s = (now - self._at) * (os.cpu_count() or 1)
            self._share = min(1.0, max(0.0, others_s / had_s))
        self._at, self._busy_s, self._own_s = now, busy_s, own_s
        return self._share


def _busy_s() -> float:
    times = psutil.cpu_times()
    # a guest's time is counted in the user's
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - _guests_s(times))


def _guests_s(times: object) -> float:
    return float(getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0))


def _own_s() -> float:
    """Ours and our children's, which read the files."""
    own = psutil.Process()
    total = 0.0
    for process in (own, *own.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total
