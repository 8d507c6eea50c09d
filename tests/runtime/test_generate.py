import sys
from pathlib import Path

import pytest
import torch

from compiler import compile_spec
from compiler.diagnostics.diagnostic import RequestError
from layergraph.__main__ import main
from runtime.data.data_section import DataSection
from runtime.data.load_data import load
from runtime.engine.run_folder import RunFolder
from runtime.load import build_networks
from runtime.open_run import LoadedRun
from runtime.tasks.learner import GenerationRequest, learner_class

LANGUAGE = """
name: Net
inputs:
  tokens: int[B, T]
layers:
  wte: {op: embedding, num_embeddings: 27, embedding_dim: 8}
  gru: {op: gru, hidden_size: 8}
  head: {op: linear, out_features: 27, in: gru.output}
outputs:
  logits: head
task:
  kind: language_model
  data: {text: {path: text.txt, length: 8}}
  epochs: 1
"""
PAIRS = """
name: Net
inputs:
  source: int[B, S]
  target: int[B, T]
layers:
  from_source: {op: embedding, num_embeddings: 20, embedding_dim: 8, in: source}
  from_target: {op: embedding, num_embeddings: 20, embedding_dim: 8, in: target}
  mean: {op: mean, dim: 1, keepdim: true, in: from_source}
  both: {op: add, in: [from_target, mean]}
  head: {op: linear, out_features: 20}
outputs:
  logits: head
task:
  kind: translation
  data: {strings: {count: 20, held_out: 5}}
"""
IMAGES = """
name: Net
networks:
  generator:
    inputs:
      noise: float[B, 4]
    layers:
      wide: {op: linear, out_features: 64}
      image: {op: unflatten, dim: 1, sizes: [1, 8, 8]}
    outputs: [image]
  discriminator:
    inputs:
      image: float[B, 1, 8, 8]
    layers:
      flat: flatten
      score: {op: linear, out_features: 1}
    outputs: [score]
task:
  kind: adversarial
  data: digits
"""
FORECASTS = """
name: Net
inputs:
  past: float[B, T, 1]
layers:
  last: {op: index, dim: 1, index: -1}
outputs:
  forecast: last
task:
  kind: forecasting
  data: sunspots
"""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def opened(folder: Path, spec: str) -> LoadedRun:
    """A run of networks that have not learned yet."""
    (folder / "text.txt").write_text(LETTERS * 20)
    (folder / "net.yaml").write_text(spec)
    program = compile_spec(folder / "net.yaml")
    task = program.task
    assert task is not None
    section = DataSection(program.typed.graph.document, task.data.name, folder)
    metadata = load(task, section).metadata
    torch.manual_seed(0)
    networks = build_networks(program)
    for net in networks.values():
        net.eval()
    made = learner_class(task.kind)(task, program.typed.networks, networks, metadata)
    return LoadedRun(RunFolder(folder), {}, program, task, made)


def test_a_language_model_writes_text(tmp_path: Path) -> None:
    run = opened(tmp_path, LANGUAGE)
    request = GenerationRequest(
        "abc", sampling={"max_new_tokens": 9, "top_k": 5, "seed": 3}
    )
    made = run.learner.generate(request)
    assert made == run.learner.generate(request)
    assert isinstance(made, str)
    assert made.startswith("abc") and len(made) == 12


@pytest.mark.parametrize("beam", [None, 2])
def test_several_prompts_give_what_each_gives_alone(
    tmp_path: Path, beam: int | None
) -> None:
    """Of one length they are continued together, each with its own random numbers."""
    run = opened(tmp_path, LANGUAGE)
    options = {"max_new_tokens": 9} | ({} if beam else {"temperature": 1.5, "seed": 3})
    prompts = ["abc", "x", "klm", "", "pqrst", "abc", "zyx"]
    requests = [GenerationRequest(one, beam, options) for one in prompts]
    made = run.learner.generate_all(requests)
    assert made == [run.learner.generate(one) for one in requests]
    assert run.learner.generate_all([]) == []
    other = GenerationRequest("abc", sampling={"max_new_tokens": 2})
    assert run.learner.generate_all([requests[1], other]) == [
        made[1],
        run.learner.generate(other),
    ]


def test_beam_search_takes_no_sampling_options(tmp_path: Path) -> None:
    run = opened(tmp_path, LANGUAGE)
    made = run.learner.generate(
        GenerationRequest("abc", beam=2, sampling={"max_new_tokens": 4})
    )
    assert len(made) == 7
    request = GenerationRequest(
        "abc", beam=2, sampling={"top_k": 4, "temperature": 1.0}
    )
    with pytest.raises(RequestError, match="does not take temperature, top-k"):
        run.learner.generate(request)


def test_the_prompt_is_translated(tmp_path: Path) -> None:
    run = opened(tmp_path, PAIRS)
    prompt = run.learner.source.decode([4, 5, 6])  # type: ignore[attr-defined]
    (expected,) = run.learner.predict([prompt])
    assert run.learner.generate(GenerationRequest(prompt)) == expected["translation"]
    wide = run.learner.generate(
        GenerationRequest(prompt, beam=3, sampling={"max_new_tokens": 2})
    )
    assert len(str(wide).split()) <= 2
    for request in (
        GenerationRequest(),
        GenerationRequest(prompt, sampling={"top_p": 0.5}),
    ):
        with pytest.raises(RequestError, match="translation"):
            run.learner.generate(request)


def test_a_generator_draws_a_grid(tmp_path: Path) -> None:
    run = opened(tmp_path, IMAGES)
    first, again, other = (
        run.learner.generate(GenerationRequest(sampling={"seed": seed}))
        for seed in (1, 1, 2)
    )
    assert isinstance(first, bytes)
    assert first.startswith(b"\x89PNG")
    assert first == again != other
    with pytest.raises(RequestError, match="no input tokens, so there is no --prompt"):
        run.learner.generate(GenerationRequest("a seven"))


def test_other_tasks_generate_nothing(tmp_path: Path) -> None:
    run = opened(tmp_path, FORECASTS)
    with pytest.raises(RequestError, match="forecasting generates nothing"):
        run.learner.generate(GenerationRequest())


def test_the_command(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "text.txt").write_text(LETTERS * 20)
    (tmp_path / "net.yaml").write_text(LANGUAGE)
    run = tmp_path / "run"

    def called(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cli.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return (int(ended.value.code or 0), *capsys.readouterr())

    assert called("train", tmp_path / "net.yaml", "--run", run)[0] == 0
    options = ["--prompt", "abc", "--tokens", 7]
    code, made, _ = called("generate", run, *options, "--weights", "last")
    assert (code, len(made)) == (0, 11)
    file = tmp_path / "out.txt"
    assert called("generate", run, *options, "-o", file) == (0, f"{file}\n", "")
    assert file.read_text() == made
    code, _, message = called("generate", run, "--prompt", "ABC")
    assert code == 2
    assert "no 'A', 'B', 'C'" in message
    assert called("generate", run, "--top-p", 7)[0] == 2
    assert called("generate", tmp_path / "nothing")[0] == 2
