"""`generate`: text, a translation, images or sounds from a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.extras import needs_extra
from compiler.write_files import write_whole
from layergraph.commands._options import Run, Weights
from layergraph.commands._output import echo_text


@needs_extra("train")
def generate(
    run: Run,
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT", help="Text to continue or to translate; may be repeated."
        ),
    ] = None,
    label: Annotated[
        str,
        typer.Option(
            metavar="CLASS",
            help="Class of the images, by a network that knows classes.",
        ),
    ] = "",
    tokens: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Maximum number of tokens.")
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(metavar="F", help="Sampling temperature; 0: the likeliest token."),
    ] = None,
    top_k: Annotated[
        int | None,
        typer.Option(metavar="N", help="Number of likeliest tokens to sample from."),
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(
            metavar="P", help="Probability mass of the tokens to sample from."
        ),
    ] = None,
    repetition_penalty: Annotated[
        float | None,
        typer.Option(metavar="F", help="Penalty on tokens that occurred; 1: none."),
    ] = None,
    beam: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Beam width, in place of sampling."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Random seed; default: 0.")
    ] = None,
    weights: Weights = "best",
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", metavar="FILE", help="Output file; required for images and sounds."
        ),
    ] = None,
) -> None:
    """Generate text, a translation, images or sounds with a run.

    Example: layergraph generate runs/rnn_characters --prompt "In the"
    """
    from runtime.open_run import open_run
    from runtime.tasks.learner import GenerationRequest

    settings = {
        "max_new_tokens": tokens,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "repetition_penalty": repetition_penalty,
        "seed": seed,
    }
    given = {name: value for name, value in settings.items() if value is not None}
    requests = [GenerationRequest(text, beam, given, label) for text in prompt or [""]]
    opened = open_run(run, weights)
    if opened.program.not_stepped:
        note = f"note: every token runs the whole text: {opened.program.not_stepped}"
        typer.echo(note, err=True)
    _write_or_print(opened.learner.generate_all(requests), out)


def _write_or_print(made: Sequence[str | bytes], out: Path | None) -> None:
    """Write what was made, or print it where it is text.

    Raises:
        RequestError: if it is no text, and there is no file for it.
    """
    texts = [one for one in made if isinstance(one, str)]
    pictures = [one for one in made if isinstance(one, bytes)]
    if out is not None:
        text = "".join(f"{one}\n" for one in texts)
        write_whole({out: pictures[0] if pictures else text})
        typer.echo(out)
    elif pictures:
        raise RequestError(
            "what is made is a picture or a sound: -o FILE says where it goes"
        )
    else:
        for one in texts:
            echo_text(one)
