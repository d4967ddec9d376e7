"""Short documents with facts in them: letters, minutes, invoices, recipes, manuals, itineraries."""

from __future__ import annotations

import random
from dataclasses import dataclass

from training.world.statements import Fact, Statement, fact, families, reported, statement
from training.world.stems import content_words
from training.world.words import COMPANIES, MONTHS, PEOPLE, STREETS, SURNAMES, WEEKDAYS, fill

# Which families of facts a form of document holds; a letter may hold any.
_FAMILIES = {
    "lease": (
        "deposit rent lease_start lease_end notice keys parking door_code spare_key heating measure"
    ),
    "letter": "",
    "minutes": (
        "task deadline budget project_lead project_end project_meeting supplier goods_count"
        " delivery new_colleague office team_lunch holiday"
    ),
    "invoice": "invoice_total invoice_due goods_price discount delivery warranty repair_cost",
    "recipe": "bake oven grams serves rest recipe_from cook",
    "manual": "reset battery filter warranty signal device_weight device_price device_place",
    "itinerary": (
        "train_time platform seats hotel hotel_price flight gate museum_closed museum_price tickets"
        " vehicle_hire meet meet_where dinner arrive stay trip_cost luggage"
    ),
    "notes": (
        "repair fault paint waste water_plant where_is lend tool_back appointment medicine birthday"
        " gift shopping pet_name pet_sitter phone course_day course_start event_time event_date"
    ),
}
FORMS = tuple(_FAMILIES)

# Slots that stay the same through one document: a recipe has one dish, a lease one street.
_SHARED = {
    "lease": "street",
    "recipe": "dish",
    "manual": "device",
    "itinerary": "city",
    "invoice": "invoice",
    "minutes": "",
    "letter": "",
    "notes": "",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A short document. Each fact's quote stands, letter for letter, in the paragraph its
    `paragraph_index` names, and its paraphrase shares no content word with that paragraph."""

    form: str
    title: str
    paragraphs: tuple[str, ...]
    facts: tuple[Fact, ...]


def document(rng: random.Random, form: str | None = None) -> Document:
    """A document of one of FORMS, with two to eight paragraphs of facts and what frames them."""
    form = form or rng.choice(FORMS)
    shared = _shared(form, rng)
    paragraphs: list[str] = []
    facts: list[Fact] = []
    topics: set[str] = set()
    opening = _opening(form, rng)
    if opening:
        paragraphs.append(opening)
    for _ in range(rng.choice((2, 3, 4, 4, 6, 8))):
        text, stated = paragraph(rng, form, shared, topics)
        facts += [fact(entry, len(paragraphs)) for entry in stated]
        paragraphs.append(text)
    if form == "letter":
        paragraphs.append(f"Kind regards, {rng.choice(PEOPLE)} {rng.choice(SURNAMES)}")
    return Document(form, _title(form, shared, rng), tuple(paragraphs), tuple(facts))


def paragraph(
    rng: random.Random,
    form: str | None = None,
    shared: dict[str, str] | None = None,
    topics: set[str] | None = None,
) -> tuple[str, tuple[Statement, ...]]:
    """One or two facts and now and then a sentence that says nothing, with the paraphrases of all
    facts free of every content word of the paragraph. `topics` are those already used; what is
    used here is added."""
    form = form or rng.choice(FORMS)
    topics = set() if topics is None else topics
    while True:
        stated = [_told(rng, form, shared or {}) for _ in range(rng.choice((1, 1, 2)))]
        filler = rng.choice(_FILLERS) if rng.random() < 0.45 else ""
        new = {entry.topic for entry in stated}
        if new & topics or len(new) < len(stated):
            if rng.random() < 0.02:  # a lease has only so many topics
                topics.clear()
            continue
        sentences = [entry.text for entry in stated]
        if filler:
            sentences.insert(rng.randrange(len(sentences) + 1), filler)
        text = " ".join(sentences)
        words = content_words(text)
        if any(content_words(entry.paraphrase) & words for entry in stated):
            continue
        topics |= new
        return text, tuple(stated)


def _told(rng: random.Random, form: str, shared: dict[str, str]) -> Statement:
    names = _FAMILIES[form].split() or list(families())
    family = families()[rng.choice(names)]
    stated = statement(rng, family, {slot: shared[slot] for slot in shared if slot in family.slots})
    if form in ("letter", "minutes") and rng.random() < 0.15:
        return reported(stated, rng.choice(PEOPLE))
    return stated


def _shared(form: str, rng: random.Random) -> dict[str, str]:
    slot = _SHARED[form]
    return {slot: fill(slot, rng).text} if slot else {}


def _title(form: str, shared: dict[str, str], rng: random.Random) -> str:
    """What such a file is called, without its ending."""
    subject = next(iter(shared.values()), "")
    match form:
        case "lease":
            return f"Lease {subject}"
        case "letter":
            return f"Letter from {rng.choice(PEOPLE)} {rng.choice(SURNAMES)}"
        case "minutes":
            return f"Minutes {rng.randrange(1, 29)} {rng.choice(MONTHS)}"
        case "invoice":
            return f"Invoice {subject} {rng.choice(COMPANIES)}"
        case "recipe":
            return f"Recipe {subject}"
        case "manual":
            return f"Manual {subject}"
        case "itinerary":
            return f"Trip to {subject}"
    return f"Notes {rng.choice(WEEKDAYS)} {rng.randrange(1, 29)} {rng.choice(MONTHS)}"


def _opening(form: str, rng: random.Random) -> str:
    match form:
        case "letter":
            return f"Dear {rng.choice(PEOPLE)},"
        case "minutes":
            people = rng.sample(PEOPLE, 3)
            return f"Present: {people[0]}, {people[1]} and {people[2]}."
        case "invoice":
            street = f"{rng.choice(STREETS)} {rng.randrange(1, 60)}"
            return f"{rng.choice(COMPANIES)}, {street}"
    return ""


_FILLERS = (
    "Thank you for your help.",
    "Please keep this in mind.",
    "We will talk about the rest later.",
    "Nothing else has changed.",
    "Please let me know if this is wrong.",
    "More will follow soon.",
    "This is important.",
    "I hope you are well.",
    "All of this was checked twice.",
    "The weather has been fine.",
)
