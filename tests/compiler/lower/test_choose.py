"""The classes of layers that are one thing or another."""

from pathlib import Path

from compiler.pipeline import compile_spec

FITS_ONE_RANK = """\
name: Net
params: {n: 3, flat: true}
inputs: {x: "float[B, T, 4]"}
layers:
  fc: {choose: [{when: n % 2 == 0, op: tanh}, {when: flat, op: AnyRank}, {op: OneRank}]}
  used: {op: Scaled, "on": flat}
blocks:
  AnyRank: {inputs: {x: "float[..., D]"}, layers: {fc: {op: linear, out_features: D}}}
  OneRank: {inputs: {x: "float[N, D]"}, layers: {fc: {op: linear, out_features: D}}}
  Scaled: {params: {"on": bool}, inputs: {x: "float[..., D]"}, layers: {fc: {op: linear, out_features: D, when: "on"}}}
"""


def test_a_flag_that_chooses_what_does_not_compile_is_no_argument(
    tmp_path: Path,
) -> None:
    assert "for flat = True" in _python(FITS_ONE_RANK, tmp_path)


OF_COPIES = """\
name: Net
params: {n: 2}
inputs: {x: "float[B, 4]"}
layers:
  copies:
    repeat: n
    layers:
      even: {op: tanh, when: i % 2 == 0}
      fc: {choose: [{when: i == 1, op: linear, out_features: 4, bias: false}, {op: linear, out_features: 4}]}
"""


def test_copies_are_chosen_by_the_condition_that_is_written(tmp_path: Path) -> None:
    """For two copies `i % 2 == 0` holds for one class and not for the other, too."""
    assert " if i == 1 else " in _python(OF_COPIES, tmp_path)


BY_AN_ARGUMENT = """\
name: Net
params: {n: 6}
inputs: {x: "float[B, 4]"}
layers: {copies: {op: Layer, first: i % 3 == 1, last: i == 4, repeat: n}}
blocks:
  Layer:
    params: {first: bool, last: bool}
    inputs: {x: "float[..., D]"}
    layers:
      fc: {choose: [{when: first, op: A}, {op: B}]}
      act: {choose: [{when: last, op: tanh}, {op: relu}]}
  A: {inputs: {x: "float[..., D]"}, layers: {fc: {op: linear, out_features: D}}}
  B: {inputs: {x: "float[..., D]"}, layers: {norm: layer_norm, fc: {op: linear, out_features: D}}}
"""


def test_blocks_that_are_called_alike_share_a_class(tmp_path: Path) -> None:
    python = _python(BY_AN_ARGUMENT, tmp_path)
    assert "self.fc = A(d) if first else B(d)" in python
    assert " if i == 4 else " in python


def _python(text: str, folder: Path) -> str:
    file = folder / "net.yaml"
    file.write_text(text)
    return compile_spec(file).python
