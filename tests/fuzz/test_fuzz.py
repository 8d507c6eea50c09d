"""The fuzzer itself: seeds give the same specs, most compile, and what goes wrong is found and made small."""

from __future__ import annotations

import re

import pytest

from compiler.program import Program
from tests.fuzz.judge import (
    COMMANDS,
    COMPILED,
    DIFFERENCE,
    EXCEPTION,
    LINES,
    OK,
    REFUSED,
    Effort,
    effort_of,
    judge,
)
from tests.fuzz.planted import faults
from tests.fuzz.shrink import shrink
from tests.fuzz.specs import ASKING, COUNTED, LISTED, WRAPPED, spec_of, text_of
from tests.fuzz.wrapped import CHOOSING


def test_a_seed_gives_one_spec() -> None:
    texts = [text_of(spec_of(seed)) for seed in range(100)]
    assert texts == [text_of(spec_of(seed)) for seed in range(100)]
    assert len(set(texts)) == 100


def test_specs_have_all_structures() -> None:
    text = "\n".join(text_of(spec_of(seed)) for seed in range(400))
    for word in (
        "repeat:",
        "share: true",
        "stack:",
        "when:",
        "scan:",
        "share: linear",
        "tie:",
        "init:",
        "parametrize:",
        "float[..., D]",
        "float[..., E]",
        "out_features: 4 + i",
        "op: $act",
        "level + 1",
        "batch_norm1d",
        "lstm",
        "outputs:",
        "bool[B, T]?",
        "i % 2 == 0",
    ):
        assert word in text, word


def test_wrapped_specs_have_all_wrappers() -> None:
    seeds = range(WRAPPED, WRAPPED + 60)
    specs = {seed: spec_of(seed) for seed in seeds}
    assert specs == {seed: spec_of(seed) for seed in seeds}
    text = "\n".join(map(text_of, specs.values()))
    for word in (
        "op: Wrap0",
        "p0_0:",
        "inner0:",
        "same0:",
        "- identity",
        "or 1 > 0",
        "repeat: 1",
    ):
        assert word in text, word


def test_specs_choose_what_layers_are() -> None:
    text = "\n".join(text_of(spec_of(seed)) for seed in range(CHOOSING, CHOOSING + 60))
    for word in ("choose:", "- when: i == 1", "- when: not on", "other0: identity"):
        assert word in text, word


def test_specs_have_absent_layers_and_formulas_of_lists_and_weights() -> None:
    text = "\n".join(text_of(spec_of(seed)) for seed in range(COUNTED, COUNTED + 60))
    for word in ("else: null", "for i in", "constant: 1 / (i + 1)", "std: 0.3 / sqrt"):
        assert word in text, word


@pytest.mark.parametrize("seed", range(COUNTED, COUNTED + 3))
def test_specs_with_counted_lists_mean_what_they_say(seed: int) -> None:
    outcome = judge(text_of(spec_of(seed)), effort=effort_of(seed))
    assert outcome.kind in (OK, REFUSED), outcome.detail


@pytest.mark.parametrize("seed", range(CHOOSING, CHOOSING + 3))
def test_specs_that_choose_mean_what_they_say(seed: int) -> None:
    outcome = judge(text_of(spec_of(seed)), effort=effort_of(seed))
    assert outcome.kind in (OK, REFUSED), outcome.detail


def test_specs_collect_what_copies_give() -> None:
    text = "\n".join(text_of(spec_of(seed)) for seed in range(LISTED, LISTED + 60))
    for word in (
        "collect:",
        "at: taps",
        r"body\.items0",
        r"\.items\d+\.\d",
        r"4 \* \(i",
    ):
        assert re.search(word, text), word


@pytest.mark.parametrize("seed", range(LISTED, LISTED + 3))
def test_specs_that_collect_mean_what_they_say(seed: int) -> None:
    outcome = judge(text_of(spec_of(seed)), effort=effort_of(seed))
    assert outcome.kind in (OK, REFUSED), outcome.detail


def test_specs_ask_for_inputs() -> None:
    text = "\n".join(text_of(spec_of(seed)) for seed in range(ASKING, ASKING + 60))
    for word in (
        *("when: given(extra)", "not given(kind)", "given(part) and on", " or "),
        *("more: more?", "a0: "),
    ):
        assert word in text, word


@pytest.mark.parametrize("seed", range(ASKING, ASKING + 3))
def test_specs_that_ask_for_inputs_mean_what_they_say(seed: int) -> None:
    outcome = judge(text_of(spec_of(seed)), effort=effort_of(seed))
    assert outcome.kind in (OK, REFUSED), outcome.detail


@pytest.mark.parametrize("seed", range(WRAPPED, WRAPPED + 3))
def test_wrapped_specs_mean_what_they_say(seed: int) -> None:
    outcome = judge(text_of(spec_of(seed)), effort=effort_of(seed))
    assert outcome.kind in (OK, REFUSED), outcome.detail


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11])
def test_specs_mean_what_they_say(seed: int) -> None:
    outcome = judge(text_of(spec_of(seed)), effort=effort_of(seed))
    assert outcome.kind in (OK, REFUSED), outcome.detail


def test_what_goes_wrong_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    right = "name: Net\ninputs: {x: 'float[B, 4]'}\nlayers:\n  a: tanh\n  b: relu\n"
    assert judge(right).kind == OK
    refused = judge(right.replace("relu", "rleu"))
    assert (refused.kind, refused.cause) == (REFUSED, "unknown-op")

    def other(program: Program) -> str:
        return found(program).replace("torch.tanh(x)", "torch.sin(x)")

    found = vars(Program)["python"].func
    with monkeypatch.context() as patch:
        patch.setattr(Program, "python", property(other))
        assert judge(right).kind == DIFFERENCE
    monkeypatch.setitem(COMMANDS, "summary", lambda program, path: 1 // 0)
    raised = judge(right)
    assert (raised.kind, raised.cause.split()[:2]) == (
        EXCEPTION,
        ["summary:", "ZeroDivisionError"],
    )


def test_many_seeds_try_everything() -> None:
    efforts = [effort_of(seed) for seed in range(LINES * COMPILED)]
    assert sum(one.lines for one in efforts) == COMPILED
    assert {(one.lines, one.offset) for one in efforts} == {
        (lines, offset) for lines in (True, False) for offset in range(COMPILED)
    }


def test_little_effort_finds_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "name: Net\ninputs: {x: 'float[B, 4]'}\nlayers:\n  a: tanh\n"
    quick = Effort(lines=False, compile_every=COMPILED)
    assert judge(text, effort=quick).kind == OK
    monkeypatch.setattr(Program, "diagram", lambda program: 1 // 0)
    raised = judge(text, effort=quick)
    assert (raised.kind, raised.cause.split()[0]) == (EXCEPTION, "diagram:")


def test_what_goes_wrong_is_made_small() -> None:
    spec = {
        "name": "Net",
        "params": {"n": 7, "m": 3},
        "inputs": {"x": "float[B, 4]"},
        "layers": {
            "a": {"op": "linear", "out_features": 9},
            "b": {"op": "sort", "in": ["a"]},
            "c": {"op": "relu", "in": "b"},
            "d": {"op": "add", "in": ["c", "a"]},
        },
    }
    found = shrink(spec, lambda tree: "'relu'" in str(tree))
    assert found == {"name": "Net", "layers": {"c": {"op": "relu"}}}


def test_every_planted_fault_has_its_place() -> None:
    """What `make planted` plants; a change to lowering may move it."""
    planted = faults()
    assert len(planted) >= 60
    for fault in planted:
        assert fault.planted()
