"""The number of copies is an argument only where classes hold for any number of them, not for one more alone."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch

from compiler import compile_spec
from runtime.interpret import Interpreter
from runtime.load import load_program
from runtime.verify import verify

ACTIVATIONS = "act: {choose: [{when: first, op: relu}, {op: tanh}]}"
TWO = f"{ACTIVATIONS}, more: {{choose: [{{when: second, op: sigmoid}}, {{op: softmax, dim: -1}}]}}"


def _spec(arguments: str, layers: str, params: str = "n: 6") -> str:
    return (
        f"name: Net\nparams: {{{params}}}\ninputs: {{x: 'float[B, 8]'}}\n"
        f"layers: {{copies: {{op: Blk, {arguments}, repeat: n}}}}\n"
        "blocks: {Blk: {params: {first: bool, second: false}, inputs: {x: 'float[B, D]'},"
        f" layers: {{fc: {{op: linear, out_features: D}}, {layers}}}}}}}\n"
    )


FREE = {
    "a remainder": _spec("first: i % 3 == 1", ACTIVATIONS),
    "a remainder of a quotient": _spec("first: i // 2 % 2 == 1", ACTIVATIONS),
    "the first copies": _spec("first: i < 2", ACTIVATIONS),
    "the last copy": _spec("first: i == n - 1", ACTIVATIONS),
    "no copy at all": _spec("first: i % 2 == 0", ACTIVATIONS, "n: 0"),
    "two layers, in all combinations": _spec(
        "first: i % 2 == 0, second: i % 3 == 0", TWO
    ),
    "two layers, in all combinations that there are": _spec(
        "first: i % 4 == 1, second: i % 2 == 0", TWO
    ),
}

FIXED = {
    "a copy far away": _spec("first: i == 10", ACTIVATIONS),
    "a remainder that no copy has yet": _spec("first: i % 9 == 7", ACTIVATIONS),
    "a combination that no copy has yet": _spec(
        "first: i % 4 == 0, second: i % 5 == 0", TWO, "n: 4"
    ),
    "a combination that comes after both conditions have settled": _spec(
        "first: i == 1, second: i % 2 == 0", TWO, "n: 2"
    ),
    "a number that grows faster": _spec("first: i * i > 30", ACTIVATIONS),
    "no copy at all": _spec("first: i % 9 == 7", ACTIVATIONS, "n: 0"),
}


@pytest.mark.parametrize("case", FREE)
def test_more_copies_are_what_the_spec_says(case: str, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(FREE[case], encoding="utf-8")
    kind = load_program(compile_spec(path))[""]
    for count in (1, 2, 7, 13, 30):
        module = kind(n=count).double().eval()
        meaning = Interpreter(compile_spec(path, settings={"n": count}).typed).train(
            False
        )
        meaning.load_state_dict(module.state_dict())
        x = torch.randn(2, 8, dtype=torch.float64)
        (wanted,) = meaning(x=x).values()
        torch.testing.assert_close(module(x), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", FIXED)
def test_the_number_of_copies_is_fixed(case: str, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(FIXED[case], encoding="utf-8")
    kind = load_program(compile_spec(path))[""]
    assert "n" not in inspect.signature(kind).parameters


GROWS = (
    "name: Net\nparams: {{n: 4}}\ninputs: {{x: 'float[B, 8]'}}\nlayers:\n  copies:\n    repeat: n\n    in: {{one: x}}\n"
    "    layers:\n      more: {{op: concat, dim: -1, in: [one, one], when: {when}, else: one}}\n"
    "      norm: {{op: layer_norm, in: more}}\n"
)
CAUSAL = (
    "name: Net\nparams: {{n: 4}}\ninputs: {{x: 'float[B, T, 8]', mask: 'bool[B, T]?'}}\n"
    "layers: {{a: {{op: Blk, causal: {when}, repeat: n, in: [x, mask]}}}}\n"
    "blocks: {{Blk: {{params: {{causal: bool}}, inputs: {{x: 'float[B, T, D]', mask: 'bool[B, T]?'}}, layers: {{a: "
    "{{op: attention, num_heads: 2, is_causal: causal, in: {{query: x, key: x, value: x, mask: mask}}}}}}}}}}\n"
)


@pytest.mark.parametrize(
    ("spec", "when", "is_free"),
    [
        (GROWS, "i % 9 == 7", False),
        (GROWS, "i < 0", True),
        (CAUSAL, "i % 9 == 7", False),
        (CAUSAL, "i % 2 == 0", True),
        (CAUSAL, "i < 0", True),
    ],
)
def test_a_condition_that_no_copy_has_met_yet_fixes_their_number(
    spec: str, when: str, is_free: bool, tmp_path: Path
) -> None:
    """Where it changes a width, or the code of an op: one more copy, which is tried, proves nothing."""
    path = tmp_path / "net.yaml"
    path.write_text(spec.format(when=when), encoding="utf-8")
    kind = load_program(compile_spec(path))[""]
    assert ("n" in inspect.signature(kind).parameters) is is_free


FOR_SOME_INPUTS = (
    "name: Net\nparams: {n: 3}\ninputs: {x: 'float[B, 8]', mask: 'bool[B]?'}\n"
    "layers: {b: {op: Blk, repeat: n, last: i % 9 == 5, in: [x, mask]}}\n"
    "blocks:\n  Blk:\n    params: {last: bool}\n    inputs: {x: 'float[B, D]', mask: 'bool[B]?'}\n    layers:\n"
    "      wide: {op: concat, dim: -1, in: [x, x], when: given(mask) and not last, else: x}\n"
    "      other: {op: concat, dim: -1, in: [x, x], when: given(mask), else: x}\n"
    "      sum: {op: add, in: [wide, other]}\n"
    "      first: {op: slice, dim: -1, start: 0, stop: D}\n"
)


def test_a_layer_that_some_inputs_turn_off_has_not_met_its_condition(
    tmp_path: Path,
) -> None:
    """Without the mask it is off in each copy; in the sixth `sum` would fail with a mask."""
    path = tmp_path / "net.yaml"
    path.write_text(FOR_SOME_INPUTS, encoding="utf-8")
    kind = load_program(compile_spec(path))[""]
    assert "n" not in inspect.signature(kind).parameters


OF_PARAMS = (
    "name: Net\nparams: {{width: 12, heads: 4}}\ninputs: {{x: 'float[B, width]'}}\nlayers:\n"
    "  more: {{op: concat, dim: -1, in: [x, x], when: {when}, else: x}}\n  norm: {norm}\n"
)


@pytest.mark.parametrize(
    ("when", "norm", "fixed"),
    [
        ("width > 50 * heads", "layer_norm", {"width", "heads"}),
        ("width % 5 == 0", "layer_norm", {"width"}),
        ("width % 5 == 0", "tanh", set()),
    ],
)
def test_params_of_a_condition_that_changes_a_width_are_fixed(
    when: str, norm: str, fixed: set[str], tmp_path: Path
) -> None:
    """Unless the class does not ask for that width: then it holds for both."""
    path = tmp_path / "net.yaml"
    path.write_text(OF_PARAMS.format(when=when, norm=norm), encoding="utf-8")
    kind = load_program(compile_spec(path))[""]
    free = {"width", "heads"} & set(inspect.signature(kind).parameters)
    assert free & fixed == set()


OF_SIZES = (
    "name: Net\nparams: {{width: 8}}\ninputs: {{x: 'float[B, width]'}}\n"
    "layers: {{wide: {{op: linear, out_features: 2 * width}}, b: {{op: Blk, width: {width}}}}}\n"
    "blocks: {{Blk: {{params: {{width: int}}, inputs: {{x: 'float[B, D]'}}, layers:"
    " {{a: {{choose: [{{when: D == width, op: tanh}}, {{op: linear, out_features: width}}]}}}}}}}}\n"
)


@pytest.mark.parametrize(("width", "is_free"), [("width", True), ("width + 6", False)])
def test_a_size_that_chooses_is_fixed_where_another_chooses_otherwise(
    width: str, is_free: bool, tmp_path: Path
) -> None:
    """`2 * width` is never `width`, and is `width + 6` for one width."""
    path = tmp_path / "net.yaml"
    path.write_text(OF_SIZES.format(width=width), encoding="utf-8")
    kind = load_program(compile_spec(path))[""]
    assert ("width" in inspect.signature(kind).parameters) is is_free


def test_a_rule_for_a_tensor_that_another_alternative_has_is_no_error(
    tmp_path: Path,
) -> None:
    path = tmp_path / "net.yaml"
    choose = "{when: first, op: linear, out_features: D}, {op: linear, out_features: D, bias: false}"
    rule = "init: {linear: {bias: zeros}}\n"
    text = _spec("first: i == 1", f"act: {{choose: [{choose}]}}", "n: 1")
    text = text.replace(
        "{op: linear, out_features: D}, act",
        "{op: linear, out_features: D, bias: false}, act",
    )
    path.write_text(text + rule, encoding="utf-8")
    compile_spec(path)


RECURSIVE = (
    "name: Net\nparams: {n: 3}\ninputs: {x: 'float[B, 8]'}\nlayers: {a: {op: Blk, n: n}}\n"
    "blocks: {Blk: {params: {n: int}, inputs: {x: 'float[B, D]'}, layers: {"
    "inner: {op: Blk, n: n - 1, when: n > 0},"
    " more: {op: concat, dim: -1, in: [inner, inner], when: n > 9, else: inner}}}}\n"
)


def test_a_condition_in_a_block_that_builds_itself_is_followed_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(RECURSIVE, encoding="utf-8")
    assert not verify(compile_spec(path)).problems


@pytest.mark.parametrize(("conditions", "is_free"), [(1, True), (3, False)])
def test_conditions_that_lead_to_many_places_are_followed_to_some(
    conditions: int, is_free: bool, tmp_path: Path
) -> None:
    """Each level has two of the next, with other values: 512 values of one param, each negative in no copy."""
    last = 8
    levels = [
        f"  L{n}: {{params: {{k: int}}, inputs: {{x: 'float[B, D]'}}, layers: {{"
        f"a: {{op: L{n + 1}, k: 2 * k}}, b: {{op: L{n + 1}, k: 2 * k + 1}}}}}}"
        for n in range(last)
    ]
    layers = ", ".join(
        f"c{n}: {{op: concat, dim: -1, in: [x, x], when: k < -{n}, else: x}}, n{n}: tanh"
        for n in range(conditions)
    )
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: Net\nparams: {n: 2}\ninputs: {x: 'float[B, 8]'}\n"
        "layers: {a: {op: L0, k: i, repeat: n}}\nblocks:\n"
        + "\n".join(levels)
        + f"\n  L{last}: {{params: {{k: int}}, inputs: {{x: 'float[B, D]'}}, layers: {{{layers}}}}}\n",
        encoding="utf-8",
    )
    kind = load_program(compile_spec(path))[""]
    assert ("n" in inspect.signature(kind).parameters) is is_free


SHORTCUT = (
    "name: Net\nparams: {{width: 8, stride: 2}}\ninputs: {{x: 'float[B, 3, H, H]'}}\n"
    "layers: {{b: {{op: Blk, width: width, stride: stride}}, n: batch_norm2d}}\n"
    "blocks: {{Blk: {{params: {{width: int, stride: int}}, inputs: {{x: 'float[B, C, H, W]'}}, layers: {{"
    "main: {{op: conv2d, out_channels: width, kernel_size: 3, padding: 1, stride: stride, in: x}}, "
    "short: {{op: conv2d, out_channels: width, kernel_size: 1, stride: stride, in: x, when: {when}}}, "
    "s: {{op: add, in: [main, short]}}}}}}}}\n"
)


@pytest.mark.parametrize(
    ("when", "is_free"),
    [
        ("stride != 1 or width != C", True),
        ("not (stride == 1 and width == C)", True),
        ("stride > 1", False),
    ],
)
def test_a_shortcut_that_all_blocks_have_fixes_nothing(
    when: str, is_free: bool, tmp_path: Path
) -> None:
    """Without it `stride` is 1 and `width` is C, so that nothing has another type."""
    path = tmp_path / "net.yaml"
    path.write_text(SHORTCUT.format(when=when), encoding="utf-8")
    kind = load_program(compile_spec(path))[""]
    free = {"width", "stride"} & set(inspect.signature(kind).parameters)
    assert (free == {"width", "stride"}) is is_free


GROWING = (
    "name: Net\nparams: {{width: 4, n: 3, k: 1}}\ninputs: {{x: 'float[B, width]'}}\n"
    "layers: {{copies: {{op: {op}, {argument}: '{size}', repeat: n}}}}\n"
    "blocks: {{Blk: {{params: {{size: int}}, inputs: {{x: 'float[B, D]'}}, "
    "layers: {{a: {{op: linear, out_features: size}}, b: {{op: linear, out_features: {last}}}}}}}}}\n"
)


def _growing(size: str, last: str = "") -> str:
    op, argument = ("Blk", "size") if last else ("linear", "out_features")
    return GROWING.format(op=op, argument=argument, size=size, last=last or "size")


LATER = {
    "from a copy on": _growing("8 if i < 5 else 16"),
    "twice": _growing("8 if i < 5 else 16 if i < 12 else 24"),
    "steadily, from a copy on": _growing("8 + 8 * max(0, i - 5)"),
    "as many copies at a time": _growing("8 + i // 5"),
    "up to a copy": _growing("min(8 * (i + 1), 80)"),
    "by a param": _growing("8 + k * max(0, i - 5)"),
    "of a block": _growing("8 + 8 * max(0, i - 5)", "size"),
    "inside of a block": _growing("8 + 8 * max(0, i - 5)", "D"),
}


@pytest.mark.parametrize("case", LATER)
def test_sizes_that_change_after_the_copies_that_are_compiled(
    case: str, tmp_path: Path
) -> None:
    """Copies are inferred until their sizes have changed, so that the class has no rule of the first ones alone."""
    path = tmp_path / "net.yaml"
    path.write_text(LATER[case], encoding="utf-8")
    kind = load_program(compile_spec(path))[""]
    for count in (1, 9, 20):
        module = kind(n=count).double().eval()
        meaning = Interpreter(compile_spec(path, settings={"n": count}).typed)
        meaning.train(False).load_state_dict(module.state_dict())
        x = torch.randn(2, 4, dtype=torch.float64)
        (wanted,) = meaning(x=x).values()
        torch.testing.assert_close(module(x), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "spec",
    [
        _growing("8 if i < 100 else 16"),
        _growing("8 + 8 * max(0, i - 5)", "2 * size"),
    ],
)
def test_sizes_that_change_by_no_rule_fix_the_number_of_copies(
    spec: str, tmp_path: Path
) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(spec, encoding="utf-8")
    kind = load_program(compile_spec(path))[""]
    assert "n" not in inspect.signature(kind).parameters


def test_equal_copies_after_others_that_grow(tmp_path: Path) -> None:
    """What the growing ones show is no rule for the last ones, though these are one run."""
    path = tmp_path / "net.yaml"
    path.write_text(_growing("min(8 * (i + 1), 40)"), encoding="utf-8")
    assert verify(compile_spec(path, settings={"n": 12})).problems == ()
