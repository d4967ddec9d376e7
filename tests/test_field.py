"""Real kinds of files that people have trouble with: their words are found in the right place, or a
note says that they are not read.

`tests/data/field.zip` has a folder for each kind; sounds are written here. One library is made of
all; each test asks of it what a person would.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from model.interface import Float32
from tests.films import tracks_film, variable_mp3
from tests.pitches import rising
from tests.served import small_library
from web.library.library import Library
from web.library.schemas.files import FileJson
from web.library.schemas.search import HitJson

ARCHIVE = Path(__file__).parent / "data" / "field.zip"

# What is asked, and what has it: `folder/file`, `#` and the page, `<` and the attachment's title.
FOUND = {
    "会议记录": "charset-labels/cs-gb2312-is-gbk.eml",
    "合同": "charset-labels/gb2312-page.html",
    "don’t forget dunnockfee": "charset-labels/cs-latin1-is-cp1252.eml",
    "Kündigung": "charset-labels/cs-raw-latin1-subject.eml",
    "Bäckerstraße": "charset-labels/cs-raw-utf8-subject.eml",
    "Straßenschlüssel": "charset-labels/cs-utf8-one-bad-byte.eml",
    "Störchen": "csv-legacy/cp850.csv",
    "山田太郎": "csv-legacy/sjis.csv",
    "owlmath": "docx-lost/odd.docx",
    "owlsmart": "docx-lost/odd.docx",
    "owlchart": "docx-lost/odd.docx",
    "owlchunk": "docx-lost/odd.docx",
    "owlalt": "docx-lost/odd.docx",
    "owldropdown": "docx-lost/odd.docx",
    "owlins owlcomment": "docx-lost/odd.docx",
    "barntwo": "epub-names/odd.epub#2",
    "littlefour": "epub-names/odd.epub#5",
    "fulmarcontract": "ics-folding/invite-calendar-only.eml",
    "gorsebriar": "mail-apple-attachment/apple-pdf.eml#1<contract",
    "mallowfinch": "mail-apple-attachment/plain-mixed-pdf.eml#1<contract2",
    "quillferry77": "mail-html-better-than-plain/stub-plain.eml",
    "avocettext": "mail-nested-base64/nested-b64.eml#2",
    '"whinchatgate at the northern wharf"': "pdf-columns-rowwise/columns-rowwise.pdf",
    "nuthatchclause": "pdf-comments/annots.pdf",
    "treecreeperremark": "pdf-comments/annots.pdf",
    "well-known photosynthesis": "pdf-hyphen/hyphen-block.pdf",
    "state-of-the-art": "pdf-hyphen/hyphen-block.pdf",
    "remarkablestonechat": "pdf-hyphen/hyphen-columns.pdf",
    "deliveryside90": "pdf-hyphen/side90.pdf",
    "hoopoeinvoice": "pdf-portfolio/portfolio.pdf#1<invoice",
    "buzzardbox": "pptx-alternatecontent/equation-box.pptx",
    "gyrfalconremark": "pptx-alternatecontent/equation-box.pptx",
    "Krähenbrücke": "utf8-one-bad-byte/utf8-one-bad.txt",
    "plovercrane": "winmail/winmail.eml#2",
    "회의록": "words/korean.txt",
    "cooperative": "words/english.txt",
    "العقد": "words/arabic.txt",
    "wonderfulwords": "words/hardwrap.txt",
    "17.5%": "xlsx-formats/formats.xlsx",
    "PN-00123": "xlsx-formats/formats.xlsx",
    "14.03.2024": "xlsx-formats/formats.xlsx",
    "merlinlink": "xlsx-formats/formats.xlsx",
    "ospreytotal": "xlsx-formats/formats.xlsx",
    "hobbynote": "xlsx-formats/formats.xlsx",
}
# The days that photos were taken, on the clocks of their cameras.
DAYS = {
    "2018-05-05": "digitized-only.jpg",
    "2017-02-21": "subsec-tz-string.jpg",
    "2015-02-21": "dash-date.jpg",
    "2024-01-01": "tokyo-offset-original.jpg",
    "2013-07-04": "IMG-20130704-WA0003.jpg",
    "2012-05-06": "Screenshot_20120506-101112.png",
}


RATE_HZ = 48_000
QUIET = np.zeros(2 * RATE_HZ, np.float32)
LOW, HIGH = rising(3, RATE_HZ), rising(3, RATE_HZ, from_s=20)
SOUND: Float32 = np.concatenate([LOW, QUIET, HIGH])


def encoded(sound: Float32, container: str, subtype: str, rate_hz: int = RATE_HZ) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate_hz, format=container, subtype=subtype)
    return file.getvalue()


def write_sounds(folder: Path) -> None:
    """Recordings whose high sound is what programs lose: it is at the end, on the second track, or
    on channels that cancel each other."""
    folder.mkdir()
    soundfile.write(folder / "antiphase.wav", np.stack([SOUND, -SOUND], axis=1), RATE_HZ)
    tracks_film(
        folder / "second-track.mkv", [(LOW, {}), (np.concatenate([0 * LOW, QUIET, HIGH]), {})]
    )
    (folder / "phone.wav").write_bytes(encoded(SOUND[::6], "WAV", "GSM610", 8_000))
    variable_mp3(folder / "no-header.mp3", SOUND, RATE_HZ, header=False)
    for name, container, subtype in (
        ("joined.mp3", "MP3", "MPEG_LAYER_III"),
        ("chained.ogg", "OGG", "VORBIS"),
    ):
        parts = (np.concatenate([LOW, QUIET]), HIGH)
        (folder / name).write_bytes(b"".join(encoded(part, container, subtype) for part in parts))
    lost = bytearray(encoded(SOUND, "WAV", "PCM_16"))
    at = lost.index(b"data") + 4
    lost[at : at + 4] = lost[4:8] = bytes(4)
    (folder / "lost-power.wav").write_bytes(lost)
    whole = encoded(SOUND, "MP3", "MPEG_LAYER_III")
    hole = bytes(len(whole) // 8)
    (folder / "hole.mp3").write_bytes(whole[: len(hole)] + hole + whole[2 * len(hole) :])


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    base = tmp_path_factory.mktemp("field")
    shutil.unpack_archive(ARCHIVE, base / "lib")
    write_sounds(base / "lib" / "sounds")
    with small_library(base / "lib", base / "data") as opened:
        yield opened


def folder_of(library: Library) -> Path:
    return Path(library.roots()[0]["path"])


def hits(library: Library, words: str, **filters: str) -> list[HitJson]:
    return library.search(words, by="words", **filters)["hits"]  # type: ignore[arg-type]  # texts


def file_at(library: Library, name: str) -> FileJson:
    return library.file(str(folder_of(library) / name))


@pytest.mark.parametrize("words", FOUND)
def test_words_are_found_where_they_stand(library: Library, words: str) -> None:
    expected = FOUND[words]
    name, _, title = expected.partition("<")
    name, _, page = name.partition("#")
    hit = hits(library, words)[0]
    assert Path(hit["path"]) == folder_of(library) / name
    assert (hit["title"] if hit["attached_to"] else "") == title
    assert hit["place"] is not None
    assert hit["place"]["page"] == int(page or 1)
    assert file_at(library, name)["state"] == "understood"


def test_one_word_in_four_encodings_is_found_in_all(library: Library) -> None:
    names = {Path(hit["path"]).name for hit in hits(library, "議事録")}
    assert names >= {"cs-sjis-is-cp932.eml", "cs-xsjis.eml", "cs-2022jp-circled.eml"}


@pytest.mark.parametrize("day", DAYS)
def test_a_photo_is_found_on_the_day_it_was_taken(library: Library, day: str) -> None:
    year, month, date = map(int, day.split("-"))
    name = DAYS[day]
    there = {"kind": "photo", "after": day, "before": f"{year}-{month:02}-{date + 1:02}"}
    stem = name.partition(".")[0].partition("-")[0]
    assert name in {Path(hit["path"]).name for hit in hits(library, stem, **there)}
    later = {**there, "after": there["before"], "before": f"{year + 1}-12-31"}
    assert name not in {Path(hit["path"]).name for hit in hits(library, stem, **later)}


def test_a_pdf_whose_letters_mean_nothing_is_looked_at(library: Library) -> None:
    item_id = file_at(library, "pdf-no-tounicode/no-tounicode.pdf")["id"]
    assert item_id is not None
    text = library.items.text(item_id, "")
    assert text is not None
    assert {passage["source"] for passage in text["passages"]} == {"caption"}


def test_a_chapter_that_a_book_does_not_have_is_told(library: Library) -> None:
    notes = file_at(library, "epub-names/odd.epub")["notes"]
    assert [note["sentence"] for note in notes] == ["1 of 6 chapters are missing or damaged."]


def test_a_damaged_letter_is_told(library: Library) -> None:
    notes = file_at(library, "utf8-one-bad-byte/utf8-one-bad.txt")["notes"]
    assert [(note["code"], note["sentence"]) for note in notes] == [
        ("letters_damaged", "1 letter of this text could not be read: the file is damaged there.")
    ]


def test_what_is_whole_has_no_notes(library: Library) -> None:
    assert library.files("partial")["count"] == library.status()["partial"] == 3


@pytest.mark.parametrize(
    "name",
    [
        "antiphase.wav",
        "second-track.mkv",
        "phone.wav",
        "no-header.mp3",
        "joined.mp3",
        "chained.ogg",
        "lost-power.wav",
        "hole.mp3",
    ],
)
def test_what_programs_lose_of_a_sound_is_heard(library: Library, name: str) -> None:
    places = {
        Path(hit["path"]).name: hit["place"]
        for hit in hits(library, "loud high sound", kind="recording")
        if "high" in hit["snippet"]
    }
    place = places[name]
    assert place is not None
    assert place["start_s"] == pytest.approx(5 if name != "hole.mp3" else 4, abs=1.1)
    assert place.get("track") == (2 if name == "second-track.mkv" else None)
    file = file_at(library, f"sounds/{name}")
    assert file["state"] == "understood"
    codes = [note["code"] for note in file["notes"]]
    assert codes == (["sound_damaged"] if name == "hole.mp3" else [])


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("cooperatives", "english.txt"),
        ("coope", "english.txt"),
        ("coperative", "english.txt"),
        ("serials", "numbers.txt"),
        ("Mietvertrag", "german.txt"),
    ],
)
def test_a_plural_a_prefix_a_typo_and_a_part_of_a_word_are_found(
    library: Library, words: str, name: str
) -> None:
    assert Path(hits(library, words)[0]["path"]).name == name
