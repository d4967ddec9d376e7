"""Constraints of the model's background work: hours of the day, power supply, load.

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

MEASURED_S = 5.0  # the load is an average over so many seconds


@dataclass(frozen=True, slots=True)
class Hours:
    """Times of the day, as (begin, end) in minutes since midnight; a span whose end is not after
    its begin goes over midnight. No spans mean any time."""

    spans: tuple[tuple[int, int], ...] = ()

    def allow(self, minute: int) -> bool:
        return not self.spans or any(
            begin <= minute < end if begin < end else minute >= begin or minute < end
            for begin, end in self.spans
        )

    def next_begin(self, minute: int) -> int:
        """The minute of the day at which it is allowed next."""
        return min((begin for begin, _ in self.spans), key=lambda begin: (begin - minute) % 1440)


def parse_hours(text: str) -> Hours:
    """`22-6`, `22:30-6:15` or several, `12-13, 20-7`. Raises ValueError with a sentence."""
    spans = []
    for part in text.split(",") if text.strip() else ():
        match = re.fullmatch(r"\s*(\d{1,2})(?::(\d{2}))?\s*-\s*(\d{1,2})(?::(\d{2}))?\s*", part)
        numbers = [int(digits or 0) for digits in match.groups()] if match else [99]
        if not match or max(numbers[0::2]) > 24 or max(numbers[1::2]) > 59:
            raise ValueError(f"“{part.strip()}” is no span of hours; write it like 22-6 or 22:30-6")
        begin, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
        spans.append((begin % 1440, 1440 if end == 1440 else end % 1440))
    return Hours(tuple(spans))


class WorkConstraints:
    """What the second stage has to wait for. `max_load` is the share of the processors, 0 to 1,
    that other programs may use meanwhile. For one thread."""

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
        """The first constraint that is not met, as a sentence; None when the model may work."""
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
    """The share of the processors that other programs use, since it was last measured."""

    def __init__(self) -> None:
        self._measured_at = 0.0
        self._busy_s, self._own_s = 0.0, 0.0
        self._share = 0.0

    def share(self) -> float:
        """From 0 to 1, over the last seconds; 0 until it was measured twice."""
        now = time.monotonic()
        if now - self._measured_at < MEASURED_S:
            return self._share
        busy_s, own_s = _busy_s(), _own_s()
        if self._measured_at:
            others_s = (busy_s - self._busy_s) - (own_s - self._own_s)
            available_s = (now - self._measured_at) * (os.cpu_count() or 1)
            self._share = min(1.0, max(0.0, others_s / available_s))
        self._measured_at, self._busy_s, self._own_s = now, busy_s, own_s
        return self._share


def _busy_s() -> float:
    times = psutil.cpu_times()
    # the time of guests is counted in that of users as well
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - _guests_s(times))


def _guests_s(times: object) -> float:
    return float(getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0))


def _own_s() -> float:
    """Processor time of this process and of its children, which read the files."""
    this_process = psutil.Process()
    total_s = 0.0
    for process in (this_process, *this_process.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total_s += times.user + times.system
    return total_s
