from __future__ import annotations

from pathlib import Path

import pytest

from indexer.extract.containers.encodings import decode, decode_declared
from indexer.extract.dispatch import extract
from indexer.types.pieces import PageText


def text_of(path: Path) -> str:
    return "\n".join(piece.text for piece in extract(path) if isinstance(piece, PageText))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("label", "data", "text"),
    [
        ("iso-8859-1", b"\x80 45, don\x92t \x93forget\x94", "€ 45, don’t “forget”"),
        ("us-ascii", "Bäckerstraße".encode(), "Bäckerstraße"),
        ("gb2312", "朱镕基路的合同，喆先生".encode("gb18030"), "朱镕基路的合同，喆先生"),
        ("shift_jis", "議事録①：髙橋さん".encode("cp932"), "議事録①：髙橋さん"),
        ("x-sjis", "契約書".encode("cp932"), "契約書"),
        ("ks_c_5601-1987", "회의록 똠방각하".encode("cp949"), "회의록 똠방각하"),
        ("iso-2022-jp", b"\x1b$B5D;vO?-!7@Ls=q\x1b(B end", "議事録①契約書 end"),
        ("unicode-1-1-utf-7", b"M+APw-llabfuhr", "Müllabfuhr"),
        ("cp850", "Störchen".encode("cp850"), "Störchen"),
        ("no-such-label", "Störchen".encode(), "Störchen"),
        ("utf-8", "Störchen in Überlingen".encode("cp1252"), "Störchen in Überlingen"),
    ],
)
def test_labels_are_read_as_browsers_read_them(label: str, data: bytes, text: str) -> None:
    assert decode_declared(data, label) == text


def test_a_damaged_byte_costs_one_character(tmp_path: Path) -> None:
    lines = "Protokoll über die Straßenbeleuchtung der Krähenbrücke.\n".encode() * 40
    data = lines[:900] + b"\xc3" + lines[900:]
    text = text_of(written(tmp_path / "a.txt", data))
    assert text.count("Krähenbrücke") >= 39
    assert text.count("\ufffd") <= 2
    assert decode_declared(data, "utf-8").count("Straßenbeleuchtung") >= 39


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp850", "Kunde;Ort\nStörchen;Überlingen\n"),
        ("cp437", "Störche;Kündigung\nGrüße;Bäckerstraße\n"),
        ("mac-roman", "Störche;Kündigung\nGrüße;Bäckerstraße\n"),
        ("mac-roman", "café;à côté\ndéjà;élève\n"),
        ("cp1252", "Müller;Straße\nGrün;schöne Tür\n"),
        ("cp1252", "Preis: 45 €;– „ja“ don’t\n"),
        ("cp1252", "café;à côté\nŒuvre;élève\n"),
        ("cp932", "氏名,住所\n山田太郎,東京都千代田区\n"),
        ("gb18030", "姓名,年龄\n张三,四十\n"),
        ("big5", "姓名,年齡\n張三,臺北\n"),
        ("cp949", "이름,나이\n홍길동,서른\n"),
        ("cp1251", "Имя;Фамилия\nИван;Петров\n"),
        ("koi8-r", "Имя;Фамилия\nИван;Петров\n"),
        ("iso8859-2", "Imię;Tekst\nŁukasz;Źródłowy\nŚwięta;książka\n"),
        ("cp1253", "Καλημέρα κόσμε\n"),
        ("cp1256", "مرحبا بالعالم\n"),
    ],
)
def test_old_encodings_without_a_label_are_told_apart(codec: str, text: str) -> None:
    assert decode(text.encode(codec)) == text


def test_folded_lines_of_calendars_are_joined(tmp_path: Path) -> None:
    calendar = (
        "BEGIN:VCALENDAR\r\nDESCRIPTION:Agenda\\, the fulm\r\n arcontract\r\nEND:VCALENDAR\r\n"
    )
    text = text_of(written(tmp_path / "a.ics", calendar.encode()))
    assert "DESCRIPTION:Agenda, the fulmarcontract" in text


def test_a_line_of_a_calendar_may_be_folded_within_a_letter(tmp_path: Path) -> None:
    calendar = "BEGIN:VCALENDAR\r\nSUMMARY:Käsebrötchen\r\nEND:VCALENDAR\r\n".encode()
    at = calendar.index("ö".encode()) + 1
    folded = calendar[:at] + b"\r\n " + calendar[at:]
    assert "SUMMARY:Käsebrötchen" in text_of(written(tmp_path / "a.ics", folded))


def test_quoted_values_of_an_old_card_are_read(tmp_path: Path) -> None:
    card = (
        b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Anna\r\n"
        b"NOTE;ENCODING=QUOTED-PRINTABLE:the smew=\r\nbird card\r\nTEL:=3D\r\nEND:VCARD\r\n"
    )
    text = text_of(written(tmp_path / "a.vcf", card))
    assert "Müller;Anna" in text
    assert "the smewbird card" in text
    assert "TEL:=3D" in text
