"""The differences between two architectures."""

from pathlib import Path

from compiler import compile_spec
from compiler.diagram.dot import to_dot
from compiler.diff.changes_text import report
from compiler.diff.compare import Change, Changes, compare
from compiler.diff.draw_changes import draw_changes

BEFORE = """
name: Net
params: {width: 8}
dims: {B: {max: 64}}
inputs: {x: "float[B, width]"}
layers:
  a: {op: Cell, hidden: 2 * width, repeat: 2}
  mix:
    layers: [relu, {op: dropout, p: 0.1}]
  b: {op: linear, out_features: 3}
outputs: {y: b}
blocks:
  Cell:
    params: {hidden: int}
    inputs: {x: "float[B, D]"}
    layers:
      up: {op: linear, out_features: hidden}
      down: {op: linear, out_features: D, bias: false}
"""


def differences(folder: Path, *changes: tuple[str, str]) -> Changes:
    after = BEFORE
    for old, new in changes:
        assert old in after
        after = after.replace(old, new)
    for name, text in (("before", BEFORE), ("after", after)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    names = (folder / "before.yaml", folder / "after.yaml")
    return compare(*(compile_spec(name).typed for name in names))


def test_no_difference(tmp_path: Path) -> None:
    found = differences(tmp_path)
    assert found.changes == ()
    assert report(found) == "no differences\n"


def test_step(tmp_path: Path) -> None:
    found = differences(tmp_path, ("dims: {B", "step: B\ndims: {B"))
    assert found.changes == (Change("added", "step", "B", ("all inputs",)),)


def test_params_and_dims(tmp_path: Path) -> None:
    found = differences(
        tmp_path, ("{width: 8}", "{width: 4, depth: 2}"), ("{max: 64}", "{min: 2}")
    )
    assert found.changes[:3] == (
        Change("changed", "params", "width", ("8 -> 4",)),
        Change("added", "params", "depth", ("2",)),
        Change("changed", "dims", "B", ("from 1 to 64 by 1 -> from 2 to any by 1",)),
    )
    assert Change("changed", "inputs of Net", "x", ("float[B, 8] -> float[B, 4]",)) in (
        found.changes
    )


def test_layers_added_removed_and_changed(tmp_path: Path) -> None:
    found = differences(
        tmp_path,
        ("bias: false", "bias: true"),
        ("      up:", "      norm: layer_norm\n      up:"),
        ("p: 0.1", "p: 0.2"),
        ("repeat: 2", "repeat: 3"),
    )
    assert found.changes == (
        Change(
            "changed",
            "Net",
            "a",
            ("repeat: 2 -> 3", "parameters: 544 -> 888"),
        ),
        Change("changed", "Net.mix", "1", ("p: 0.1 -> 0.2",)),
        Change("changed", "Cell", "up", ("in: x -> norm",)),
        Change("changed", "Cell", "down", ("bias: false -> true",)),
        Change("added", "Cell", "norm", ("layer_norm",)),
    )
    sizes = [(size.before, size.after) for size in found.sizes]
    assert sizes[0] == ("571", "915")


def test_blocks(tmp_path: Path) -> None:
    found = differences(tmp_path, ("Cell", "Unit"))
    assert found.changes[:2] == (
        Change("removed", "blocks", "Cell"),
        Change("added", "blocks", "Unit"),
    )
    assert found.changes[2].details == ("op: Cell -> Unit",)


def test_the_text(tmp_path: Path) -> None:
    found = differences(
        tmp_path,
        ("out_features: 3}", "out_features: 4, bias: false}"),
        ("p: 0.1", "p: 0"),
    )
    assert (
        report(found)
        == """\
outputs of Net:
  ~ y: float[B, 3] -> float[B, 4]
Net:
  ~ b
      out_features: 3 -> 4
      type: float[B, 3] -> float[B, 4]
      parameters: 27 -> 32
      bias: none -> false
Net.mix:
  ~ 1: p: 0.1 -> 0
parameters: 571 -> 576 (+5)
FLOPs: 1072 * B -> 1088 * B
activations: 67 * B -> 68 * B
"""
    )


def test_a_network_of_another_name_is_the_same_network(tmp_path: Path) -> None:
    found = differences(
        tmp_path, ("name: Net", "name: Other"), ("features: 3", "features: 4")
    )
    [layer] = [one for one in found.changes if one.name == "b"]
    assert (layer.kind, layer.scope) == ("changed", "Other")


def test_the_drawing_marks_changes(tmp_path: Path) -> None:
    found = differences(
        tmp_path, ("bias: false", "bias: true"), ("  b:", "  new: relu\n  b:")
    )
    after = compile_spec(tmp_path / "after.yaml").typed
    dot = to_dot(draw_changes(after, found))
    for tooltip in ("new is new", "a.down is changed", "b is changed"):
        assert tooltip in dot
    assert "a.up is" not in dot
