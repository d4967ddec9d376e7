"""Number formats of spreadsheets (ECMA-376, 18.8.31): the text that a program shows for a value.

Names of months and separators are English, as in the code itself. The libraries there are for this
were last released in 2020 and bring seven others; colours, conditions and fractions, which they
know besides, do not change which words are found.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

# Of the code of a format: quoted text, an escaped character, space or filling, something in
# brackets, scientific notation, a part of a date, a place of a digit, any other character.
_TOKEN = re.compile(
    r"""(?P<quoted>"[^"]*"?) | \\(?P<escaped>.) | (?P<space>[_*].) | \[(?P<bracket>[^\]]*)\]
    | (?P<general>General) | (?P<exponent>E[+-]) | (?P<half>AM/PM|A/P)
    | (?P<fraction>(?<=[sS])\.0+) | (?P<time>y+|m+|d+|h+|s+) | (?P<digit>[0\#?])
    | (?P<other>.)""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_MAX_CODE_CHARS = 255
_MAX_DIGITS = 60
_EXACT = Context(prec=1_000, rounding=ROUND_HALF_UP)
_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

Tokens = tuple[tuple[str, str], ...]


def shown_number(value: int | float, code: str) -> str | None:
    """The number as this format shows it; None where the format is the general one or is not
    understood."""
    sections = _sections(code)
    number = Decimal(repr(value))
    if not sections or not number.is_finite() or abs(number.adjusted()) > _MAX_DIGITS:
        return None
    index = 1 if value < 0 and len(sections) > 1 else 2 if not value and len(sections) > 2 else 0
    tokens = sections[index]
    kinds = {kind for kind, _ in tokens}
    if kinds & {"general", "time", "half", "condition"} or "/" in _marks(tokens):
        return None
    if "digit" not in kinds:
        return None
    number = number if index == 0 else abs(number)
    text = _scientific(number, tokens) if "exponent" in kinds else _number(number, tokens)
    return f"-{text}" if value < 0 and index == 0 and re.search(r"[1-9]", text) else text


def shown_time(value: date | time | timedelta, code: str) -> str | None:
    """The date, time or duration as this format shows it; None where it is not understood."""
    sections = _sections(code)
    if not sections or {"general", "condition"} & {kind for kind, _ in sections[0]}:
        return None
    if isinstance(value, timedelta):
        return _duration(value, sections[0])
    if isinstance(value, time):
        value = datetime.combine(date(1900, 1, 1), value)
    elif not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return _time(value, sections[0])


@lru_cache(maxsize=1_000)
def _sections(code: str) -> tuple[Tokens, ...]:
    """The tokens of each section of a format; none of one that is too long."""
    if len(code) > _MAX_CODE_CHARS:
        return ()
    sections: list[list[tuple[str, str]]] = [[]]
    for match in _TOKEN.finditer(code):
        kind, text = str(match.lastgroup), match[match.lastgroup or 0]
        match kind:
            case "other" if text == ";":
                sections.append([])
                continue
            case "quoted":
                kind, text = "literal", text.strip('"')
            case "escaped":
                kind = "literal"
            case "space":
                kind, text = "literal", " " if text.startswith("_") else ""
            case "bracket":
                kind, text = _bracket(text)
        sections[-1].append((kind, text))
    return tuple(map(tuple, sections))


def _bracket(text: str) -> tuple[str, str]:
    """[h] is an elapsed time, [$€-407] a currency, [>9] a condition; colours show nothing."""
    if re.fullmatch("h+|m+|s+", text.lower()):
        return "elapsed", text.lower()
    if text.startswith("$"):
        return "literal", text[1:].partition("-")[0]
    return ("condition" if text[:1] in ("<", ">", "=") else "literal"), ""


def _marks(tokens: Tokens) -> str:
    return "".join(text for kind, text in tokens if kind == "other")


def _scientific(number: Decimal, tokens: Tokens) -> str:
    """A number with an exponent, of as many places before the point as the format has."""
    at = next(at for at, (kind, _) in enumerate(tokens) if kind == "exponent")
    mantissa, exponent = tokens[:at], tokens[at + 1 :]
    whole = sum(kind == "digit" for kind, _ in _before_point(mantissa))
    decimals = sum(kind == "digit" for kind, _ in mantissa) - whole
    power = 0
    if number:
        power = (number.adjusted() // max(1, whole)) * max(1, whole)
        rounded = round(number.scaleb(-power, _EXACT), decimals)
        power += max(1, whole) if abs(rounded) >= 10 ** max(1, whole) else 0
    places = sum(kind == "digit" and text == "0" for kind, text in exponent)
    sign = "-" if power < 0 else "+" if tokens[at][1].endswith("+") else ""
    text = _number(number.scaleb(-power, _EXACT), mantissa)
    behind = "".join(text for kind, text in exponent if kind != "digit")
    return f"{text}E{sign}{abs(power):0{max(1, places)}d}{behind}"


def _before_point(tokens: Tokens) -> Tokens:
    return tokens[: next((at for at, token in enumerate(tokens) if token == ("other", ".")), None)]


def _number(number: Decimal, tokens: Tokens) -> str:
    places = [at for at, (kind, _) in enumerate(tokens) if kind == "digit"]
    point = next((at for at, token in enumerate(tokens) if token == ("other", ".")), len(tokens))
    whole = [at for at in places if at < point]
    decimals = [at for at in places if at > point]
    commas = [at for at, token in enumerate(tokens) if token == ("other", ",")]
    grouped = any(whole and whole[0] < at < whole[-1] for at in commas)
    last = max(places)
    thousands = 0  # each comma behind the digits divides by a thousand
    while last + 1 + thousands in commas:
        thousands += 1
    number = number.scaleb(2 * _marks(tokens).count("%") - 3 * thousands)
    rounded = abs(number).quantize(Decimal(1).scaleb(-len(decimals)), context=_EXACT)
    whole_digits, _, decimal_digits = f"{rounded:f}".partition(".")
    texts = {at: text for at, (_, text) in enumerate(tokens) if at not in commas}
    _fill_whole(texts, whole, whole_digits.lstrip("0"), grouped)
    for place, digit in zip(decimals, decimal_digits, strict=True):
        is_rest_zero = not decimal_digits[decimals.index(place) :].strip("0")
        texts[place] = "" if is_rest_zero and texts[place] != "0" else digit
    if decimals and not any(texts[place] for place in decimals):
        texts.pop(point, None)
    return "".join(texts[at] for at in sorted(texts)).strip()


def _fill_whole(texts: dict[int, str], places: list[int], digits: str, grouped: bool) -> None:
    """Puts digits into their places from the right; the first place has all that are left."""
    count = 0
    for place in reversed(places):
        is_first = place == places[0]
        own, digits = (digits, "") if is_first else (digits[-1:], digits[:-1])
        own = own or ("0" if texts[place] == "0" else "")
        text = ""
        for digit in reversed(own):
            text = digit + ("," if grouped and count and count % 3 == 0 else "") + text
            count += 1
        texts[place] = text


def _time(moment: datetime, tokens: Tokens) -> str:
    has_half = any(kind == "half" for kind, _ in tokens)
    parts = [at for at, (kind, _) in enumerate(tokens) if kind in ("time", "elapsed")]
    texts: list[str] = []
    for at, (kind, text) in enumerate(tokens):
        if kind == "half":
            texts.append("AM" if moment.hour < 12 else "PM")
        elif kind == "fraction":
            texts.append(f".{moment.microsecond:06}"[: len(text)])
        elif kind in ("time", "elapsed"):
            texts.append(_part(moment, text.lower(), _is_minute(tokens, parts, at), has_half))
        elif kind != "other" or text != "@":
            texts.append(text)
    return "".join(texts).strip()


def _is_minute(tokens: Tokens, parts: list[int], at: int) -> bool:
    """Whether an "m" stands for minutes: after hours or before seconds."""
    index = parts.index(at)
    before = tokens[parts[index - 1]][1].lower() if index else ""
    after = tokens[parts[index + 1]][1].lower() if index + 1 < len(parts) else ""
    return before.startswith("h") or after.startswith("s")


def _part(moment: datetime, code: str, is_minute: bool, has_half: bool) -> str:
    two_digits = len(code) > 1
    match code[0]:
        case "y":
            return f"{moment.year:04}" if len(code) > 2 else f"{moment.year % 100:02}"
        case "m" if is_minute:
            number = moment.minute
        case "m" if len(code) >= 3:
            name = _MONTHS[moment.month - 1]
            return name if len(code) == 4 else name[: 3 if len(code) == 3 else 1]
        case "m":
            number = moment.month
        case "d" if len(code) >= 3:
            name = _DAYS[moment.weekday()]
            return name if len(code) > 3 else name[:3]
        case "d":
            number = moment.day
        case "h":
            number = (moment.hour - 1) % 12 + 1 if has_half else moment.hour
        case _:
            number = moment.second
    return f"{number:02}" if two_digits else str(number)


def _duration(length: timedelta, tokens: Tokens) -> str:
    """Elapsed time; the part in brackets has all of it, the others what is left of the larger."""
    seconds = round(abs(length.total_seconds()))
    sizes_s = {"h": 3600, "m": 60, "s": 1}
    texts: list[str] = []
    for kind, text in tokens:
        if kind == "elapsed" or (kind == "time" and text[0].lower() in sizes_s):
            count, seconds = divmod(seconds, sizes_s[text[0].lower()])
            texts.append(f"{count:0{len(text)}}")
        elif kind in ("literal", "other"):
            texts.append(text)
    return ("-" if length < timedelta() else "") + "".join(texts).strip()
