"""`check` refuses a step that no module can have, as `build` does."""

from pathlib import Path

import pytest

from compiler import SpecError
from compiler.lower.class_steps import METHODS
from compiler.lower.merge_classes import Merger
from compiler.pipeline import check_spec, compile_spec
from compiler.program import Program
from runtime.load import load_program
from runtime.verify import verify

SPEC = """\
name: Net
inputs: {x: "float[B, T, 4]"}
step: T
layers: {evens: {op: slice, dim: 1, step: 2}, fc: {op: linear, out_features: 4}}
outputs: {y: fc}
"""


def test_a_layer_that_cannot_go_on_from_a_state(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(SPEC)
    program = compile_spec(file)
    (one,) = program.check()
    assert (one.code, one.path) == ("no-code", "Net.evens")
    with pytest.raises(SpecError) as raised:
        len(program.python)
    assert raised.value.diagnostics == (one,)


OF_SIZES = """\
name: Net
inputs: {x: "float[B, T, 4]", m: "float[B, S, 4]"}
step: T
layers:
  keys: {op: linear, out_features: 4, in: m}
  one: {op: parameter, shape: [1, 1], value: 1.0}
  table: {op: expand, shape: [T, T], in: one}
  diagonal: diagonal
  column: {op: unsqueeze, dim: 1}
  sum: {op: add, in: [x, column]}
  read: {op: attention, num_heads: 2, in: [sum, keys, keys]}
outputs: {y: read}
"""


def test_what_is_known_before_the_first_piece_needs_no_size_of_all(
    tmp_path: Path,
) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(OF_SIZES)
    (one,) = compile_spec(file).check()
    assert (one.code, one.path) == ("no-code", "Net.table")
    assert "T grows with every piece" in one.message
    file.write_text(OF_SIZES.replace("step: T\n", ""))
    assert compile_spec(file).check() == ()


OF_TWO_SIZES = """\
name: Net
inputs: {x: "float[B, T, 4]", m: "float[B, 4]?"}
step: {T: [x]}
layers:
  none: {op: parameter, shape: [1, 4], when: not given(m), else: null}
  known: {op: linear, out_features: 4, in: m, when: given(m), else: none}
  wide: {op: unsqueeze, dim: 1}
  table: {op: expand, shape: [B, T, 4]}
  sum: {op: add, in: [x, table]}
outputs: {y: sum}
"""


def test_of_two_sizes_that_are_needed_too_early_the_one_that_grows_is_named(
    tmp_path: Path,
) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(OF_TWO_SIZES)
    (one,) = compile_spec(file).check()
    assert (one.code, one.path) == ("no-code", "Net.table")
    assert "T grows with every piece" in one.message


VARIANTS = {
    "by a number": """\
params: {dim: 2}
variants: {small: {dim: 2}, late: {dim: 1}}
layers: {evens: {op: slice, dim: dim, step: 2}, fc: {op: linear, out_features: 4}}
""",
    "by a condition": """\
params: {late: false}
variants: {small: {late: false}, late: {late: true}}
layers:
  fc: {op: linear, out_features: 4}
  read: {op: Read, when: late}
blocks:
  Read:
    inputs: {x: "float[B, T, D]"}
    layers:
      read: {op: attention, num_heads: 1, is_causal: true, need_weights: true, in: [x, x, x]}
    outputs: {y: read}
""",
    "by the layer": """\
params: {kind: {type: op, default: relu}}
variants: {small: {kind: gelu}, late: {kind: flip}}
layers: {fc: {op: linear, out_features: 4}, sum: {op: $kind}}
""",
    "by the last of its copies": """\
params: {dims: [2]}
variants: {small: {dims: [2, 2]}, late: {dims: [2, 1]}}
layers:
  evens: {op: Evens, dim: "dims[i]", repeat: len(dims)}
blocks:
  Evens:
    params: {dim: int}
    inputs: {x: "float[B, T, D]"}
    layers: {evens: {op: slice, dim: dim, step: 2}}
""",
}
_HEAD = 'name: Net\ninputs: {x: "float[B, T, 4]"}\nstep: T\n'


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_that_has_no_step_is_found(name: str, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(_HEAD + VARIANTS[name])
    alone = compile_spec(file, variant="late", strict=False).check()
    assert alone, "the variant is wrong alone"
    found = check_spec(file)
    assert [(one.code, one.path, one.span) for one in found] == [
        (one.code, one.path, one.span) for one in alone
    ]
    assert all(one.message.startswith("in the variant late, ") for one in found)


def test_variants_that_differ_in_numbers_are_lowered_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    merged = Merger.merged
    monkeypatch.setattr(
        Merger, "merged", lambda self: [made.append(self), merged(self)][1]
    )
    assert check_spec(Path("specs/gpt2.yaml")) == ()
    assert len(made) == 1


@pytest.mark.parametrize("spec", ["gpt2", "gemma2", "t5_small", "mamba_130m"])
def test_variants_that_are_not_lowered_are_right_alone(spec: str) -> None:
    file = Path(f"specs/{spec}.yaml")
    base = compile_spec(file)
    for variant in base.typed.graph.spec.variants:
        program: Program = compile_spec(file, variant=variant)
        assert program.check_beside(base) == program.check() == ()


NAMED = """\
name: Net
inputs: {memory: "float[B, S, 4]", x: "float[B, M, 4]"}
step: {M: [x]}
layers:
  keys: {op: linear, out_features: 4, in: memory}
  recur: {op: gru, hidden_size: 4, in: x}
  attend: {op: attention, num_heads: 1, in: [recur, keys, keys]}
  more: {op: Inner, in: [attend, memory]}
outputs: {y: more}
blocks:
  Inner:
    inputs: {x: "float[B, M, D]", memory: "float[B, S, D]"}
    layers:
      keys: {op: linear, out_features: D, in: memory}
      inner: {op: gru, hidden_size: D, in: x}
      attend: {op: attention, num_heads: 1, in: [inner, keys, keys]}
"""


@pytest.mark.parametrize(
    ("layer", "name"),
    [(layer, name) for layer in ("recur", "inner") for name in sorted(METHODS)],
)
def test_a_layer_is_called_as_no_method_that_its_class_has(
    layer: str, name: str, tmp_path: Path
) -> None:
    text = NAMED.replace(f"{layer}:", f"{name}:").replace(f"[{layer},", f"[{name},")
    file = tmp_path / "net.yaml"
    file.write_text(text.replace("step: {M: [x]}\n", ""))
    assert compile_spec(file).check() == ()
    file.write_text(text)
    program = compile_spec(file)
    if layer == "inner" and name in ("decode", "step"):  # methods of networks alone
        assert program.check() == ()
        assert not verify(program).problems
        return
    (one,) = program.check()
    assert one.code == "no-code"
    assert one.path.endswith(f".{name}")
    assert f"{name}_1 would do" in one.message


def test_a_number_that_pieces_need_does_not_take_the_name_of_a_method(
    tmp_path: Path,
) -> None:
    file = tmp_path / "net.yaml"
    power = "  power: {op: pow, exponent: step, in: more}\noutputs: {y: power}\n"
    text = NAMED.replace("name: Net\n", "name: Net\nparams: {step: 2.0}\n")
    file.write_text(text.replace("outputs: {y: more}\n", power))
    program = compile_spec(file)
    assert not verify(program).problems
    (network,) = load_program(program).values()
    assert callable(network(step=3.0).step)
