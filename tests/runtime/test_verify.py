"""`verify` finds every way in which a module is not what inference says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from compiler import Program, compile_spec
from runtime.verify import concrete_shape, sample_inputs, sample_sizes, verify

SPECS = Path(__file__).parents[2] / "specs"


def _tampered(spec: str, written: str, instead: str) -> Program:
    """A program whose code is not what was compiled."""
    program = compile_spec(SPECS / f"{spec}.yaml")
    assert written in program.python
    other = replace(program)
    vars(other)["python"] = program.python.replace(written, instead)
    return other


def test_what_was_compiled_is_right() -> None:
    assert verify(compile_spec(SPECS / "cnn.yaml")) == []


def test_another_number_of_parameters() -> None:
    wider = _tampered("cnn", "nn.Linear(84, classes)", "nn.Linear(84, classes, False)")
    assert verify(wider) == ["CNN has 61696 parameters, but the compiler counts 61706"]


def test_another_shape() -> None:
    problems = verify(_tampered("cnn", "self.fc3(relu4)", "self.fc3(relu4)[:, 1:]"))
    assert len(problems) == 5, "four sizes, and one of them for real"
    assert "CNN at B=3 on meta: logits is torch.float32 [3, 9]" in problems[0]
    assert problems[0].endswith("inference says float[3, 10]")
    assert "CNN at B=3 on cpu" in problems[-1]


def test_another_dtype() -> None:
    problems = verify(_tampered("cnn", "self.fc3(relu4)", "self.fc3(relu4).double()"))
    assert "logits is torch.float64 [3, 10]" in problems[0]


@pytest.mark.parametrize(
    ("written", "instead"),
    [("return x, pooled", "return x"), ("return x, pooled", "return x, pooled, x")],
    ids=["too few", "too many"],
)
def test_another_number_of_outputs(written: str, instead: str) -> None:
    problems = verify(_tampered("bert", written, instead))
    assert "BERT at " in problems[0]
    assert problems[0].endswith("outputs, but inference says 2")


def test_code_that_raises() -> None:
    problems = verify(_tampered("cnn", "pool2.flatten(1)", "pool2.flatten(2)"))
    assert "CNN at B=3 on meta: " in problems[0]


def test_code_that_cannot_be_built() -> None:
    problems = verify(_tampered("cnn", "nn.Linear(84, ", "nn.Linear(-84, "))
    assert problems[0].startswith("CNN cannot be built: ")


def test_every_network_is_looked_at() -> None:
    wrong = _tampered("gan", "score: Tensor = to_score.flatten(1)", "score = to_score")
    assert all(problem.startswith("Discriminator at ") for problem in verify(wrong))


def test_sizes_are_admitted_and_different() -> None:
    (instance,) = compile_spec(SPECS / "unet.yaml").typed.networks.values()
    drawn = list(sample_sizes(instance))
    assert len(drawn) >= 3
    for sizes in drawn:
        assert sizes.keys() == {"B", "H", "W"}
        assert sizes["H"] % 16 == sizes["W"] % 16 == 0
    for symbol in ("B", "H", "W"):
        assert len({sizes[symbol] for sizes in drawn}) >= 3
    assert any(sizes["H"] != sizes["W"] for sizes in drawn)


def test_sizes_keep_to_a_maximum() -> None:
    spec = SPECS / "gpt2.yaml"
    (instance,) = compile_spec(spec, settings={"context": 2}).typed.networks.values()
    assert {sizes["T"] for sizes in sample_sizes(instance)} <= {1, 2}


def test_inputs_have_the_types_that_are_declared() -> None:
    (instance,) = compile_spec(SPECS / "bert.yaml").typed.networks.values()
    sizes = {"B": 2, "T": 5}
    tokens, segments, mask = sample_inputs(instance, sizes, "meta")
    assert tokens.shape == segments.shape == mask.shape == (2, 5)
    assert (tokens.dtype, mask.dtype) == (torch.int64, torch.bool)
    assert tokens.device == torch.device("meta")
    states = instance.outputs["states"]
    assert concrete_shape(instance, states, sizes) == [2, 5, 768]
