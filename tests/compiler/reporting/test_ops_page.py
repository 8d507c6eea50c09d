"""The reference of the ops: docs/ops.md is what the registry says."""

from compiler.op.arg_docs import takes
from compiler.op.as_yaml import as_yaml
from compiler.op.op import arguments
from compiler.op.op_docs import reference
from compiler.op.registry import ops
from compiler.reporting.ops_page import PAGE, ops_page
from compiler.symbolic.dims import Dim


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == ops_page(), "run `make docs`"


def test_every_op_has_a_reference() -> None:
    found = {one.name: one for one in reference()}
    assert found.keys() == ops().keys()
    assert all(one.summary for one in found.values())


def described(op: str) -> dict[str, str]:
    return {key: takes(kind) for key, (kind, _) in arguments(ops()[op]).items()}


def test_arguments_in_words() -> None:
    assert described("conv2d") == {
        "out_channels": "an integer of at least 1",
        "kernel_size": "an integer of at least 1, or a list of integers",
        "stride": "an integer of at least 1, or a list of integers",
        "padding": "an integer of at least 0, or a list of integers or same or valid",
        "dilation": "an integer of at least 1, or a list of integers",
        "groups": "an integer of at least 1",
        "bias": "true or false",
        "padding_mode": "zeros, reflect, replicate or circular",
    }
    assert described("dropout")["p"] == "a number from 0 to 1"
    assert described("rearrange")["sizes"] == (
        "a mapping from names to integers (symbols too)"
    )


def test_defaults_as_yaml() -> None:
    values = [(Dim.of(1),), (-2, -1), None, True, 1e-05, {}]
    words = ["1", "[-2, -1]", "null", "true", "1e-05", "{}"]
    assert list(map(as_yaml, values)) == words
