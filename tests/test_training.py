"""The trainer computes what the program computes, and the shipped layout is the published one."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.answer_format import REFUSAL
from model.interface import Image, Sound, Text
from model.prompt import inputs, prompts
from training import architecture, export, lessons, loader, renders, sight, trainer
from training import tokenizer as tokenizers
from training.desk import Desk
from training.packing import NOTHING, pack
from training.renders import Asked, Rendered
from training.trunk import Trunk, masks
from training.world.seeds import TRAIN

torch = pytest.importorskip("torch")

POCKET = Path(__file__).parents[1] / "model" / "pocket"
CUT = inputs.MediaFormat(picture_tokens=architecture.PICTURE_TOKENS)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tokenizers.train(lessons.corpus(60))


@pytest.fixture(scope="module")
def pair(tokenizer: Any) -> tuple[Any, Any]:
    """A model and its drafter, untrained."""
    model, drafter = architecture.new(tokenizer, seed=3)
    model.set_attn_implementation("eager")
    return model.eval(), drafter.eval()


def _picture() -> Image:
    pixels = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    return Image(pixels)


def _sound() -> Sound:
    samples = np.random.default_rng(1).standard_normal(6000).astype(np.float32) * 0.1
    return Sound(samples, 16_000)


@settings(deadline=None)
@given(st.text(max_size=60).filter(lambda text: "▁" not in text))
def test_any_text_survives_the_tokenizer(text: str) -> None:
    shared = _shared_tokenizer()
    ids = shared(text, add_special_tokens=False)["input_ids"]
    spoken = [token for token in shared.all_special_tokens if token in text]
    assert spoken or shared.decode(ids) == text


_KEPT: list[Any] = []


def _shared_tokenizer() -> Any:
    if not _KEPT:
        _KEPT.append(tokenizers.train(lessons.corpus(20), 500))
    return _KEPT[0]


def test_digits_stand_alone_so_that_numbers_can_be_copied(tokenizer: Any) -> None:
    pieces = tokenizer.tokenize("1,850 euros")
    assert [piece for piece in pieces if piece.isdigit()] == ["1", "8", "5", "0"]


def test_the_instructions_are_single_tokens(tokenizer: Any) -> None:
    for prompt in (prompts.GIST, prompts.CAPTION, prompts.TRANSCRIPT, prompts.ANSWER_RULES):
        assert len(tokenizer(prompt.strip(), add_special_tokens=False)["input_ids"]) == 1


@pytest.mark.skipif(not (POCKET / "tokenizer.json").exists(), reason="pocket was not made yet")
def test_the_shipped_tokenizer_knows_todays_instructions() -> None:
    """A changed sentence in prompts.py needs a new pocket: `make pocket`."""
    shipped = tokenizers.load(POCKET)
    for sentence in tokenizers.SENTENCES:
        assert len(shipped(sentence, add_special_tokens=False)["input_ids"]) == 1, sentence


@pytest.mark.parametrize("content", [_picture(), _sound(), Text("The rent is 900 euros.")])
def test_the_trunk_is_the_models_own_forward(pair: tuple[Any, Any], tokenizer: Any, content: Any):  # type: ignore[no-untyped-def]
    row = inputs.render_prompt(prompts.gist_prompt(content), tokenizer, CUT)
    with torch.no_grad():
        theirs = pair[0](**inputs.collate([row])).logits
        states = _run(pair[0], row)
        ours = Trunk(pair[0], compiled=False).logits(states.last)
    words = torch.from_numpy(row.kinds == inputs.TEXT_TOKEN)
    torch.testing.assert_close(ours[0, words], theirs[0, words], atol=1e-4, rtol=1e-4)


def _run(model: Any, row: inputs.Inputs) -> Any:
    ids = torch.from_numpy(row.ids)[None]
    order = torch.arange(len(row))[None]
    whole = torch.zeros_like(order)
    blocks = torch.where(torch.from_numpy(row.kinds)[None] == inputs.IMAGE_TOKEN, 0, -1)
    trunk = Trunk(model, compiled=False)
    patches, places = torch.zeros(0, 6912), torch.zeros(0, 2, dtype=torch.long)
    if row.pictures:
        patches = torch.from_numpy(row.pictures[0].values)
        places = torch.from_numpy(row.pictures[0].positions)
    frames = torch.from_numpy(row.sounds[0]) if row.sounds else torch.zeros(0, 640)
    embeds = trunk.embed(ids, patches, places, frames)
    return trunk(embeds, order, masks(order, whole, whole, blocks, architecture.WINDOW))


def test_packed_branches_see_what_fresh_prompts_see(pair: tuple[Any, Any], tokenizer: Any) -> None:
    """Two examples in one row, one of them in two branches, against each prompt alone."""
    model = pair[0]
    desk = Desk(tokenizer, CUT)
    cut = inputs.cut_patches(_picture(), CUT)
    data = np.round(cut.values * 255).astype(np.uint8)
    columns = int(cut.positions[-1, 0]) + 1
    item = Rendered(data, columns, "a red ball", ("ball",), (Asked("What?", "A ball", "ball"),))
    examples = [
        desk.medium(item, lessons.CAPTION, 0, random.Random(0)),
        desk.text("red ball", 0, True),
    ]
    batch = pack(examples, 1, 160, loader.Ids(model.config))
    t = {name: torch.from_numpy(getattr(batch, name)) for name in batch.__slots__}
    trunk = Trunk(model, compiled=False)
    with torch.no_grad():
        embeds = trunk.embed(t["ids"], t["patches"].float() / 255, t["places"], t["frames"])
        allowed = masks(t["positions"], t["owners"], t["branches"], t["blocks"], 512)
        packed = trunk(embeds, t["positions"], allowed)
        for (row, at, *_), prompt in zip(
            batch.vectors.tolist(),
            (prompts.gist_prompt(_picture()), prompts.gist_prompt(Text("red ball"))),
            strict=True,
        ):
            alone = _run(model, inputs.render_prompt(prompt, tokenizer, CUT))
            torch.testing.assert_close(
                packed.gist[row, at], alone.gist[0, -1], atol=2e-3, rtol=2e-3
            )
        caption = _run(
            model, inputs.render_prompt(prompts.description_prompt(_picture()), tokenizer, CUT)
        )
        first = int(np.flatnonzero(batch.labels[0] != NOTHING)[0])
        torch.testing.assert_close(packed.last[0, first], caption.last[0, -1], atol=2e-3, rtol=2e-3)


def test_answers_are_written_as_the_program_reads_them() -> None:
    for number in range(20):
        lesson = lessons.answer(random.Random(number), 4)
        if lesson.task == lessons.REFUSE:
            assert lesson.target == REFUSAL
            continue
        n, quote = lesson.target.split(" [")[-1].removesuffix('"].').split(': "')
        fenced = "".join(part for part in lesson.prompt[-1].parts if isinstance(part, str))
        source = fenced.split(f"<source {n} ")[1].split("</source>")[0]
        assert quote in source


def test_the_drafter_changes_no_word(pair: tuple[Any, Any], tokenizer: Any) -> None:
    """The published drafter configuration can be built, and greedy output stays the same."""
    model, drafter = pair
    ids = tokenizer("The deposit for Mill Lane 4 is", return_tensors="pt")
    say = {"max_new_tokens": 12, "do_sample": False}
    alone = model.generate(**ids, **say)
    drafter.generation_config.num_assistant_tokens = 3
    drafted = model.generate(**ids, **say, assistant_model=drafter)
    assert alone.tolist() == drafted.tolist()


def test_a_tone_wakes_its_own_band(pair: tuple[Any, Any]) -> None:
    """The first weights hear: the energy of a tone stands in the band nearest to it."""
    model = pair[0]
    waves = architecture.filters()
    count = len(waves) // 2
    time_s = torch.arange(640) / 16_000
    for hertz in (300.0, 1000.0, 3000.0):
        energy = waves @ torch.sin(2 * torch.pi * hertz * time_s + 0.7)
        heard = (energy[:count] ** 2 + energy[count:] ** 2)[: architecture.BANDS]
        nearest = (architecture.centres_hz() - hertz).abs().argmin()
        assert abs(int(heard.argmax()) - int(nearest)) <= 1
    layer = model.model.language_model.layers[0]
    output = layer.mlp(model.model.embed_audio.embedding_projection.weight.T[:4])
    assert torch.isfinite(output).all()


@pytest.mark.skipif(not (POCKET / "model.safetensors").exists(), reason="pocket was not made yet")
def test_pocket_is_small_and_complete() -> None:
    files = [file for file in POCKET.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 25_000_000
    names = {str(file.relative_to(POCKET)) for file in files}
    assert names >= {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "chat_template.jinja", "generation_config.json", "processor_config.json", "README.md",
        "assistant/config.json", "assistant/model.safetensors",
    }  # fmt: skip


def _table(pair: tuple[Any, Any], directory: Path) -> loader.Table:
    """Batches from a few freshly drawn and spoken items."""
    table = loader.Table(POCKET, directory, loader.Ids(pair[0].config), TRAIN, 0)
    kinds = ["scene", "sign1"]
    if shutil.which("espeak-ng"):
        kinds += ["clip", "note"]
    for kind in kinds:
        table.take_in(kind, (renders.MAKERS[kind](number, CUT) for number in range(3)))
    return table


def test_rivals_are_like_what_they_rival(pair: tuple[Any, Any], tmp_path: Path) -> None:
    """A query learns most from what is nearly what it asks for."""
    table = loader.Table(POCKET, tmp_path, loader.Ids(pair[0].config), TRAIN, 0)
    names = ["a red cup", "a red hat", "a blue hat", "a green tree", "a red cup"]
    items = [Rendered(np.zeros((1, 6912)), 1, name, (name,), ()) for name in names]
    table.take_in("scene", items)
    table.take_in("note", [Rendered(np.zeros(640), 0, "red", ("red tree",), ())])
    rng = random.Random(0)
    met = [{table.rival(rng, "scene", item).words for _ in range(60)} for item in items]
    assert met[0] == met[4] == {"a red cup", "a red hat"}
    assert met[1] == {"a red cup", "a red hat", "a blue hat"}
    assert met[3] == {"a green tree"}  # nothing is like it, and another kind is no rival


def test_questions_about_the_same_sources_see_only_their_own(
    pair: tuple[Any, Any], tokenizer: Any
) -> None:
    """Packed as branches, each question gets the logits of a prompt of its own."""
    model = pair[0]
    asked = lessons.examination(random.Random(4), 3, 4, 0.0)
    assert len(asked) >= 3
    desk = Desk(tokenizer, CUT)
    batch = pack([desk.examination(asked)], 1, 768, loader.Ids(model.config))
    tensors = {
        name: torch.from_numpy(getattr(batch, name))
        for name in ("ids", "positions", "owners", "branches", "blocks")
    }
    packed_as = [tensors[name] for name in ("positions", "owners", "branches", "blocks")]
    allowed = masks(packed_as[0], packed_as[1], packed_as[2], packed_as[3], 512)
    trunk = Trunk(model, compiled=False)
    nothing = torch.zeros(0, 6912), torch.zeros(0, 2, dtype=torch.long), torch.zeros(0, 640)
    with torch.no_grad():
        embeds = trunk.embed(tensors["ids"], *nothing)
        packed = trunk(embeds, tensors["positions"], allowed).last[0]
    branches = torch.from_numpy(batch.branches[0])
    taught = torch.from_numpy(batch.labels[0] != NOTHING)
    for number, lesson in enumerate(asked, start=1):
        first = int(torch.nonzero(taught & (branches == number))[0])
        row = inputs.render_prompt(lesson.prompt, tokenizer, CUT)
        own = _run(model, row).last[0, -1]
        torch.testing.assert_close(packed[first], own, atol=2e-3, rtol=2e-3)


def test_words_are_told_their_source_and_answers_the_one_they_cite() -> None:
    desk = Desk(tokenizers.load(POCKET), CUT)
    asked = lessons.examination(random.Random(4), 3, 4, 0.0)
    example = desk.examination(asked)
    assert example.sources is not None
    labelled = example.labels != NOTHING
    for number in (1, 2, 3):
        fenced = desk.tokenizer.decode(example.ids[(example.sources == number) & ~labelled])
        assert fenced.startswith(f'{number} "')
        assert fenced.endswith("</source>\n")
        assert fenced.count("source") == 1
    for branch, lesson in enumerate(asked, start=1):
        n = int(lesson.target.split(" [")[1][0]) if " [" in lesson.target else 0
        assert set(example.sources[labelled & (example.branches == branch)].tolist()) == {n}


def test_a_glimpse_keeps_what_its_patches_show() -> None:
    scene = renders.scene(3, CUT)
    desk = Desk(tokenizers.load(POCKET), CUT)
    seen = desk.glimpse(scene, random.Random(0))
    assert seen is not None
    assert seen.shown is not None
    data, columns = seen.pictures[0]
    assert len(data) == len(seen.shown) == columns**2
    whole = {patch: shown for patch, asked, shown in scene.shown if asked == sight.KIND}
    for patch, shown in zip(data, seen.shown[:, sight.KIND].tolist(), strict=True):
        places = np.flatnonzero((scene.data == patch).all(axis=1))
        assert shown in {whole[int(place)] for place in places}
    assert (seen.shown[:, sight.KIND] > 0).any()


@pytest.mark.slow
def test_steps_teach_and_are_taken_up_again(pair: tuple[Any, Any], tmp_path: Path) -> None:
    """The same batch, seen a few times, is known better; a run goes on where it was saved."""
    export.take_up(tmp_path, POCKET, steps=7, minutes=1.0)
    run = trainer.Run(tmp_path, tmp_path, minutes=60)
    run.student.trunk = Trunk(run.student.model, compiled=False)
    assert (run.step, run.spent_s) == (7, 60.0)
    batch = _table(pair, tmp_path).batch(0, loader.mix(0.4))
    before = run.student.learn(batch).parts
    for _ in range(4):
        run.take_step(batch)
    after = run.student.learn(batch).parts
    for name in ("words", "kinds", "letters", "belongs", "cites"):
        assert after[name] < before[name], name
    run.save()
    again = trainer.Run(tmp_path, tmp_path, minutes=60)
    assert again.step == 11
    parameters = zip(run.student.model.parameters(), again.student.model.parameters(), strict=True)
    assert all(torch.equal(trained, other) for trained, other in parameters)


def test_training_dice_stay_in_their_range() -> None:
    assert loader.mix(0.0).sources == 1
    assert loader.mix(1.0).length <= 768
    assert len(TRAIN) == 10**8
