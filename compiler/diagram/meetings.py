"""Where the networks of a file meet: what one gives, another takes, as a discriminator what a generator draws."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.diagram.boxes import BoxBuilder
from compiler.diagram.drawing import Edge
from compiler.diagram.views import ScopeView
from compiler.ir.graph import Ref
from compiler.symbolic.tensor import TensorType


def meeting_edges(builder: BoxBuilder, roots: Sequence[ScopeView]) -> list[Edge]:
    """An edge from an output of a network to an input of a later one that takes such values.

    The two have one name and as many dimensions of one dtype, or the input is the first of its network, and of the same
    type. Nothing in a spec says so: how networks are run together is up to their task.
    """
    found = []
    for at, later in enumerate(roots):
        for number, name in enumerate(later.scope.inputs):
            for earlier in reversed(roots[:at]):
                output = _source(earlier, later, name, first=number == 0)
                if output:
                    source, target = (
                        builder.outputs[earlier, output],
                        builder.ids[later, name],
                    )
                    found.append(Edge(source, target, kind="meet"))
                    break
    return list(dict.fromkeys(found))


def _source(earlier: ScopeView, later: ScopeView, name: str, *, first: bool) -> str:
    """The output of a network that an input of a later one takes; "" if there is none."""
    taken = _type(later, Ref(name))
    if taken is None:
        return ""
    for output, ref in earlier.scope.outputs.items():
        given = _type(earlier, ref)
        if given is None or (given.kind, given.rank) != (taken.kind, taken.rank):
            continue
        if output == name or (first and _sizes(earlier, given) == _sizes(later, taken)):
            return output
    return ""


def _type(view: ScopeView, ref: Ref) -> TensorType | None:
    return next((one.type_of(ref) for one in view.instances), None)


def _sizes(view: ScopeView, type: TensorType) -> list[str]:
    """The sizes of a type, with params as numbers and symbols by name."""
    return [
        str(one.context.value(size)) for one in view.instances for size in type.shape
    ]
