"""The names of other tools lead to ops and arguments that exist."""

from __future__ import annotations

import re

import pytest

from compiler.diagnostics import other_names
from compiler.diagnostics.diagnostic import closest
from compiler.op.binding import arguments
from compiler.op.registry import find_op, op_names

OPS = op_names()
ARGUMENTS = {
    name
    for op in OPS
    if (found := find_op(op)) is not None
    for name in arguments(found)
}


def test_ops_that_are_meant_exist() -> None:
    meant = {op for ops in other_names._OPS.values() for op in ops}
    assert meant <= set(OPS)


def test_no_op_is_explained_away() -> None:
    assert [op for op in OPS if other_names.op_help(op)] == []


def test_arguments_that_are_meant_exist() -> None:
    meant = {one for names in other_names._ARGUMENTS_OF.values() for one in names}
    assert meant <= ARGUMENTS


def test_ops_in_sentences_exist() -> None:
    words = " ".join(other_names._OTHERS.values())
    named = set(re.findall(r"\{op: (\w+)|`(\w+2d|lstm|gru|rnn|attention)`", words))
    assert {first or second for first, second in named} <= set(OPS)


@pytest.mark.parametrize(
    "word", ["se", "gn", "skip", "shortcut", "rope", "mha", "mlp", "tfm", "swiglu"]
)
def test_no_guess_of_another_meaning(word: str) -> None:
    assert closest(word, OPS) is None


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("con2d", "conv2d"),
        ("lienar", "linear"),
        ("layernorm", "layer_norm"),
        ("Softmax", "softmax"),
        ("linear_layer", "linear"),
        ("embeddings", "embedding"),
    ],
)
def test_slips(word: str, meant: str) -> None:
    assert closest(word, OPS) == meant
