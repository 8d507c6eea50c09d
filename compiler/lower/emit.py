"""The code that an op writes for a layer: asked once for each distinct run, and made one that holds for all of them.

A run differs from another by what its op was bound to and by the types it runs on. Where the code differs by sizes
alone, a size is sought that is right in every run; where it differs by more, the runs need classes of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from compiler.codegen.python import (
    Expr,
    Name,
    Placeholder,
    TupleExpr,
    lit,
    subscript,
)
from compiler.codegen.traversal import placeholders
from compiler.dataclass import dataclass
from compiler.ir.graph import Ref
from compiler.ir.module import Capacity, Let, Local, Origin, ScopeName
from compiler.ir.typed import TypedNode, hashable
from compiler.lower.class_plan import Run
from compiler.lower.common_size import Scoped, common_size
from compiler.lower.evaluate_code import folded_numbers
from compiler.lower.parted import parted
from compiler.lower.scope_code import name_code, size_code
from compiler.lower.to_python import to_python
from compiler.op.arg_types import Formula
from compiler.op.op import Op, Shape, arguments
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@dataclass(frozen=True)
class Emitted:
    """The code of a layer: steps on the way, and the expression itself; None for no module."""

    value: Expr | None
    steps: tuple[Let, ...] = ()
    overwriting: Expr | None = None
    touched: tuple[str, ...] = ()
    """The same where it may put its result in the place of its input."""


class Surroundings(Protocol):
    """What the code of a layer asks of the class around it."""

    def step(self, index: int, origin: Origin) -> Local:
        """A value on the way to a layer's output: the same one each time the layer's code is asked for."""

    def may_be_none(self, ref: Ref) -> bool:
        """Whether a value is an optional input of the class."""

    def state_of(self, layer: str) -> Expr | None:
        """What a layer keeps between the pieces of a sequence; None if it keeps nothing."""

    def columns_of(self, layer: str) -> Mapping[str, int]:
        """The operands that a layer keeps for all positions so far, and the axis of each."""

    def past_axis_of(self, layer: str) -> int:
        """The axis of its input that the windows of a layer with a state go along, counted from the last."""

    def offset_of(self, layer: str) -> Expr | None:
        """The position of the first element of a piece, for a layer whose output depends on positions."""


class Builder(Surroundings, Scoped, Protocol):
    """What the code of a layer asks of the class that is being built."""


class LayerCode:
    """The `Code` of one run of a layer."""

    training: Expr = Name("self.training")

    def __init__(
        self,
        builder: Surroundings,
        run: Run,
        types: Mapping[str, Any],
        own: Mapping[str, Any],
        module: Expr,
        sizes: Sequence[Expr | None],
        overwrite: bool,
    ) -> None:
        self.builder, self.run = builder, run
        self._own = own
        self.types = {
            **types,
            **{port: kind for port, kind in own.items() if kind is not None},
        }
        self._module, self._sizes, self._overwrite = module, sizes, overwrite
        self.asked: list[Dim] = []
        """The sizes that the op asked for, in order."""
        self.steps: list[Let] = []
        self._count = 0
        self.may_overwrite = False
        self.touched: dict[str, None] = {}
        """The names that the code is made of, in the order in which the op asked for them."""

    def given(self, argument: str) -> bool:
        """Whether the spec sets the argument to something else than its default."""
        written = self.run.node.arguments
        if argument not in written:
            return False
        value, default = written[argument], self._default(argument)
        if isinstance(value, tuple) and not isinstance(default, tuple):
            value = value[0] if len(value) == 1 else value
        return (
            isinstance(value, Formula)
            or type(value) is not type(default)
            or value != default
        )

    def argument(self, name: str) -> Expr:
        """An argument as it is written in the spec, or its default; of a list of one, its item."""
        written = self.run.node.arguments.get(name, self._default(name))
        code = self._code(written)
        op = self.run.call.op
        if isinstance(written, Formula) and op is not None and name in op.lists:
            alone = len(getattr(op, name)) == 1
            code = folded_numbers(subscript(code, 0)) if alone else code
        return self._touch(code)

    def size(self, size: Dim | int) -> Expr:
        """A size in the names of the scope, as code in this place."""
        number = len(self.asked)
        self.asked.append(Dim.of(size))
        chosen = self._sizes[number] if number < len(self._sizes) else None
        return self._touch(size_code(self.asked[-1]) if chosen is None else chosen)

    def _touch(self, code: Expr) -> Expr:
        self.touched.update(
            (key.name, None) for key in placeholders(code) if isinstance(key, ScopeName)
        )
        return code

    def module(self) -> Expr:
        """The layer's module: `self.conv`."""
        return self._module

    def let(self, value: Expr, shape: Shape | None = None, name: str = "") -> Expr:
        """Assign an intermediate value to a variable of its own."""
        step = Placeholder(self._step(name))
        kinds = (TensorType("float", shape),) if shape else ()
        self.steps.append(Let(self.run.node.node.name, step, value, kinds))
        return step

    def unpack(self, value: Expr, /, **kinds: TensorType) -> tuple[Expr, ...]:
        """Assign the parts of a tuple to variables of their own."""
        parts = tuple(Placeholder(self._step(name)) for name in kinds)
        target, layer = TupleExpr(parts), self.run.node.node.name
        self.steps.append(Let(layer, target, value, tuple(kinds.values())))
        return parts

    def state(self) -> Expr | None:
        """What the layer keeps between the pieces of a sequence."""
        return self.builder.state_of(self.run.node.node.name)

    def keeps(self, port: str) -> bool:
        """Whether the layer keeps what is at this port for all positions so far."""
        return port in self.builder.columns_of(self.run.node.node.name)

    def past_axis(self) -> int:
        """The axis of its input that the windows of a layer with a state go along, counted from the last."""
        return self.builder.past_axis_of(self.run.node.node.name)

    def capacity(self) -> Expr:
        """The largest number of positions that a state has room for."""
        return Placeholder(Capacity())

    def offset(self) -> Expr | None:
        """How many positions there were before this piece of a sequence."""
        return self.builder.offset_of(self.run.node.node.name)

    def _step(self, name: str) -> Local:
        layer = self.run.node.node.name
        origin = Origin(layer, step=name or layer)
        self._count += 1
        return self.builder.step(self._count - 1, origin)

    def chosen(self, argument: str) -> bool:
        """Whether a param decides an argument."""
        return isinstance(self.run.node.arguments.get(argument), Formula)

    def absent(self, port: str) -> bool:
        """Whether an optional input is left out wherever the op has these arguments."""
        return self._own.get(port) is None

    def optional(self, port: str) -> bool:
        """Whether the value at this port may be None when the code runs."""
        ref = self.run.node.inputs.get(port)
        return isinstance(ref, Ref) and self.builder.may_be_none(ref)

    def spare(self, port: str) -> bool:
        """Whether the value at this port may be overwritten: it is new, and nothing else needs it."""
        self.may_overwrite = True
        return self._overwrite

    def type(self, port: str) -> TensorType:
        """The type of an input in the names of the scope."""
        kind = self.types.get(port)
        assert isinstance(kind, TensorType)
        return kind

    def _default(self, name: str) -> Any:
        assert self.run.call.op is not None
        default = arguments(type(self.run.call.op))[name][1]
        return None if default is ... else default

    def _code(self, value: Any) -> Expr:
        if isinstance(value, Formula):
            return to_python(value.expr, name_code)
        if isinstance(value, tuple):
            items = tuple(map(self._code, value))
            return items[0] if len(items) == 1 else TupleExpr(items)
        if isinstance(value, Dim):  # a default
            return self.size(value)
        return lit(value)


Produce = Callable[[Op, LayerCode], Expr | None]


def emit(
    builder: Builder,
    typed: TypedNode,
    runs: Sequence[Run],
    module: Expr,
    produce: Produce,
) -> Emitted:
    """The code of a layer that is right for all of its runs.

    Raises:
        Parted: where its uses need several.
        Unwritten: where runs of one use do.
    """
    layer = typed.node.name
    types = joint_types(runs)
    ghosts = further_runs(runs)
    alone = len(runs) == 1 and not ghosts
    own = {} if alone else _types_alike(runs)
    groups = [runs] if alone else _distinct(runs, own)
    asker = _Asker(builder, types, own, module, produce)
    first: list[LayerCode] = []
    found = [asker.written(group[0], first) for group in groups]
    later: list[LayerCode] = []
    texts = [asker.written(ghost, later) for ghost in ghosts]
    if any(other != found[0] for other in (*found[1:], *texts)):
        asked = [code.asked for code in first]
        sizes = _common_sizes(builder, typed, groups, asked, later)
        found = [asker.written(group[0], [], sizes) for group in groups]
    if len(found) > 1:
        by_text: dict[Any, list[Run]] = {}
        for text, group in zip(found, groups, strict=True):
            by_text.setdefault(text, []).extend(group)
        if len(by_text) > 1:
            raise parted(builder.plan, layer, list(by_text.values()))
    value = first[0]
    code = found[0][0]
    overwriting = None
    if value.may_overwrite:
        overwriting, _ = asker.written(groups[0][0], [], overwrite=True)
    steps = tuple(
        Let(step.layer, step.target, text, step.kinds)
        for step, text in zip(value.steps, found[0][1], strict=True)
    )
    return Emitted(code, steps, overwriting, tuple(value.touched))


def _types_alike(runs: Sequence[Run]) -> dict[Any, dict[str, Any]]:
    """The types of the inputs that runs with the same arguments have, by these arguments."""
    alike: dict[Any, list[Run]] = {}
    for run in runs:
        alike.setdefault(_bound(run), []).append(run)
    return {key: joint_types(group) for key, group in alike.items()}


def _distinct(
    runs: Sequence[Run], own: Mapping[Any, Mapping[str, Any]]
) -> list[Sequence[Run]]:
    """The runs, those together for which an op writes the same."""
    found: dict[Any, list[Run]] = {}
    for run in runs:
        key = _bound(run)
        given = {**own[key], **{p: kind for p, kind in run.call.inputs.items() if kind}}
        found.setdefault((key, tuple(given.items())), []).append(run)
    return list(found.values())


def further_runs(runs: Sequence[Run]) -> list[Run]:
    """The copies that would come next in each use, for the rule by which sizes grow."""
    if not runs[0].node.speculative and len(runs) == 1:
        return []
    by_use = {id(run.use): run for run in runs}
    return [
        Run(run.use, run.node, ghost)
        for run in by_use.values()
        for ghost in run.node.speculative
    ]


def joint_types(runs: Iterable[Run]) -> dict[str, Any]:
    """The types of a layer's inputs, each from the first run that has it."""
    types: dict[str, Any] = {}
    for run in runs:
        for port, kind in run.call.inputs.items():
            if types.get(port) is None:
                types[port] = kind
    return types


def _bound(run: Run) -> Any:
    """What the op of a run was bound to."""
    assert run.call.op is not None
    bound = tuple((name, _frozen(value)) for name, value in vars(run.call.op).items())
    return type(run.call.op), bound


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, _frozen(item)) for key, item in value.items())
    return hashable(value)


@dataclass(frozen=True)
class _Asker:
    """Asks an op for its code, for one run after the other."""

    builder: Builder
    types: Mapping[str, Any]
    own: Mapping[Any, Mapping[str, Any]]
    """The types of the inputs that runs with the same arguments have, by these arguments."""
    module: Expr
    produce: Produce

    def written(
        self,
        run: Run,
        codes: list[LayerCode],
        sizes: Sequence[Expr | None] = (),
        overwrite: bool = False,
    ) -> tuple[Expr | None, tuple[Expr, ...]]:
        """The code of a run, and of the steps on the way."""
        assert run.call.op is not None
        given = {
            port: kind for port, kind in run.call.inputs.items() if kind is not None
        }
        own = {**self.own.get(_bound(run), {}), **given} if self.own else given
        code = LayerCode(
            self.builder, run, self.types, own, self.module, sizes, overwrite
        )
        codes.append(code)
        value = self.produce(run.call.op, code)
        return value, tuple(step.value for step in code.steps)


def _common_sizes(
    builder: Builder,
    typed: TypedNode,
    groups: Sequence[Sequence[Run]],
    asked: Sequence[Sequence[Dim]],
    later: Sequence[LayerCode],
) -> list[Expr | None]:
    """For each size that an op asks for, code that is right in every run; None where all runs name it alike."""
    if len({len(sizes) for sizes in asked}) > 1:
        return []
    found: list[Expr | None] = []
    for number in range(len(asked[0])):
        pairs = [
            (run, sizes[number])
            for group, sizes in zip(groups, asked, strict=True)
            for run in group
        ]
        more = [
            (code.run, code.asked[number])
            for code in later
            if len(code.asked) == len(asked[0])
        ]
        every = [size for _, size in (*pairs, *more)]
        same = all(size == every[0] for size in every)
        found.append(None if same else common_size(builder, typed, pairs, more))
    return found
