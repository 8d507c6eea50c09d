"""An argument means the same in place, as a param, as an item of a list, as a list of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import SpecError
from compiler.op.registry import ops
from tests.ops.one_layer_spec import Written, forms, network_of, program_of, spec_of

_X = torch.arange(2 * 6 * 8, dtype=torch.float32).reshape(2, 6, 8) / 7 - 5
_IMAGE = torch.arange(3 * 9 * 8, dtype=torch.float32).reshape(1, 3, 9, 8) / 31 - 3
_POOLED, _WHERE = F.max_pool1d(_X, 2, return_indices=True)

CASES: list[tuple[str, dict[str, Any], Tensor, Callable[[Tensor], Any]]] = [
    ("reshape", {"shape": [4, -1]}, _X, lambda x: x.reshape(4, -1)),
    ("reshape", {"shape": [-1]}, _X, lambda x: x.reshape(-1)),
    ("reshape", {"shape": -1}, _X, lambda x: x.reshape(-1)),
    ("unflatten", {"dim": 1, "sizes": [3, -1]}, _X, lambda x: x.unflatten(1, (3, -1))),
    ("unflatten", {"dim": 1, "sizes": [-1]}, _X, lambda x: x.unflatten(1, (-1,))),
    ("expand", {"shape": [5, -1, 6, -1]}, _X, lambda x: x.expand(5, -1, 6, -1)),
    ("repeat", {"repeats": [2, 1, 3]}, _X, lambda x: x.repeat(2, 1, 3)),
    ("tile", {"dims": [3]}, _X, lambda x: x.tile(3)),
    ("split", {"split_size": [1, 3, 2], "dim": 1}, _X, lambda x: x.split([1, 3, 2], 1)),
    ("split", {"split_size": [6], "dim": 1}, _X, lambda x: x.split([6], 1)),
    ("split", {"split_size": 4, "dim": -2}, _X, lambda x: x.split(4, -2)),
    ("split", {"split_size": 9, "dim": 1}, _X, lambda x: x.split(9, 1)),
    ("chunk", {"chunks": 4, "dim": 2}, _X, lambda x: x.chunk(4, 2)),
    ("permute", {"dims": [2, 0, 1]}, _X, lambda x: x.permute(2, 0, 1)),
    ("flip", {"dims": [1]}, _X, lambda x: x.flip(1)),
    ("roll", {"shifts": [1], "dims": [2]}, _X, lambda x: x.roll(1, 2)),
    ("roll", {"shifts": [1, -2], "dims": [2, 1]}, _X, lambda x: x.roll((1, -2), (2, 1))),
    ("mean", {"dim": [0, -1]}, _X, lambda x: x.mean((0, -1))),
    ("mean", {"dim": [1], "keepdim": True}, _X, lambda x: x.mean(1, keepdim=True)),
    ("squeeze", {"dim": [0]}, _IMAGE, lambda x: x.squeeze(0)),
    ("movedim", {"source": [0], "destination": -1}, _X, lambda x: x.movedim(0, -1)),
    ("pad", {"pad": [1, 2], "value": 0.5}, _X, lambda x: F.pad(x, (1, 2), value=0.5)),
    ("zero_pad2d", {"padding": [2]}, _IMAGE, nn.ZeroPad2d(2)),
    ("avg_pool2d", {"kernel_size": [3]}, _IMAGE, nn.AvgPool2d(3)),
    ("max_pool2d", {"kernel_size": [3, 2], "stride": [2]}, _IMAGE, nn.MaxPool2d((3, 2), 2)),
    ("max_pool1d", {"kernel_size": 2, "return_indices": False}, _X, nn.MaxPool1d(2)),
    ("adaptive_avg_pool2d", {"output_size": [2]}, _IMAGE, nn.AdaptiveAvgPool2d(2)),
    ("adaptive_avg_pool2d", {"output_size": [2, 3]}, _IMAGE, nn.AdaptiveAvgPool2d((2, 3))),
    ("interpolate", {"size": [4]}, _IMAGE, lambda x: F.interpolate(x, 4)),
    ("interpolate", {"scale_factor": [2]}, _IMAGE, lambda x: F.interpolate(x, scale_factor=2)),
    ("interpolate", {"scale_factor": [0.5, 2.0]}, _IMAGE, lambda x: F.interpolate(x, scale_factor=(0.5, 2.0))),
    ("unfold", {"kernel_size": [2], "stride": [2, 1]}, _IMAGE, nn.Unfold(2, stride=(2, 1))),
    ("max_unpool1d", {"kernel_size": 2, "output_size": [9]}, _POOLED, lambda x: nn.MaxUnpool1d(2)(x, _WHERE, [9])),
    ("max_unpool1d", {"kernel_size": [2], "output_size": 8}, _POOLED, lambda x: nn.MaxUnpool1d(2)(x, _WHERE, [8])),
]  # fmt: skip


def _others(op: str) -> dict[str, Tensor]:
    return {"indices": _WHERE} if op == "max_unpool1d" else {}


@pytest.mark.parametrize(
    ("op", "given", "x", "torch_does"),
    [pytest.param(*case, id=f"{case[0]}-{case[1]}") for case in CASES],
)
def test_every_form_computes_what_torch_does(
    op: str, given: dict[str, Any], x: Tensor, torch_does: Callable[[Tensor], Any]
) -> None:
    expected = torch_does(x)
    wanted = [expected] if isinstance(expected, Tensor) else list(expected)
    port = ops()[op].inputs[0].name
    inputs = {port: x, **_others(op)}
    names = [str(k) for k in range(len(wanted))]
    for written in forms(ops()[op], given):
        outputs = names if op in ("split", "chunk") else ["output"]
        spec = spec_of(op, written, inputs, outputs)
        found = network_of(program_of(spec))(*inputs.values())
        got = [found] if isinstance(found, Tensor) else list(found)
        torch.testing.assert_close(got, wanted, rtol=0, atol=0, msg=spec)


@pytest.mark.parametrize("padding", [[0, 3], [2], 1, "same"])
def test_padding_of_a_convolution(padding: Any) -> None:
    given = {"out_channels": 4, "kernel_size": [1, 7], "padding": padding}
    found = []
    for written in forms(ops()["conv2d"], given):
        torch.manual_seed(0)
        spec = spec_of("conv2d", written, {"input": _IMAGE}, ["output"])
        found.append(network_of(program_of(spec))(_IMAGE))
    assert len(found) > 1
    assert all(torch.equal(found[0], one) for one in found)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"op": "all", "dim": []}, "constraint"),
        ({"op": "any", "dim": []}, "constraint"),
        ({"op": "batch_norm1d", "eps": 0.0}, "bad-value"),
        ({"op": "batch_norm1d", "eps": -1}, "bad-value"),
        ({"op": "instance_norm1d", "eps": -1}, "bad-value"),
        ({"op": "layer_norm", "eps": -1}, "bad-value"),
        ({"op": "rms_norm", "eps": -1}, "bad-value"),
        ({"op": "group_norm", "num_groups": 2, "eps": -1}, "bad-value"),
        ({"op": "normalize", "eps": -1}, "bad-value"),
        ({"op": "split", "dim": 1, "split_size": 0}, "size-too-small"),
        ({"op": "split", "dim": 1, "split_size": [1, 2]}, "shape-mismatch"),
    ],
)
def test_a_value_that_torch_does_not_take_is_refused_in_every_form(
    given: dict[str, Any], code: str
) -> None:
    op = given["op"]
    rest = {key: value for key, value in given.items() if key != "op"}
    for written in forms(ops()[op], rest):
        spec = spec_of(op, written, {"input": _X}, [])
        with pytest.raises(SpecError) as error:
            program_of(spec)
        assert code in [one.code for one in error.value.diagnostics], spec


def test_a_split_of_a_symbolic_dimension_needs_a_known_number_of_pieces() -> None:
    inputs = {"input": _X}
    written = Written("in place", {"split_size": 2, "dim": 1})
    with pytest.raises(SpecError, match="the dimension's size must be known"):
        program_of(spec_of("split", written, inputs, ["0"], symbolic=True))


def test_negative_indices_count_from_the_end() -> None:
    index = torch.randint(-6, 6, (2, 3, 8))
    inputs = {"input": _X, "indices": index}
    for symbolic in (False, True):
        written = Written("in place", {"dim": 1})
        spec = spec_of("take_along_dim", written, inputs, ["output"], symbolic=symbolic)
        found = network_of(program_of(spec))(_X, index)
        assert torch.equal(found, torch.take_along_dim(_X, index, 1))
