"""What lies near a query by its meaning: passages by their vectors, each kind by itself.

The distances of a text and of a photo to a question are not on one scale.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal

from indexer.catalog.catalog import Catalog
from indexer.types.passages import FIRST_UNDERSTOOD
from indexer.types.places import Kind
from indexer.vectors.search import Match
from indexer.vectors.store import Store
from model.interface import Float32, Model, Text
from retriever.queries.query import Query

# Every vector has a nearest one. Kept is what has at least this cosine and is no further than this
# behind the nearest of its kind. `python -m bench run demonstration` shows what these keep.
MIN_COSINE = 0.7
MAX_COSINE_BEHIND_BEST = 0.15
# So many passages by each vector are looked at, whatever the number of hits.
CANDIDATES = 300

Nearness = dict[tuple[str, int], float]  # of passages, as content and ordinal: from above 0 to 1


class Meaning:
    """The vectors of one library, and the model that made them."""

    def __init__(self, catalog: Catalog, store: Store, model: Model) -> None:
        self._catalog = catalog
        self._store = store
        self._model = model

    def near(self, query: Query, contents: Collection[str] | None) -> Iterator[Nearness]:
        """The nearest of each kind. Without a vector to compare with, the model is not asked for
        one, nor loaded for it. Raises ModelError and StoreError."""
        if not self._store.search.has_vectors(self._model.fingerprint.key):
            return
        example = query.like if query.like is not None else Text(query.words)
        vectors = self._model.embed([example], role="query")[0]
        card = self._model.card
        text_gists = card.text_gists
        kinds = sorted(query.scope.kinds or Kind)
        # Words are nearer to texts than to pictures, so each kind is ranked by itself; an example
        # is nearest to itself, whatever its kind.
        together = card.one_scale or query.like is not None
        for group in [set(kinds)] if together else [{kind} for kind in kinds]:
            if vectors.body is None:
                if vectors.gist is not None:
                    yield self._near("gist", vectors.gist, group, contents)
                continue
            # Gist alone is near to something for any words at all. Where a query has words, body
            # decides what is found, and gist only adds to the rank of that.
            body = self._near("body", vectors.body, group, contents)
            # Where texts have no gist, that of a scanned page tells nothing of its rank among them.
            gist_tells = text_gists or group != {Kind.DOCUMENT}
            if vectors.gist is None or card.one_scale or not gist_tells:
                yield body
                continue
            gist = self._near("gist", vectors.gist, group, contents)
            yield {
                key: (near + gist.get(key, 0.0)) / 2
                if text_gists or key[1] >= FIRST_UNDERSTOOD
                else near
                for key, near in body.items()
            }

    def _near(
        self,
        space: Literal["gist", "body"],
        vector: Float32,
        kinds: set[Kind],
        contents: Collection[str] | None,
    ) -> Nearness:
        """The nearest that can be found, with how near they are beside the nearest; as many rows
        more are read as hidden ones (of a drive that is not there) lie among them."""
        key = self._model.fingerprint.key
        limit = CANDIDATES
        least = self._model.card.least_cosine
        least = MIN_COSINE if least is None else least
        while True:
            matches = self._store.search.vectors(key, space, vector, limit, kinds, contents)
            live = self._live(matches)
            best = live[0].score if live else 0.0
            floor = max(least, best - MAX_COSINE_BEHIND_BEST)
            if len(live) >= CANDIDATES or len(matches) < limit or matches[-1].score < floor:
                break
            limit *= 4
        return {
            (match.content, match.ordinal): 1 - (best - match.score) / (2 * MAX_COSINE_BEHIND_BEST)
            for match in live[:CANDIDATES]
            if match.score >= floor
        }

    def _live(self, matches: Sequence[Match]) -> list[Match]:
        """Without the rows of superseded or half-written generations: the catalog decides."""
        live = self._catalog.items.live_generations({match.generation for match in matches})
        return [match for match in matches if match.generation in live]
