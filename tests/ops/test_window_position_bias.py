from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.ops.coverage import each
from tests.ops.harness import check


@each("window_position_bias")
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_window_position_bias(op: str, heads: int, height: int, width: int) -> None:
    check(op, {"num_heads": heads, "height": height, "width": width}, {})


def test_window_position_bias_as_code() -> None:
    arguments = {"num_heads": 3, "height": 7, "width": 7}
    found = check("window_position_bias", arguments, {})
    assert found.construct == "WindowPositionBias(3, 7, 7)"
    assert found.forward == ["return self.layer()"]
