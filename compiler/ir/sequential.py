"""Groups written as a list that are a plain chain: an `nn.Sequential`."""

from __future__ import annotations

from compiler.ir.graph import Ref, Scope


def is_chain(scope: Scope) -> bool:
    """Whether each layer of a list has the one before it as its only input, and runs once."""
    previous = next(iter(scope.inputs), "")
    if not scope.chain or len(scope.inputs) != 1:
        return False
    for node in scope.nodes.values():
        refs = [ref for _, ref in node.refs()]
        if (
            not node.layer.sequential
            or len(refs) != 1
            or refs[0] != Ref(previous, "", refs[0].path)
        ):
            return False
        previous = node.name
    return [ref.node for ref in scope.outputs.values()] == [previous]
