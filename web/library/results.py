"""Hits, sources and citations as the JSON that people and programs are given."""

from __future__ import annotations

from indexer.catalog.catalog import Catalog, Item
from indexer.types.places import Page, Place, PlaceJson, place_json
from retriever.answer import Citation, NumberedSource
from retriever.search import Hit, source_of
from retriever.snippets import snippet, terms
from web.library.display import shown
from web.library.items import attached_to, thumb_json
from web.library.schemas import CitationJson, HitJson, SourceJson


def named_place(catalog: Catalog, item: Item, place: Place) -> PlaceJson | None:
    """A place, with what its page is called."""
    found = place_json(place)
    if isinstance(place, Page) and found and (label := catalog.label(item.content, place.page)):
        found["label"] = shown(label)
    return found


def hit_json(rank: int, hit: Hit, catalog: Catalog) -> HitJson:
    item = hit.item
    return {
        "rank": rank,
        "id": item.item,
        "path": shown(item.path),
        "kind": item.kind,
        "title": shown(item.title),
        "attached_to": attached_to(item),
        "place": named_place(catalog, item, hit.passage.place) if hit.passage else None,
        "snippet": shown(hit.snippet.text),
        "source": source_of(hit),
        "score": round(hit.score, 6),
        "marks": list(hit.snippet.marks),
        "found_by": list(hit.ways),
        "thumb": thumb_json(item),
        "more": [
            {"place": named_place(catalog, item, passage.place), "snippet": other.text}
            for passage, other in hit.more
        ],
        "made_at": item.made_at,
        "modified_at": item.modified_at,
        "duration_s": item.duration_s,
        "pages": item.pages,
    }


def source_json(source: NumberedSource, question: str, catalog: Catalog) -> SourceJson:
    item = source.item
    words = snippet(source.passage.text, terms(question)).text if source.passage else item.title
    return {
        "n": source.n,
        "id": item.item,
        "path": shown(item.path),
        "kind": item.kind,
        "title": shown(item.title),
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
        "path": shown(item.path),
        "kind": item.kind,
        "title": shown(item.title),
        "attached_to": attached_to(item),
        "place": named_place(catalog, item, citation.source.place),
        "quote": citation.quote,
        "verified": citation.verified,
    }
