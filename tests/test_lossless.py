"""The drafter changes how fast the shipped model writes, never what it writes."""

from __future__ import annotations

import pytest

from bench.decode import both, write
from bench.prompts import asked, media
from model.gemma import Gemma
from model.interface import Image, Sound


@pytest.fixture(scope="module")
def models() -> tuple[Gemma, Gemma]:
    return both()


def test_answers_are_the_same_with_and_without_the_drafter(models: tuple[Gemma, Gemma]) -> None:
    drafted, plain = models
    prompts = asked()
    originals = [source.original for prompt in prompts for source in prompt.evidence]
    assert any(isinstance(one, Image) for one in originals)
    assert any(isinstance(one, Sound) for one in originals)
    accepted = []
    for prompt in prompts:
        one, other = write(drafted, prompt), write(plain, prompt)
        assert one.text == other.text
        assert other.finished.draft_acceptance is None
        accepted.append(one.finished.draft_acceptance)
    assert any(accepted), "nothing was ever drafted and kept, so nothing was tested"
    assert len(prompts) + len(media()) >= 50


def test_captions_and_transcripts_are_the_same(models: tuple[Gemma, Gemma]) -> None:
    drafted, plain = models
    for content in media():
        assert drafted.describe(content).words == plain.describe(content).words
