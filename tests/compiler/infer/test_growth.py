"""What copies cost, by counts: equal ones nothing, those that differ in values alone no inference.

Clocks are in `bench/growth.py`; a count says the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.flat import gpt2
from compiler import compile_spec
from compiler.checkpoint.plan import Rules
from compiler.cost.measure import _Measurer
from compiler.diagnostics.diagnostic import SpecError
from compiler.infer import infer_scope
from compiler.infer.infer_scope import ScopeInference
from compiler.infer.value_params import ValueParams
from compiler.ir.print_typed import print_typed
from compiler.lower.validate import _Check
from compiler.pipeline import Program

COPIES = 40
EQUAL, FIRST, EACH = "dropout", "0.0 if i == 0 else dropout", "dropout * i / depth"
SCOPES = 4
"""The network, the block, and two blocks in it."""

Count = Callable[[Any, str], list[None]]


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Count:
    """Counts the calls of a function, by the length of a list."""

    def counted(owner: Any, name: str) -> list[None]:
        calls: list[None] = []
        before = getattr(owner, name)

        def after(*args: Any, **kwargs: Any) -> Any:
            calls.append(None)
            return before(*args, **kwargs)

        monkeypatch.setattr(owner, name, after)
        return calls

    return counted


def compiled(folder: Path, copies: int, dropout: str) -> Program:
    spec = folder / f"gpt2_{copies}.yaml"
    spec.write_text(gpt2(copies, dropout), encoding="utf-8")
    return compile_spec(spec)


@pytest.mark.parametrize("dropout", [EQUAL, FIRST, EACH])
def test_each_scope_is_inferred_once(
    dropout: str, tmp_path: Path, count: Count
) -> None:
    inferred = count(ScopeInference, "run")
    compiled(tmp_path, COPIES, dropout)
    assert len(inferred) == SCOPES


@pytest.mark.parametrize(
    ("dropout", "values"), [(EQUAL, 0), (FIRST, 1), (EACH, COPIES - 1)]
)
def test_other_values_are_rebound(
    dropout: str, values: int, tmp_path: Path, count: Count
) -> None:
    rebound = count(infer_scope, "rebound")
    compiled(tmp_path, COPIES, dropout)
    assert len(rebound) == values


@pytest.mark.parametrize("dropout", [EQUAL, FIRST, EACH])
def test_checkpoint_is_checked_for_one_copy(
    dropout: str, tmp_path: Path, count: Count
) -> None:
    planned = count(Rules, "entry")
    compiled(tmp_path, 1, dropout)
    of_one = len(planned)
    planned.clear()
    compiled(tmp_path, COPIES, dropout)
    assert len(planned) == of_one > 10


@pytest.mark.parametrize("dropout", [EQUAL, FIRST, EACH])
def test_classes_are_written_and_held_against_one_use(
    dropout: str, tmp_path: Path, count: Count
) -> None:
    held = count(_Check, "run")
    assert compiled(tmp_path, COPIES // 2, dropout).python
    of_few = len(held)
    held.clear()
    code = compiled(tmp_path, COPIES, dropout).python
    assert code.count("(nn.Module):") == SCOPES
    assert len(held) == of_few


@pytest.mark.parametrize("dropout", [EQUAL, FIRST, EACH])
def test_each_scope_is_measured_once(
    dropout: str, tmp_path: Path, count: Count
) -> None:
    program = compiled(tmp_path, COPIES, dropout)
    measured = count(_Measurer, "_scope")
    assert program.summary.networks
    assert len(measured) == SCOPES


def everything(spec: Path) -> tuple[str, str]:
    program = compile_spec(spec)
    return print_typed(program.typed), program.python


@pytest.fixture
def no_rebinding(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def begin() -> None:
        monkeypatch.setattr(ValueParams, "of", lambda *_: frozenset())

    return begin


@pytest.mark.parametrize("name", ["efficientnet_b0", "convnext_tiny"])
def test_rebound_instances_are_those_that_inference_finds(
    name: str, no_rebinding: Callable[[], None]
) -> None:
    spec = Path(f"specs/{name}.yaml")
    found = everything(spec)
    no_rebinding()
    assert found == everything(spec)


NESTED = """
name: Net
params: {rate: 0.3, depth: 4}
inputs: {x: "float[B, 8]"}
layers:
  stages: {op: Stage, rate: rate * (i + 1) / 4, repeat: depth}
blocks:
  Stage:
    params: {rate: 0.1}
    inputs: {x: "float[B, D]"}
    layers:
      group:
        layers:
          drop: {op: dropout, p: rate}
          fc: {op: linear, out_features: D, when: D > 4}
      steps: {op: Step, rate: rate, scale: 2.0, repeat: 2}
      off: {op: dropout, p: rate, when: false}
  Step:
    params: {rate: float, scale: float, act: {type: op, default: elu}}
    inputs: {x: "float[B, D]"}
    layers:
      norm: {op: layer_norm, eps: rate / 100}
      act: {op: $act}
      out: tanh
      drop: {op: dropout, p: rate * scale / 2}
"""


def test_blocks_groups_and_layers_that_are_off_are_rebound(
    tmp_path: Path, count: Count, no_rebinding: Callable[[], None]
) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(NESTED, encoding="utf-8")
    inferred = count(ScopeInference, "run")
    compile_spec(spec)
    assert len(inferred) == 4  # the network, a stage, its group, a step
    found = everything(spec)
    no_rebinding()
    inferred.clear()
    compile_spec(spec)
    assert len(inferred) == 13
    assert found == everything(spec)


def test_value_that_is_wrong_in_one_copy_is_reported_where_it_is(
    tmp_path: Path, no_rebinding: Callable[[], None]
) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(NESTED.replace("rate: 0.3", "rate: 2.0"), encoding="utf-8")
    with pytest.raises(SpecError) as found:
        compile_spec(spec)
    no_rebinding()
    with pytest.raises(SpecError) as wanted:
        compile_spec(spec)
    assert found.value.diagnostics == wanted.value.diagnostics
    assert "stages[2]" in str([one.path for one in found.value.diagnostics])


NETWORKS = """
name: Two
init: {linear: {weight: {normal: {std: 0.02}}}}
networks:
  first: {inputs: {x: "float[B, 8]"}, layers: [{op: Net, p: 0.1}]}
  second: {inputs: {x: "float[B, 8]"}, layers: [{op: Net, p: 0.2}]}
blocks:
  Net:
    params: {p: float}
    inputs: {x: "float[B, D]"}
    layers:
      fc: {op: linear, out_features: D, init: {bias: zeros}}
      drop: {op: dropout, p: p}
"""


def test_each_network_starts_the_blocks_that_it_has_with_other_values(
    tmp_path: Path,
) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(NETWORKS, encoding="utf-8")
    code = compile_spec(spec).python
    assert code.count("elif isinstance(module, Net):\n") == 2
