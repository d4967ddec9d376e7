"""`python -m training all` makes the demonstration model from nothing; each step runs alone too."""

from __future__ import annotations

import json
from pathlib import Path

import click

RUNS = Path(__file__).parent / "runs"
POCKET = Path(__file__).parents[1] / "model" / "pocket"
MEDIA = {
    "clip": 3000, "note": 40000, "scene": 50000, "sign0": 1000, "sign1": 2000, "sign2": 20000,
    "page": 6000, "chart": 400, "table": 400,
}  # fmt: skip
PICTURE_TOKENS = 70


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--run", default="pocket", show_default=True, help="The folder under training/runs.")
@click.pass_context
def main(context: click.Context, run: str) -> None:
    """Make the demonstration model."""
    context.obj = RUNS / run


@main.command()
@click.pass_obj
def new(run: Path) -> None:
    """Make the tokenizer and a model that knows nothing yet."""
    from training import architecture, lessons, tokenizer

    vocabulary = tokenizer.train(lessons.corpus(6000))
    model, drafter = architecture.new(vocabulary)
    architecture.save(model, drafter, vocabulary, run)
    click.echo(f"{len(vocabulary)} tokens, {sum(p.numel() for p in model.parameters()):,} weights")


@main.command()
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--steps", default=0, help="How many steps it was trained so far, for its card.")
@click.option("--minutes", default=0.0, help="How many minutes it was trained so far.")
@click.pass_obj
def resume(run: Path, checkpoint: Path, steps: int, minutes: float) -> None:
    """Start from the weights of a published CHECKPOINT, to go on training them."""
    from training.export import take_up

    take_up(run, checkpoint, steps, minutes)
    click.echo(f"{run} goes on from {checkpoint}")


@main.command()
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--share", default=0.4, show_default=True, help="How much of its weights.")
@click.pass_obj
def blend(run: Path, checkpoint: Path, share: float) -> None:
    """Mix the weights of the CHECKPOINT that the run went on from into the run's."""
    from training.export import blend as mix

    mix(run, checkpoint, share)


@main.command()
@click.argument("kinds", nargs=-1)
def render(kinds: tuple[str, ...]) -> None:
    """Draw and speak the training's pictures and sounds; KINDS are all unless named."""
    from model.prompt.inputs import MediaFormat
    from training import renders

    for kind in kinds or tuple(MEDIA):
        renders.render(
            kind, RUNS / "media", MEDIA[kind], MediaFormat(picture_tokens=PICTURE_TOKENS)
        )


@main.command()
@click.option("--minutes", default=240.0, show_default=True, help="Time for training in all.")
@click.option("--peak", default=1.0, show_default=True, help="Share of the full learning rate.")
@click.option("--threads", default=2, show_default=True)
@click.pass_obj
def train(run: Path, minutes: float, peak: float, threads: int) -> None:
    """Train, or go on training; what was learned is kept better at a lower --peak."""
    import torch

    from training.trainer import Run

    torch.set_num_threads(threads)
    Run(run, RUNS / "media", minutes, peak).go()


@main.command()
@click.option("--minutes", default=20.0, show_default=True, help="Time for training.")
@click.option("--threads", default=2, show_default=True)
@click.pass_obj
def drafter(run: Path, minutes: float, threads: int) -> None:
    """Teach the drafter what the trained model would say."""
    import torch

    from training.drafter import distil
    from training.export import DRAFTER, trained

    torch.set_num_threads(threads)
    model, draft_model, _, _ = trained(run)
    agreed = distil(model, draft_model, run, RUNS / "media", minutes)
    torch.save(draft_model.state_dict(), run / DRAFTER)
    click.echo(f"first guesses the model agrees with, on held-out seeds: {agreed:.2f}")


@main.command()
@click.pass_obj
def export(run: Path) -> None:
    """Write the trained checkpoint to model/pocket."""
    from training.export import export as write

    click.echo(f"{write(run, POCKET):,} bytes in {POCKET}")


@main.command()
@click.option("--quick", is_flag=True, help="A fifth of the examples.")
@click.pass_obj
def measure(run: Path, quick: bool) -> None:
    """Measure what is in model/pocket on held-out seeds, and keep the table for its card."""
    from bench.pocket import run as bench
    from training.export import TABLE

    report = bench(quick)
    report.print()
    (run / TABLE).write_text(json.dumps(report.json(), indent=2) + "\n")


@main.command(name="all")
@click.option("--minutes", default=526.0, show_default=True, help="Time for training.")
@click.pass_context
def everything(context: click.Context, minutes: float) -> None:
    """Make the model from nothing: tokenizer, pictures, sounds, model, drafter, files, table."""
    run: Path = context.obj
    if not (run / "tokenizer.json").exists():
        context.invoke(new)
    context.invoke(render)
    context.invoke(train, minutes=minutes)
    context.invoke(drafter, minutes=minutes / 8)
    context.invoke(export)
    context.invoke(measure)
    context.invoke(export)  # once more, with the measured table in the card


if __name__ == "__main__":
    main()
