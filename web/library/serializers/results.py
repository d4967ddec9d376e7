"""Hits, sources, citations and what a check came to, as the JSON that people and programs get."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.catalog.catalog import Catalog
from indexer.catalog.records import Item
from indexer.maintenance.verify import VerifyReport
from indexer.types.passages import Source
from indexer.types.places import Page, Place, PlaceJson, Span, place_json
from retriever.answers.answer import Citation
from retriever.answers.sources import NumberedSource
from retriever.hits import Hit, source_of
from retriever.marks.snippets import snippet, words_to_mark
from retriever.queries.typed_query import TypedFilter
from web.library.display import display_text
from web.library.items.presenter import attached_to, thumb_json
from web.library.schemas.answers import CitationJson, SourceJson
from web.library.schemas.files import VerdictJson
from web.library.schemas.search import CopyJson, FilterJson, HitJson


def named_place(catalog: Catalog, item: Item, place: Place) -> PlaceJson | None:
    """A place, with what its page or sound track is called."""
    named, label = place_json(place), None
    match place:
        case Page(page):
            label = catalog.items.label(item.content, page)
        case Span(track=int(number)):
            tracks = catalog.items.sound_tracks(item.content)
            label = next((track.label for track in tracks if track.number == number), None)
    if named and label:
        named["label"] = display_text(label)
    return named


def hit_json(rank: int, hit: Hit, catalog: Catalog) -> HitJson:
    item = hit.item
    return {
        "rank": rank,
        "id": item.item,
        "path": display_text(item.path),
        "kind": item.kind,
        "title": display_text(item.title),
        "attached_to": attached_to(item),
        "place": named_place(catalog, item, hit.place),
        "snippet": display_text(hit.snippet.text),
        "source": source_of(hit),
        "score": round(hit.score, 6),
        "also_in": list(_copies(hit)),
        "marks": list(hit.snippet.marks),
        "found_by": list(hit.found_by),
        "thumb": thumb_json(item),
        "more": [
            {"place": named_place(catalog, item, other.place), "snippet": other.snippet.text}
            for other in hit.more
        ],
        "made_at": item.made_at,
        "made_offset_s": item.made_offset_s,
        "modified_at": item.modified_at,
        "duration_s": item.duration_s,
        "pages": item.pages,
    }


def _copies(hit: Hit) -> Iterator[CopyJson]:
    """The other paths of a hit: of its own content, and of its copies."""
    for item in (hit.item, *hit.copies):
        for path in item.paths:
            if path != hit.item.path:
                yield {
                    "id": item.item,
                    "path": display_text(path),
                    "title": display_text(item.title),
                }


def filter_json(typed: TypedFilter) -> FilterJson:
    return {
        "text": typed.text,
        "label": typed.label,
        "literal": typed.literal,
        "problem": typed.problem,
    }


def source_json(source: NumberedSource, question: str, catalog: Catalog) -> SourceJson:
    item = source.item
    words = (
        snippet(source.passage.text, words_to_mark(question)).text if source.passage else item.title
    )
    return {
        "n": source.n,
        "id": item.item,
        "path": display_text(item.path),
        "kind": item.kind,
        "title": display_text(item.title),
        "attached_to": attached_to(item),
        "place": named_place(catalog, item, source.place),
        "snippet": words,
        "thumb": thumb_json(item),
    }


def citation_json(citation: Citation, catalog: Catalog) -> CitationJson:
    item = citation.source.item
    return {
        "n": citation.source.n,
        "id": item.item,
        "path": display_text(item.path),
        "kind": item.kind,
        "title": display_text(item.title),
        "attached_to": attached_to(item),
        "place": named_place(catalog, item, citation.place),
        "quote": citation.quote,
        "verified": citation.verified,
        "source": citation.source.passage.source if citation.source.passage else Source.NAME,
        "supports": citation.supports,
    }


def verdict_json(verdict: VerifyReport, took_s: float) -> VerdictJson:
    return {
        "sound": verdict.sound,
        "faults": [
            {
                "code": fault.code,
                "sentence": display_text(fault.sentence),
                "mended": fault.mended,
            }
            for fault in verdict.defects
        ],
        "passages": verdict.passages,
        "vectors": verdict.vectors,
        "files": verdict.files,
        "again": verdict.again,
        "took_s": round(took_s, 2),
    }
