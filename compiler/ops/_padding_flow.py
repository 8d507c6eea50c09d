"""What padding reads: other places of the axis that it pads."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.op.combine_flows import all_of, element, plus, windowed
from compiler.op.dependence import Along
from compiler.op.flow import Flow, FlowCall
from compiler.op.flow_rules import window_memory
from compiler.symbolic.dims import Dim


def padded(call: FlowCall, mode: str, ends: Sequence[Dim]) -> Flow:
    """The input, padded by these numbers at both ends of its last axes, from the last one on."""
    flow, kind = call.operand("input")
    memory = None
    lost = []
    for n in range(len(ends) // 2):
        axis, old = kind.rank - 1 - n, flow.axes[kind.rank - 1 - n]
        before, after = (call.number(end) or 0 for end in ends[2 * n : 2 * n + 2])
        if old is None or not (before or after):
            continue
        reason = f"{mode} padding reads other places of T"
        if mode in ("reflect", "circular"):
            lost.append(all_of(old, reason))
        elif mode == "replicate":
            lost.append(
                element(old, 0) if isinstance(old, Along) else all_of(old, reason)
            )
        end = after if mode == "replicate" else 0
        memory = window_memory(flow, kind, axis, -before) or memory
        flow = windowed(flow, axis, -before - end, -before)
    return Flow((plus(flow, *lost),), memory)
