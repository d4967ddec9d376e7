"""What is in the demonstration library, and how each file of it is made."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.demonstration.ogg import with_serial
from training.demonstration.questions import ABSENT, QUESTIONS, SEARCHES
from training.demonstration.typeset import paragraphs, scan, typeset
from training.world.pages import draw_chart
from training.world.scenes import Plan, Style, Thing, draw
from training.world.seeds import DEMONSTRATION, dice
from training.world.signs import draw_sign
from training.world.speech import RATE_HZ, SaidTurn, Script, Voice, perform
from training.world.words import COLOURS

SOURCES = Path(__file__).with_name("sources")
SHIPPED = Path(__file__).parents[2] / "model" / "pocket" / "demonstration"
SIZE_PX = (800, 600)

ACCENTS = {"Flat": "blue", "Trips": "orange", "Work": "green", "Home": "red"}
SCAN = ("Flat/Notice in the hall.pdf", "Notice", ("The electrician repairs the lift on Tuesday",))

PICTURES: dict[str, Plan] = {
    "Summer/Beach in June.jpg": Plan(
        (Thing("umbrella", "yellow"), Thing("ball", "red")), "beach", "next to"
    ),
    "Summer/Sunday ride.jpg": Plan(
        (Thing("bicycle", "red"), Thing("tree", "green")), "grass", "next to"
    ),
    "Summer/Off the coast.webp": Plan((Thing("boat", "white", size="big"),), "water"),
    "Summer/Windy afternoon.jpg": Plan(
        (Thing("kite", "purple"), Thing("dog", "brown")), "grass", "above"
    ),
    "Summer/Fair.webp": Plan((Thing("balloon", "red", 3),), "sky"),
    "Winter/First snow.jpg": Plan(
        (Thing("house", "red"), Thing("tree", "green")), "snow", "next to"
    ),
    "Winter/Late.png": Plan((Thing("cat", "orange"),), "night"),
    "Home/Minka.jpg": Plan((Thing("cat", "black"), Thing("chair", "blue")), "room", "on"),
    "Home/Tea time.png": Plan((Thing("teapot", "blue"), Thing("table", "brown")), "room", "on"),
    "Home/From the garden.jpg": Plan((Thing("apple", "red", 4),), "grass"),
    "Home/For sale.jpg": Plan(
        (Thing("guitar", "orange"), Thing("suitcase", "grey")), "room", "next to"
    ),
    "Town/Way to school.jpg": Plan((Thing("bus", "yellow", size="big"),), "street"),
}
SIGNS = {"Town/Bakery door.jpg": "closed on monday", "Town/At the station.png": "train to lisbon"}
CHARTS = {"Work/Visitors.png": ("visitors", (("march", 30), ("april", 50), ("may", 90)))}

VOICES = {
    "Julia": Voice("en-gb-x-rp+f2", 155, 58),
    "Walter": Voice("en-gb-x-rp+m3", 148, 38),
    "Paula": Voice("en-us+f4", 158, 58),
    "Oscar": Voice("en-us+m7", 158, 46),
    "Anna": Voice("en-us+f3", 152, 62),
}
RECORDINGS: dict[str, tuple[str, ...]] = {
    "Call with the landlord.ogg": (
        "Julia: Hello Walter. How much is the deposit for Lindenstrasse 12?",
        "Walter: The deposit for Lindenstrasse 12 is 1880 euros.",
        "Julia: Good, thank you. When does the plumber repair the boiler?",
        "Walter: The plumber repairs the boiler on Thursday.",
        "Julia: Who has the spare key for Lindenstrasse 12?",
        "Walter: Clara has the spare key for Lindenstrasse 12.",
        "Walter: One more thing. The hall will be painted green.",
        "Julia: That is fine. Thank you.",
    ),
    "Meeting trade fair.mp3": (
        "Paula: Welcome. Today we talk about the trade fair.",
        "Oscar: The budget for the trade fair is 5400 euros.",
        "Paula: Who writes the speech?",
        "Julia: Emma writes the speech.",
        "Oscar: The shirts are delivered on Friday.",
        "Paula: I agree. The trade fair must be finished by 20 May.",
        "Paula: Thank you. We meet again on Wednesday.",
    ),
    "Note drill.wav": ("Julia: Note to myself. I lent the drill to Felix.",),
    "Dentist.ogg": ("Julia: Please remember. The appointment with the dentist is on Tuesday.",),
    "Voicemail from Anna.mp3": ("Anna: Hello Julia. The wedding in Vienna is on 15 August.",),
    "Idea for the nursery.flac": ("Julia: One more thing. The nursery will be painted yellow.",),
    "Where I put things.ogg": (
        "Julia: I put the passport in the office. The ring is in the bedroom.",
    ),
    "Pottery.wav": ("Julia: Greta teaches the pottery course. The pottery course is on Monday.",),
    "Minka and the holidays.ogg": ("Julia: Please remember. Maria looks after the cat.",),
}


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """One file of the library and the words it holds: by page, or by turn with its seconds, or as
    one caption."""

    path: str
    kind: str
    words: list[dict[str, Any]]


def write(folder: Path) -> int:
    """Writes the library into `folder`, which is emptied first, and what it holds into
    `<folder>.json`; returns its size in bytes. Needs espeak-ng and Debian's DejaVu fonts. Raises
    FileNotFoundError or OSError where they are missing."""
    if folder.exists():
        shutil.rmtree(folder)
    entries = [*_documents(folder / "Documents"), *_pictures(folder / "Pictures")]
    entries += _recordings(folder / "Recordings")
    known = {
        "files": [
            {"path": entry.path, "kind": entry.kind, "words": entry.words} for entry in entries
        ],
        "questions": [_placed(question, entries) for question in QUESTIONS],
        "absent": list(ABSENT),
        "searches": [{"query": query, "path": path} for query, path in SEARCHES],
    }
    listing = json.dumps(known, indent=1, ensure_ascii=False) + "\n"
    folder.with_suffix(".json").write_text(listing, "utf-8")
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _documents(folder: Path) -> list[LibraryFile]:
    style = (SOURCES / "style.css").read_text("utf-8")
    shown = {name: _headpiece(name) for name in HEADPIECES}
    entries = []
    for source in sorted(SOURCES.glob("*/*")):
        into = folder / source.parent.name
        into.mkdir(parents=True, exist_ok=True)
        text = source.read_text("utf-8")
        if source.suffix == ".html":
            file = into / f"{source.stem}.pdf"
            used = {name: image for name, image in shown.items() if name in text}
            accent = COLOURS[ACCENTS[source.parent.name]]
            typeset(text, style, used, accent, source.stem, file)
            pages = paragraphs(text)
        else:
            file = into / source.name
            file.write_text(text, "utf-8")
            pages = [text.strip()]
        words = [{"page": n, "text": page} for n, page in enumerate(pages, start=1)]
        entries.append(LibraryFile(_path(file, folder.parent), "document", words))
    name, title, lines = SCAN
    scan(title, lines, dice(DEMONSTRATION, 5, "scan"), folder / name)
    description = f'a page titled "{title}" that says "{" ".join(lines)}"'
    entries.append(LibraryFile(f"Documents/{name}", "document", [{"page": 1, "text": description}]))
    return entries


HEADPIECES: dict[str, Plan] = {
    "lisbon.png": Plan((Thing("boat", "red"), Thing("boat", "blue")), "water", "next to"),
    "flight.png": Plan((Thing("suitcase", "orange"), Thing("hat", "yellow")), "street", "next to"),
    "hotel.png": Plan((Thing("house", "pink"), Thing("tree", "green")), "beach", "next to"),
    "flat.png": Plan((Thing("house", "yellow"), Thing("tree", "green")), "street", "next to"),
    "keys.png": Plan((Thing("key", "yellow", 2),), "room"),
    "soup.png": Plan(
        (Thing("bottle", "green"), Thing("cup", "orange"), Thing("apple", "red")), "room"
    ),
    "coffee.png": Plan((Thing("cup", "blue"), Thing("clock", "red")), "room", "next to"),
    "laptop.png": Plan((Thing("lamp", "yellow"), Thing("table", "brown")), "room", "on"),
}


def _headpiece(name: str) -> bytes:
    """A wide illustration for a page, as PNG."""
    rng = dice(DEMONSTRATION, SEEDS.get(name, 0), "headpiece")
    drawn = draw(HEADPIECES[name], rng, (840, 320), Style(scale=1.35))
    return _encoded(Image.fromarray(drawn.image), "png")


def _pictures(folder: Path) -> list[LibraryFile]:
    entries = []
    for number, (name, plan) in enumerate(PICTURES.items()):
        drawn = draw(
            plan, dice(DEMONSTRATION, SEEDS.get(name, number), "scene"), SIZE_PX, Style(scale=1.25)
        )
        entries.append(_saved(drawn.image, drawn.caption, folder / name, folder.parent))
    for number, (name, text) in enumerate(SIGNS.items()):
        rng = dice(DEMONSTRATION, SEEDS.get(name, number), "sign")
        sign = draw_sign(text, rng, SIZE_PX, noise=False)
        entries.append(_saved(sign.image, sign.caption, folder / name, folder.parent))
    for number, (name, (topic, rows)) in enumerate(CHARTS.items()):
        rng = dice(DEMONSTRATION, SEEDS.get(name, number), "chart")
        figure = draw_chart(topic, rows, rng, SIZE_PX, noise=False)
        entries.append(_saved(figure.image, figure.caption, folder / name, folder.parent))
    return entries


# Of several drawings of the same thing, the prettiest.
SEEDS = {
    "Summer/Windy afternoon.jpg": 102,
    "Summer/Fair.webp": 102,
    "Summer/Sunday ride.jpg": 102,
    "Home/Minka.jpg": 101,
    "Town/Bakery door.jpg": 100,
    "Town/At the station.png": 119,
    "coffee.png": 15,
    "keys.png": 15,
    "flight.png": 3,
    "soup.png": 10,
}


def _saved(image: np.ndarray[Any, Any], caption: str, file: Path, root: Path) -> LibraryFile:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_encoded(Image.fromarray(image), file.suffix[1:]))
    return LibraryFile(_path(file, root), "photo", [{"text": caption}])


def _encoded(picture: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    if form == "jpg":
        exif = Image.Exif()
        exif[0x0132] = "2025:06:15 12:00:00"  # DateTime
        picture.save(out, "JPEG", quality=88, subsampling=0, exif=exif)
    elif form == "webp":
        picture.save(out, "WEBP", quality=88)
    else:
        picture.quantize(200, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _recordings(folder: Path) -> list[LibraryFile]:
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, (name, lines) in enumerate(RECORDINGS.items()):
        rng = dice(DEMONSTRATION, number, "recording")
        spoken = [line.split(": ", 1) for line in lines]
        turns = [
            SaidTurn(who, VOICES[who], text, 0.4 if not n else 0.9)
            for n, (who, text) in enumerate(spoken)
        ]
        held = perform(Script(name, tuple(turns), ()), rng, noise=0.3)
        file = folder / name
        soundfile.write(file, held.samples, RATE_HZ)
        if file.suffix == ".ogg":
            file.write_bytes(with_serial(file.read_bytes(), number))
        words = [
            {
                "start_s": round(turn.start_s, 2),
                "end_s": round(turn.end_s, 2),
                "speaker": turn.speaker,
                "text": turn.text,
            }
            for turn in held.turns
        ]
        entries.append(LibraryFile(f"{folder.name}/{name}", "recording", words))
    return entries


def _placed(question: dict[str, str], entries: list[LibraryFile]) -> dict[str, Any]:
    """The question with the page or the seconds where its answer stands. Raises ValueError where
    no place of the named file holds the value."""
    (file,) = [entry for entry in entries if entry.path == question["path"]]
    for place in file.words:
        if question["says"] in place["text"]:
            placed: dict[str, Any] = {**question, "kind": file.kind}
            where = ("page", "start_s", "end_s")
            return placed | {key: place[key] for key in where if key in place}
    raise ValueError(f"{question['path']} does not say: {question['says']}")


def _path(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()
