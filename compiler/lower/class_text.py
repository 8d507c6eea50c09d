"""The text of the code of a class: each value, member, param and condition as its methods call it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from compiler.codegen.expression_layout import flat
from compiler.codegen.namespace import Namespace
from compiler.codegen.python import (
    Compare,
    Conditional,
    Expr,
    Literal,
    Name,
    Placeholder,
    TupleExpr,
)
from compiler.codegen.traversal import mapped, placeholders
from compiler.ir.module import (
    Capacity,
    LayerState,
    Let,
    Local,
    Member,
    Offset,
    ScopeName,
    defined,
    reads,
)
from compiler.language.identifiers import MODULE_ATTRIBUTES
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_steps import METHODS, ClassNames, Steps
from compiler.lower.member_code import holds_numbers, is_there, member
from compiler.lower.name_conditions import Flag
from compiler.lower.names import UNUSED, Names, name_values
from compiler.lower.shape_names import ShapeNames
from compiler.lower.sizes import Kept
from compiler.lower.state_types import CAPACITY, either, layer_state
from compiler.lower.static_types import is_tensor
from compiler.symbolic.tensor import TensorType

_DICTIONARY_ATTRIBUTES = frozenset(
    ["clear", "items", "keys", "pop", "update", "values"]
)
"""The attributes that nn.ModuleDict has beside those of nn.Module."""


class ClassText:
    """Writes expressions of one class, and says how wide they are.

    `asked` are the params that its methods ask for beside `forward`, `conditions` the layers whose conditions it keeps.
    """

    def __init__(
        self,
        ir: ClassIR,
        steps: Steps | None,
        asked: Iterable[str],
        conditions: Iterable[str],
    ) -> None:
        self.plan, self.steps, self.own = ir.plan, steps, ir.steps
        self.outputs = ir.body.outputs
        self.names: Names = name_values(ir)
        self.shapes = ShapeNames(ir.plan)
        taken = {*MODULE_ATTRIBUTES, *ir.plan.scope.nodes}
        taken |= _DICTIONARY_ATTRIBUTES if holds_numbers(ir) else frozenset()
        attributes = Namespace(taken if self.own is None else taken | METHODS)
        names = _kept(ir) | {n: None for n in asked if n not in ir.plan.fixed}
        self.kept = {name: attributes.fresh(name.lower()) for name in names}
        self.flags = {layer: attributes.fresh(f"has_{layer}") for layer in conditions}

    def code(self, code: Expr) -> Expr:
        """An expression with its holes filled."""
        match code:
            case Conditional(
                Compare("is not", test, Literal(None)), value, Literal(None)
            ) if test == value and isinstance(held := self.code(value), Name):
                return held  # a tensor of its own, or none
            case Compare("is not", Placeholder(Member(layer)), Literal(None)):
                return is_there(self.plan, layer)
            case Placeholder(key):
                return self.fill(key)
        return mapped(code, self.code)

    def fill(self, key: Hashable) -> Expr:
        """What stands for a hole of an expression."""
        match key:
            case Local():
                return Name(self.names[key])
            case Member(layer):
                return member(self.plan, layer)
            case Kept(name):
                return Name(f"self.{self.kept[name]}")
            case Flag(layer):
                return Name(f"self.{self.flags[layer]}")
            case ScopeName(name):
                return Name(name)
            case LayerState() if self.own is not None and self.steps is not None:
                return layer_state(self.own, self.steps, key)
            case Offset() if self.own is not None:
                return Name(self.own.offset_argument)
            case ClassNames(plans):
                return either(Name(plan.name) for plan in plans)
            case Capacity():
                return Name(CAPACITY)
        raise AssertionError(key)

    def told(self, let: Let) -> str:
        """The shapes of what a statement computes, without what nobody needs; of the last copy where they vary."""
        values, kinds = list(defined(let.target)), list(let.kinds)
        if len(values) == len(kinds) > 1:
            pairs = zip(let.kinds, values, strict=True)
            kinds = [kind for kind, value in pairs if self.names[value] != UNUSED]
        shapes = self.comment(kinds or let.kinds)
        return f"finally {shapes}" if let.varies else shapes

    def comment(self, kinds: Sequence[TensorType]) -> str:
        """The shapes of what a line computes."""
        shapes = [self.shapes.shape(kind.shape) for kind in kinds]
        if len(shapes) > 1 and len(set(shapes)) == 1:
            return f"{len(shapes)} of {shapes[0]}"
        return ", ".join(shapes)

    def assigned(self, target: Expr) -> Expr:
        """What a statement assigns to."""
        return _collapsed(self.code(target))

    # How wide a statement is.

    def line(self, let: Let) -> int:
        """The columns of a statement on one line, with its comment, and its type where `forward` returns it."""
        value = self.code(let.value)
        start = self.target(let) + len(" = ")
        if let.target in self.outputs:
            typed = is_tensor(value, set())
            start = len("return ") if typed else start + len(": Tensor")
        return start + len(flat(value)) + len(f"  # {self.told(let)}")

    def value(self, let: Let) -> int:
        """The columns of what a statement assigns."""
        return len(flat(self.code(let.value)))

    def target(self, let: Let) -> int:
        """The columns of what a statement assigns to."""
        if isinstance(let.target, Placeholder) and isinstance(let.target.key, Local):
            return len(self.names[let.target.key])
        target = self.assigned(let.target)
        brackets = len("()") if isinstance(target, TupleExpr) else 0
        return len(flat(target)) - brackets


def _kept(ir: ClassIR) -> dict[str, None]:
    """The params that `forward` uses, in the order in which it asks for them."""
    before = () if ir.before is None else ir.before.statements
    statements = (*before, *ir.body.statements)
    keys = [key for statement in statements for key in reads(statement)]
    keys += [key for code in ir.initial.values() for key in placeholders(code)]
    keys += [] if ir.limit is None else placeholders(ir.limit)
    read = dict.fromkeys(key.name for key in keys if isinstance(key, Kept))
    ordered = [name for name in ir.touched if name in read] + list(read)
    return dict.fromkeys(ordered)


def _collapsed(target: Expr) -> Expr:
    """A target in which a group of which nobody needs anything is one `_`."""
    if not isinstance(target, TupleExpr):
        return target
    items = tuple(map(_collapsed, target.items))
    return TupleExpr(
        tuple(
            Name(UNUSED)
            if isinstance(item, TupleExpr) and set(item.items) == {Name(UNUSED)}
            else item
            for item in items
        )
    )
