from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.extract.dispatch import extract
from indexer.extract.formats.office.number_format import shown_number, shown_time
from indexer.types.pieces import Facts, PageText


def text_of(path: Path) -> str:
    return "\n".join(piece.text for piece in extract(path) if isinstance(piece, PageText))


def workbook(path: Path, *cells: tuple[object, str], comment: str = "") -> Path:
    """A sheet with one row of values, each with its number format."""
    from openpyxl import Workbook
    from openpyxl.comments import Comment

    book: Any = Workbook()
    for column, (value, code) in enumerate(cells, start=1):
        cell = book.active.cell(1, column, value)
        cell.number_format = code
    if comment:
        book.active["A1"].comment = Comment(comment, "Ruth")
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (123456789.25, "123456789.25"),
        (12345678901.25, "12345678901.25"),
        (0.000012345, "1.2345E-05 (0.000012345)"),
        (1e24, "1E+24 (1000000000000000000000000)"),
        (49301234567890, "49301234567890"),
        (5e-20, "5E-20 (0.00000000000000000005)"),
        (5e-324, "4.94065645841247E-324 (5e-324)"),
        (-1850.5, "-1850.5"),
    ],
)
def test_numbers_are_kept_to_their_last_digit(tmp_path: Path, value: float, text: str) -> None:
    assert text in text_of(workbook(tmp_path / "a.xlsx", (value, "General")))


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.175, "0.0%", "17.5% (0.175)"),
        (123, '"PN-"00000', "PN-00123 (123)"),
        (1850, '#,##0.00 "€"', "1,850.00 € (1850)"),
        (123456789.256, "0.00", "123456789.26 (123456789.256)"),
        (datetime.datetime(2024, 3, 14), "dd.mm.yyyy", "14.03.2024 (2024-03-14)"),
        (datetime.datetime(2024, 3, 14, 9, 5), "d mmm yyyy h:mm", "14 Mar 2024 9:05 (2024-03-14"),
        (datetime.timedelta(hours=26, minutes=3), "[h]:mm", "26:03 (1 day, 2:03:00)"),
        ('=CONCATENATE("osprey","total")', "General", 'CONCATENATE("osprey","total") ospreytotal'),
        ('="a ""b"""&CONCAT("c", "d")', "General", '="a ""b"""&CONCAT("c", "d") a "b"cd'),
        ('="osprey"&A2', "General", '="osprey"&A2'),
        ('="unended', "General", '="unended'),
    ],
)
def test_cells_are_found_as_they_are_shown(
    tmp_path: Path, value: object, code: str, text: str
) -> None:
    assert text in text_of(workbook(tmp_path / "a.xlsx", (value, code)))


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (-5.5, "#,##0.00;[Red](#,##0.00)", "(5.50)"),
        (-0.001, "0.00", "0.00"),
        (-3, "0.0", "-3.0"),
        (5551234567, "(000) 000-0000", "(555) 123-4567"),
        (1_500_000, '0.0,,"M"', "1.5M"),
        (0.1234, "0.0#%", "12.34%"),
        (2, "0.##", "2"),
        (12.5, "[$€-407] #,##0.00", "€ 12.50"),
        (3, "General", None),
        (3, "# ?/?", None),
        (5, "[>100]0;0", None),
        (1e5, "0.00E+00", "1.00E+05"),
        (0.000999999, "0.00E+00", "1.00E-03"),
        (-150_000, "0.0E+0", "-1.5E+5"),
        (123_456, "##0.0E+0", "123.5E+3"),
        (0, "0.00E+00", "0.00E+00"),
    ],
)
def test_number_formats(value: float, code: str, text: str | None) -> None:
    assert shown_number(value, code) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("d. mmmm yyyy", "4. March 2024"),
        ("m/d/yy h:mm AM/PM", "3/4/24 3:06 PM"),
        ("[$-F800]dddd, mmmm dd, yyyy", "Monday, March 04, 2024"),
        ("mm:ss", "06:07"),
        ("mmm-yy", "Mar-24"),
    ],
)
def test_formats_of_times(code: str, text: str) -> None:
    assert shown_time(datetime.datetime(2024, 3, 4, 15, 6, 7), code) == text


@given(st.floats(allow_nan=False), st.text('0#?.,;%E+-[]"\\_*/@ymdhsAPM€ ', max_size=12))
def test_any_format_gives_a_text_or_nothing(value: float, code: str) -> None:
    for shown in (shown_number(value, code), shown_time(datetime.datetime(2024, 3, 4), code)):
        assert shown is None or len(shown) < 600


def test_comments_on_cells_are_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ("pump", "General"), comment="Ask before ordering")
    assert text_of(path).endswith("Comments\n\nA1: Ask before ordering")


def test_cells_with_a_colour_alone_cost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import PatternFill

    book: Any = Workbook(write_only=True)
    sheet = book.create_sheet("Stock")
    coloured = WriteOnlyCell(sheet)
    coloured.fill = PatternFill("solid", fgColor="FFFF00")
    for number in range(1, 41):
        sheet.append([f"rowname{number}", number, *[coloured] * 2_000])
    book.save(tmp_path / "wide.xlsx")
    monkeypatch.setattr("indexer.extract.formats.office.sheets.MAX_CELLS", 150)
    pieces = list(extract(tmp_path / "wide.xlsx"))
    text = "\n".join(piece.text for piece in pieces if isinstance(piece, PageText))
    assert "rowname40 | 40" in text
    assert next(piece for piece in pieces if isinstance(piece, Facts)).notes == ()
