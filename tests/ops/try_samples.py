"""One sample through the compiler in every form: equal numbers, a refusal with its reason, or a failure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from compiler.diagnostics.diagnostic import SpecError
from compiler.op.registry import ops
from tests.ops.one_layer_spec import (
    Written,
    forms,
    network_of,
    program_of,
    spec_of,
)
from tests.ops.torch_samples import SEED, Sample

OUTPUTS = {
    "max_pool": ("output", "indices"),
    "fractional_max": ("output", "indices"),
    "adaptive_max": ("output", "indices"),
    "multihead": ("output", "weights"),
    "adaptive_log": ("output", "loss"),
}


@dataclass(frozen=True)
class Outcome:
    """What came of a sample in one form; `reason` says why it was refused, `failure` what went wrong."""

    form: str
    reason: str = ""
    failure: str = ""
    spec: str = ""

    @property
    def is_equal(self) -> bool:
        """Whether the numbers are torch's."""
        return not self.reason and not self.failure


def outcomes(sample: Sample) -> Iterator[Outcome]:
    """The sample in place, in the other forms of its arguments, and with symbolic sizes."""
    written = list(forms(ops()[sample.op], sample.arguments))
    for one in written:
        yield _outcome(sample, one, symbolic=False)
    yield _outcome(sample, written[0], symbolic=True)


def _outcome(sample: Sample, written: Written, symbolic: bool) -> Outcome:
    form = "symbolic sizes" if symbolic else written.form
    spec = ""
    try:
        spec = spec_of(
            sample.op, written, sample.inputs, _outputs(sample), symbolic=symbolic
        )
        program = program_of(spec)
    except SpecError as error:
        first = next(one for one in error.diagnostics if one.severity == "error")
        return Outcome(
            form, reason=f"{first.code}: {_general(first.message)}", spec=spec
        )
    except Exception as error:  # noqa: BLE001 - every other exception is a finding
        return Outcome(form, failure=f"{type(error).__name__}: {error}", spec=spec)
    try:
        _compare(sample, program)
    except Exception as error:  # noqa: BLE001 - every exception is a finding
        return Outcome(form, failure=f"{type(error).__name__}: {error}", spec=spec)
    return Outcome(form, spec=spec)


def _compare(sample: Sample, program: Any) -> None:
    network = network_of(program).eval()
    if sample.state:
        network.load_state_dict({f"layer.{k}": v for k, v in sample.state.items()})
    torch.manual_seed(SEED)
    with torch.no_grad():
        found = network(*_flat(sample))
    got = [found] if isinstance(found, Tensor) else list(found)
    expected = list(sample.expected)[: len(got)]
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6, equal_nan=True)


def _flat(sample: Sample) -> list[Tensor]:
    values = (v if isinstance(v, tuple) else (v,) for v in sample.inputs.values())
    return [one for value in values for one in value]


def _outputs(sample: Sample) -> list[str]:
    op, count = ops()[sample.op], len(sample.expected)
    if op.outputs is not None:
        return list(op.outputs[:count])
    for start, names in OUTPUTS.items():
        if start in op.name:
            return list(names[:count])
    return [str(k) for k in range(count)]


def _general(message: str) -> str:
    """A message without the numbers of one sample."""
    text = re.sub(r"\[[^\]]*\]", "[...]", message)
    text = re.sub(r"-?\b(D?\d+(\.\d+)?(e[-+]?\d+)?|inf|nan)\b", "N", text)
    return re.sub(r"\bN( [-+*/]+ N)+\b", "N", text)


def runs(sample: Sample) -> None:
    """Run a layer that the compiler takes, whatever its numbers.

    Raises:
        AssertionError: with the spec, where it is taken and does not run.
    """
    count = _outputs(sample)
    written = Written("in place", sample.arguments)
    spec = spec_of(sample.op, written, sample.inputs, count)
    try:
        program = program_of(spec)
    except SpecError:
        return
    try:
        network_of(program).eval()(*_flat(sample))
    except RuntimeError as error:
        raise AssertionError(f"{error}\n{spec}") from error
