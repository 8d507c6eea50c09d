"""Lists of tensors as code: `*features` where an op takes a list, else its items one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from compiler.codegen.python import Expr, Starred
from compiler.elaborate.targets import is_item
from compiler.ir.graph import Ref, Scope
from compiler.ir.typed import TypedNode
from compiler.lower.class_plan import ClassPlan, refs_of


def with_lists(
    typed: TypedNode,
    refs: tuple[Ref, ...],
    value: Callable[[Ref], Expr],
    whole: Callable[[str, str], Expr],
) -> tuple[Expr, ...]:
    """What a layer takes at a port that takes many.

    Args:
        value: the code of one value.
        whole: the code of a list, by its layer and its name.
    """
    listed = takes_lists(typed)
    return tuple(
        Starred(whole(ref.node, item[0]))
        if listed and ref.of_list and (item := ref.item) is not None
        else value(ref)
        for ref in refs
        if not (listed and ref.of_list and ref.item and ref.item[1] > 0)
    )


def takes_lists(typed: TypedNode) -> bool:
    """Whether the code of a layer takes lists of any length.

    That of a repeated one does not: what goes from copy to copy is one tensor in the place of the first.
    """
    target = typed.target
    if isinstance(target, Scope) or typed.node.layer.repeat is not None:
        return False
    return target.takes_lists


class ListReads:
    """The lists of each layer of a class that something reads, and how many items must be there."""

    def __init__(self, plan: ClassPlan) -> None:
        self._of: dict[str, dict[str, int]] = {}
        self._plain: set[tuple[str, str]] = set()
        live = plan.live()
        for name in live & plan.layers.keys():
            self._layer(plan, plan.layers[name])
        for ref in plan.scope.outputs.values():
            self._item(plan, ref)

    def of(self, layer: str) -> Mapping[str, int]:
        """The lists of a layer that are read, each with the least number of its items."""
        return self._of.get(layer, {})

    def plain(self, layer: str, port: str) -> bool:
        """Whether something reads an output of a layer, by its name or as the only one."""
        return (layer, port) in self._plain or (layer, "") in self._plain

    def _layer(self, plan: ClassPlan, typed: TypedNode) -> None:
        for _, ref in refs_of(typed):
            if not ref.of_list:
                self._item(plan, ref)
        for value in typed.inputs.values():
            refs = value if isinstance(value, tuple) else (value,)
            lists = [one for ref in refs if (one := _begun(ref)) is not None]
            others = sum(not ref.of_list for ref in refs) + len(lists) - 1
            for layer, name in lists:  # of which each has an item at least
                self._read(layer, name, max(_least(typed) - others, 1))

    def _item(self, plan: ClassPlan, ref: Ref) -> None:
        self._plain.add((ref.node, ref.port))
        node, item = plan.scope.nodes.get(ref.node), ref.item
        if node is not None and item is not None and is_item(node, ref):
            self._read(ref.node, item[0], item[1] + 1)

    def _read(self, layer: str, name: str, least: int) -> None:
        known = self._of.setdefault(layer, {})
        known[name] = max(known.get(name, 1), least)


def _least(typed: TypedNode) -> int:
    """How many values a layer needs at a port that takes many."""
    return 1 if isinstance(typed.target, Scope) else typed.target.least_inputs


def _begun(ref: Ref) -> tuple[str, str] | None:
    """The layer and the name of a list that is read as a whole, told by its first item."""
    first = ref.of_list and ref.item is not None and ref.item[1] == 0
    return (ref.node, ref.item[0]) if first and ref.item else None
