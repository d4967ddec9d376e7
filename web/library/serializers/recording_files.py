"""A recording as a file: its minutes as Markdown, its transcript as SubRip or WebVTT subtitles."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from web.library.schemas.recordings import PointJson, RecordingJson, SpokenJson

FORMATS = ("md", "srt", "vtt", "json")
MEDIA_TYPES = {
    "md": "text/markdown",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "json": "application/json",
}


def recording_file(recording: RecordingJson, name: str) -> str:
    """The whole file in the format with this name, one of FORMATS."""
    return _WRITERS[name](recording)


def _markdown(recording: RecordingJson) -> str:
    lines = [f"# {plain(recording['title'])}", ""]
    for heading, points in (
        ("Decisions", recording["decisions"]),
        ("Action items", recording["actions"]),
        ("Open questions", recording["questions"]),
    ):
        if points:
            lines += [f"## {heading}", "", *map(_point_line, points), ""]
    if recording["sections"]:
        lines += ["## Outline", ""]
        lines += [
            f"- {_clock(section['start_s'])} {plain(section['title'])}"
            for section in recording["sections"]
        ]
        lines.append("")
    lines += ["## Transcript", ""]
    for turn in _turns(recording["sentences"]):
        speaker = _name(recording, turn[0]["speaker"])
        words = plain(" ".join(sentence["text"] for sentence in turn))
        heading = f"{_clock(turn[0]['start_s'])} {plain(speaker)}".strip()
        lines += [f"**{heading}** {words}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _point_line(point: PointJson) -> str:
    facts = [
        f"**{plain(point['who'])}**" if point["who"] else "",
        plain(point["what"] or ""),
        f"by {plain(point['due'])}" if point["due"] else "",
    ]
    facts_text = ", ".join(fact for fact in facts if fact)
    quote = f"“{plain(point['quote'])}” ({_clock(point['start_s'])})"
    return f"- {facts_text}: {quote}" if facts_text else f"- {quote}"


def _srt(recording: RecordingJson) -> str:
    cues = []
    for number, sentence in enumerate(recording["sentences"], start=1):
        name = _name(recording, sentence["speaker"])
        words = _one_line(f"{name}: {sentence['text']}" if name else sentence["text"])
        times = f"{_stamp(sentence['start_s'], ',')} --> {_stamp(_end_s(sentence), ',')}"
        cues.append(f"{number}\n{times}\n{words.replace('-->', '→')}\n")
    return "\n".join(cues)


def _vtt(recording: RecordingJson) -> str:
    cues = ["WEBVTT\n"]
    for sentence in recording["sentences"]:
        name = _name(recording, sentence["speaker"])
        words = _escaped(_one_line(sentence["text"]))
        voice = f"<v {_escaped(_one_line(name))}>" if name else ""
        times = f"{_stamp(sentence['start_s'], '.')} --> {_stamp(_end_s(sentence), '.')}"
        cues.append(f"{times}\n{voice}{words}\n")
    return "\n".join(cues)


def _json(recording: RecordingJson) -> str:
    return json.dumps(recording, ensure_ascii=False, indent=2) + "\n"


_WRITERS: dict[str, Callable[[RecordingJson], str]] = {
    "md": _markdown,
    "srt": _srt,
    "vtt": _vtt,
    "json": _json,
}


def _turns(sentences: Sequence[SpokenJson]) -> list[list[SpokenJson]]:
    turns: list[list[SpokenJson]] = []
    for sentence in sentences:
        if (
            turns
            and sentence["speaker"] is not None
            and turns[-1][-1]["speaker"] == (sentence["speaker"])
        ):
            turns[-1].append(sentence)
        else:
            turns.append([sentence])
    return turns


def _name(recording: RecordingJson, speaker: int | None) -> str:
    names = {each["speaker"]: each["name"] for each in recording["speakers"]}
    return names.get(speaker, "") if speaker is not None else ""


def _end_s(sentence: SpokenJson) -> float:
    """A cue without length is never shown."""
    return max(sentence["end_s"], sentence["start_s"] + 0.1)


def _stamp(at_s: float, point: str) -> str:
    ms = round(at_s * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def _clock(at_s: float) -> str:
    return f"{int(at_s) // 60}:{int(at_s) % 60:02}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def plain(text: str) -> str:
    """Words as Markdown shows them letter by letter."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", _one_line(text))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
