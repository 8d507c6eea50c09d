"""Writing one class: what its layers need of `__init__` and of `forward`, gathered while they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from compiler.codegen.namespace import Namespace
from compiler.codegen.python import Binary, Expr, Name, attr, subscript
from compiler.codegen.statements import Assign, Class, Stmt
from compiler.ir.graph import Ref
from compiler.ir.typed import TypedNode, Types
from compiler.language.identifiers import MODULE_ATTRIBUTES
from compiler.language.spec import Spec
from compiler.lower.class_plan import ClassPlan, Key, Plans
from compiler.lower.library_code import LIBRARY_FUNCTIONS
from compiler.lower.shape_names import ShapeNames
from compiler.lower.to_python import Resolve, to_python
from compiler.lower.variables import Variables
from compiler.op.op import Shape
from compiler.symbolic.dims import Dim, exact_div
from compiler.symbolic.evaluate import parse_expression
from compiler.symbolic.tensor import TensorType, is_ellipsis


@dataclass
class Written:
    """A finished class: what its constructor takes (dimensions, then params) and what it stands on."""

    plan: ClassPlan
    dims: tuple[str, ...]
    params: tuple[str, ...]
    names: Mapping[str, str]
    """What its constructor calls each of them."""
    code: Class
    required: frozenset[str] = frozenset()
    """The names of the params that have no default."""
    library: frozenset[str] = frozenset()
    resets: bool = False
    """Whether it has a `reset_parameters` of its own."""


@dataclass
class ClassWriter:
    """The state of writing one class. The text is made twice: the second time it is known what is used how often."""

    plan: ClassPlan
    plans: Plans
    classes: Mapping[Key, Written]
    spec: Spec
    needs: dict[str, None] = field(default_factory=dict)
    """The dims and params that `__init__` uses."""
    stored: dict[str, None] = field(default_factory=dict)
    """The params that `forward` uses, so that `__init__` keeps them."""
    reads: Counter[str] = field(default_factory=Counter)
    """How often `forward` uses each dimension of the inputs."""
    library: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.settled: Counter[str] = Counter()
        self.shapes = ShapeNames(self.plan)
        self.restart()

    def restart(self) -> None:
        """Begin the text anew, keeping what is known of needs."""
        scope = self.plan.scope
        self.settled, self.reads = self.reads, Counter()
        self.constructor = Namespace()
        self.attributes = Namespace({*MODULE_ATTRIBUTES, *scope.nodes})
        self.locals = Namespace(LIBRARY_FUNCTIONS)
        self.init: list[Stmt] = []
        self.forward: list[Stmt] = []
        self.values: dict[tuple[str, str], Expr] = {}
        self._names: dict[str, str] = {}
        self._kept: dict[str, str] = {}
        self._sizes: dict[str, str] = {}
        self.variables = Variables(self.plan, self.locals)
        for name in self.environment:
            self._names[name] = self.constructor.fresh(name.lower())
        for port in scope.inputs:
            self.values[(port, "")] = Name(self.locals.fresh(port))

    @property
    def environment(self) -> list[str]:
        """The params, then the dimensions that formulas of this scope may name."""
        names = self.plan.first.names
        params = self.plan.scope.environment.params
        return [*params] + [
            name for name in names if name not in params and not name.startswith("...")
        ]

    # Names as code.

    def in_init(self, name: str) -> Expr:
        """A name of the scope in `__init__`."""
        return self._resolved(name, self._argument)

    def in_forward(self, name: str) -> Expr:
        """A name of the scope in `forward`."""
        return self._resolved(name, self._attribute_or_size)

    def in_loop(self, name: str) -> Expr:
        """A name in the comprehension that makes copies, where `i` counts them."""
        return self._resolved(name, _counted(self._argument))

    def in_forward_loop(self, name: str) -> Expr:
        """A name in a loop of `forward` over numbered copies."""
        return self._resolved(name, _counted(self._attribute_or_size))

    def _resolved(self, name: str, plain: Any) -> Expr:
        if name.isidentifier():
            return plain(name)  # type: ignore[no-any-return]
        return to_python(
            parse_expression(name), lambda part: self._resolved(part, plain)
        )

    def _argument(self, name: str) -> Expr:
        self.needs[name] = None
        return Name(self._names[name])

    def _attribute_or_size(self, name: str) -> Expr:
        read = None if name in self.plan.scope.environment.params else self._read(name)
        return self._attribute(name) if read is None else self._size(name, read)

    def _attribute(self, name: str) -> Expr:
        self._argument(name)
        self.stored[name] = None
        if name not in self._kept:
            self._kept[name] = self.attributes.fresh(name.lower())
        return Name(f"self.{self._kept[name]}")

    def _read(self, name: str) -> Expr | None:
        """How `forward` reads a dimension off its inputs: `x.shape[1]`.

        Where the dimension stands in a formula alone (`2 * N`), the size is solved for it.
        """
        best: tuple[bool, Dim, Expr] | None = None
        for size, place in self._places():
            solved = solve(size, name)
            if solved is not None and (best is None or size == Dim.symbol(name)):
                best = size == Dim.symbol(name), size, self._solved(place, *solved)
                if best[0]:
                    break
        return None if best is None else best[2]

    def _places(self) -> Iterator[tuple[Dim, Expr]]:
        """The sizes of the inputs that are always there, and how `forward` reads them."""
        for port, kind in self.plan.first.inputs.items():
            if kind is None or self.is_optional(Ref(port)):
                continue
            shape = attr(self.values[(port, "")], "shape")
            for axis, size in enumerate(kind.shape):
                behind = any(is_ellipsis(other) for other in kind.shape[:axis])
                yield size, subscript(shape, axis - kind.rank if behind else axis)

    def _solved(self, place: Expr, factor: Dim, rest: Dim) -> Expr:
        if rest != 0:
            place = Binary("-", place, to_python(rest.to_expr(), self.in_forward))
        if factor == 1:
            return place
        return Binary("//", place, to_python(factor.to_expr(), self.in_forward))

    def _size(self, name: str, read: Expr) -> Expr:
        self.reads[name] += 1
        if self.settled[name] < 2:
            return read
        if name not in self._sizes:
            self._sizes[name] = self.locals.fresh(name.lower())
            self.forward.insert(
                len(self._sizes) - 1, Assign((Name(self._sizes[name]),), read)
            )
        return Name(self._sizes[name])

    def kept(self) -> list[Stmt]:
        """`self.heads = heads` for each param that `forward` uses."""
        return [
            Assign((Name(f"self.{kept}"),), Name(self._names[name]))
            for name, kept in self._kept.items()
        ]

    def carry(self, library: str) -> None:
        """Note a library file that the class stands on; "" is none."""
        if library:
            self.library.add(library)

    def input_name(self, port: str) -> str:
        """What an input is called in `forward`."""
        value = self.values[(port, "")]
        assert isinstance(value, Name)
        return value.id

    def argument_name(self, name: str) -> str:
        """What a dim or param is called in `__init__`."""
        return self._names[name]

    # Values in forward.

    def value(self, ref: Ref) -> Expr:
        """The expression of a value that has been computed."""
        return self.values[(ref.node, ref.port)]

    def is_optional(self, ref: Ref) -> bool:
        """Whether a value is an optional input of the class."""
        return ref.node in self.plan.scope.inputs and self.plan.is_optional(ref.node)

    def trial(self) -> ClassWriter:
        """A writer at the same place, whose text is thrown away."""
        other = copy(self)
        other.needs, other.stored, other.reads = {}, {}, Counter()
        other.library, other.init, other.forward = set(), [], []
        other.attributes, other.locals = Namespace(), Namespace()
        other._kept, other._sizes = {}, {}
        other.variables = self.variables.apart(other.locals)
        return other

    def let(self, node: str, value: Expr, shape: Shape | None, wanted: str) -> Name:
        """Assign a local variable on the way to a layer's output."""
        target = Name(self.variables.intermediate(node, wanted))
        comment = self.shapes.shape(shape) if shape else ""
        self.forward.append(Assign((target,), value, comment=comment))
        return target

    def inputs_of(self, typed: TypedNode) -> Types:
        """The types of a layer's inputs where the class has them all."""
        return self.plan.layers[typed.node.name].calls[0].inputs

    def arguments(self, typed: TypedNode) -> Mapping[str, Any]:
        """The arguments of a layer as the spec writes them."""
        return typed.arguments

    def comment(self, kinds: list[TensorType]) -> str:
        """The shapes of what a line computes."""
        shapes = [self.shapes.shape(kind.shape) for kind in kinds]
        if len(shapes) > 1 and len(set(shapes)) == 1:
            return f"{len(shapes)} of {shapes[0]}"
        return ", ".join(shapes)


def _counted(plain: Resolve) -> Resolve:
    """Names as they are in a loop, where `i` is its counter."""
    return lambda name: Name("i") if name == "i" else plain(name)


def solve(size: Dim, name: str) -> tuple[Dim, Dim] | None:
    """`a` and `b` with `size == a * name + b`, both free of the name."""
    if name not in size.symbols:
        return None
    symbol = Dim.symbol(name)
    rest = size.substitute({name: 0})
    factor = exact_div(size - rest, symbol)
    if factor is None or name in factor.symbols:
        return None
    return factor, rest
