"""When the model may work through the files, and what is said while it may not."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from indexer.ingest.constraints import Hours, OtherLoad, WorkConstraints, on_mains, parse_hours
from indexer.ingest.service import IndexService
from tests.library import small


def at(clock: str) -> Callable[[], datetime]:
    return lambda: datetime.fromisoformat(f"2026-11-21T{clock}")


@pytest.mark.parametrize(
    ("written", "spans"),
    [
        ("", ()),
        ("22-6", ((1320, 360),)),
        (" 22:30 - 6:15 ", ((1350, 375),)),
        ("12-13,20-7", ((720, 780), (1200, 420))),
        ("0-24", ((0, 1440),)),
    ],
)
def test_hours_as_people_write_them(written: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert parse_hours(written) == Hours(spans)


@pytest.mark.parametrize("written", ["22", "22-", "25-3", "22:61-3", "ten-six", "22-6;"])
def test_hours_that_are_none(written: str) -> None:
    with pytest.raises(ValueError, match="write it like 22-6"):
        parse_hours(written)


@pytest.mark.parametrize(
    ("hours", "now", "sentence"),
    [
        ("22-6", "21:59", "Understanding waits for 22:00."),
        ("22-6", "22:00", None),
        ("22-6", "05:59", None),
        ("22-6", "06:00", "Understanding waits for 22:00."),
        ("12-13,20-7", "13:00", "Understanding waits for 20:00."),
        ("12-13,20-7", "07:00", "Understanding waits for 12:00."),
        ("0-24", "23:59", None),
        ("", "12:00", None),
    ],
)
def test_hours_of_the_day(hours: str, now: str, sentence: str | None) -> None:
    assert WorkConstraints(parse_hours(hours), now=at(now)).unmet() == sentence


def test_mains_and_load() -> None:
    assert WorkConstraints(on_battery=False, mains=lambda: False).unmet() == (
        "Understanding waits for mains power."
    )
    assert WorkConstraints(on_battery=False, mains=lambda: True).unmet() is None
    assert WorkConstraints(on_battery=True, mains=lambda: False).unmet() is None
    busy = WorkConstraints(max_load=0.5, load=lambda: 0.78)
    assert "they use 78%" in (busy.unmet() or "")
    assert WorkConstraints(max_load=0.8, load=lambda: 0.78).unmet() is None


def test_this_machine_can_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert on_mains() in (True, False)
    monkeypatch.setattr("indexer.ingest.constraints.MEASURED_S", 0.2)
    load = OtherLoad()
    load.share()
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        pass  # what we do ourselves is not others'
    assert 0.0 <= load.share() <= 1.0


def test_words_are_found_while_the_model_waits(tmp_path: Path) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        library.write("a.txt", "boat")
        clock = ["12:00"]
        limits = WorkConstraints(parse_hours("22-6"), now=lambda: at(clock[0])())
        service = IndexService(library.catalog, library.pipeline, settle_s=0.1, constraints=limits)
        service.start()
        try:
            end = time.monotonic() + 60
            while not library.found("boat") or service.waiting is None:
                assert time.monotonic() < end
                time.sleep(0.02)
            assert service.waiting == "Understanding waits for 22:00."
            assert library.model.calls == 0
            clock[0] = "22:00"
            service.poke()
            while library.catalog.counts.coverage()["understood"] != 1:
                assert time.monotonic() < end
                time.sleep(0.02)
            assert service.waiting is None
        finally:
            service.stop()
