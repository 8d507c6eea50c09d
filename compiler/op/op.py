"""The contract of an op: what it takes, what it requires, what it gives, and the Python it becomes.

One class is one op. Its annotations are its arguments, its docstring is its reference, and its methods are rules over
symbolic sizes. Nothing here knows of any particular op, and nothing elsewhere knows one by name.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from types import CodeType
from typing import Any, ClassVar, Literal, Protocol, TypeVar

import pydantic

from compiler.codegen.python import Call, Expr, Plain, TupleExpr, call
from compiler.codegen.statements import Stmt
from compiler.dataclass import dataclass
from compiler.op.arg_types import build_model, sized
from compiler.op.context import Context
from compiler.op.flow import FlowRule, no_rule
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import Kind, TensorType

Shape = tuple[Dim, ...]
Outputs = TensorType | tuple[TensorType, ...]
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Port:
    """An input of an op. `kinds` are the dtype kinds it takes.

    A variadic port takes any number of inputs: rules and code get a tuple of types or expressions for it.
    """

    name: str
    kinds: tuple[Kind, ...] = ("float",)
    optional: bool = False
    variadic: bool = False


Colour = Literal["orange", "pink", "teal", "blue", "violet", "amber", "green", "slate"]
"""What a family of ops may be painted with in diagrams; its file says which: `COLOUR: Final[Colour] = "teal"`."""

NUMBER: tuple[Kind, ...] = ("float", "int")
ANY: tuple[Kind, ...] = ("float", "int", "bool")


class Code(Protocol):
    """What an op asks of the generator while it writes its Python, in `__init__` or in `forward`."""

    training: Expr
    """`self.training`."""

    def given(self, argument: str) -> bool:
        """Whether the spec sets the argument to something else than its default."""

    def argument(self, name: str) -> Expr:
        """An argument as it is written in the spec, or its default; of a list of one, its item."""

    def size(self, size: Dim | int) -> Expr:
        """A size in the names of the scope, as code in this place."""

    def module(self) -> Expr:
        """The layer's module: `self.conv`."""

    def let(self, value: Expr, shape: Shape | None = None, name: str = "") -> Expr:
        """Assign an intermediate value to a local variable, named as the layer; the expression that reads it."""

    def optional(self, port: str) -> bool:
        """Whether the value at this port may be None when the code runs."""

    def chosen(self, argument: str) -> bool:
        """Whether a param decides an argument, so that the code should hold for any value."""

    def absent(self, port: str) -> bool:
        """Whether an optional input is left out in this use of the layer."""

    def spare(self, port: str) -> bool:
        """Whether the value at this port may be overwritten: it is new, and nothing else needs it."""

    def type(self, port: str) -> TensorType:
        """The type of the value at this port (one that is not absent), in the names of the scope."""

    def state(self) -> Expr | None:
        """What the layer keeps between the pieces of a sequence, `X | None` at run time; None if it keeps nothing."""

    def keeps(self, port: str) -> bool:
        """Whether the layer keeps what is at this port for all positions so far."""

    def past_axis(self) -> int:
        """The axis of its input that the windows of a layer with a state go along, counted from the last."""

    def capacity(self) -> Expr:
        """The largest number of positions that a state has room for, as `init_state` is given it; maybe None."""

    def offset(self) -> Expr | None:
        """How many positions there were before this piece of a sequence; None if every sequence is whole."""

    def unpack(self, value: Expr, /, **kinds: TensorType) -> tuple[Expr, ...]:
        """Assign the parts of a tuple to local variables of these names; the expressions that read them."""


class Op:
    """Base of all ops: subclass, annotate the arguments, and `@register` it."""

    name: ClassVar[str]
    """The op's name in a spec: torch's own, in snake_case."""
    torch: ClassVar[str]
    """The torch class or function it stands for."""
    family: ClassVar[str]
    """The name of the file that it stands in, unless it says another; it chooses the colour in diagrams."""

    inputs: ClassVar[tuple[Port, ...]] = (Port("input"),)
    outputs: ClassVar[tuple[str, ...] | None] = ("output",)
    """The names of its outputs; None where they depend on the arguments (see `ports`)."""

    module: ClassVar[str] = ""
    """The torch module that holds its weights or state, as generated code names it: `nn.Linear`."""
    function: ClassVar[str] = ""
    """The function that does its work where no module is needed: `F.relu`."""
    typed_function: ClassVar[str] = ""
    """The function that its code calls, if torch's stubs say that it returns a Tensor and not Any."""
    library: ClassVar[str] = ""
    """The file under compiler/library (without `.py`) whose source the generated module carries.

    It holds the module, or the function that `apply` calls. Of an op of a plug-in, a class or function of its file."""
    own_module: ClassVar[str] = ""
    """Torch's module, where `module` stands for it only because torch.compile or torch.export refuses it.

    It has the same weights by the same names, gives the same, and is called alike."""
    own_options: ClassVar[Mapping[str, Plain]] = {}
    """What torch's module is told besides."""
    state_library: ClassVar[str] = ""
    """The file under compiler/library that holds what it keeps between the pieces of a sequence, if its code can."""
    column_library: ClassVar[str] = "so_far"
    """The file under compiler/library that keeps an operand for all positions so far."""
    positional: ClassVar[tuple[str, ...]] = ()
    """Arguments that are passed by position, after the inferred ones."""
    omitted: ClassVar[tuple[str, ...]] = ()
    """Arguments that torch's module or function doesn't take; the op's own code deals with them."""
    fresh: ClassVar[bool] = False
    """Whether it gives a new tensor that its own gradient does without: what comes after may overwrite it."""
    causal_hint: ClassVar[str] = ""
    """How it is kept from looking ahead along a sequence, for whoever must."""
    flow: ClassVar[FlowRule] = no_rule
    """On which positions of a sequence its outputs depend, given what its inputs depend on."""
    column_axes: ClassVar[tuple[int, ...]] = ()
    """The axes of its output that have all positions so far, where a sequence comes in pieces; others have new ones."""
    column_source: ClassVar[str] = ""
    """The optional input whose size these axes have where it is given, so that it must be all so far."""
    column_ports: ClassVar[tuple[str, ...] | None] = ()
    """The inputs over whose positions it sums, which may be all so far while others are new; None for any."""
    by_place: ClassVar[bool] = False
    """Whether what it does to an element depends on its number; along `dim`, if it has one."""
    takes_lists: ClassVar[bool] = False
    """Whether its code, at a port that takes many, takes `*features` as well: a list of any length."""
    least_inputs: ClassVar[int] = 1
    """How many values it needs at a port that takes many."""
    symbol: ClassVar[str] = ""
    """The sign that a diagram shows in place of a box, where values meet: `+`."""
    refused_by_module: ClassVar[tuple[str, ...]] = ()
    """Floats that its module itself refuses where they are out of range, so that no constructor needs to."""
    chains: ClassVar[bool] = True
    """Whether its module alone does its work, so that it may stand in an `nn.Sequential`."""

    def __init__(
        self, arguments: Mapping[str, Any], lists: frozenset[str] = frozenset()
    ) -> None:
        vars(self).update(arguments)
        self.lists = lists
        """The arguments that are written, or given by a param, as lists."""

    # What it requires and gives.

    def infer(self, ctx: Context, *args: Any, **kwargs: Any) -> Outputs:
        """The types of the outputs from the types of the inputs (by port name; None where an optional one is absent).

        Raises:
            OpError: where the inputs or arguments are not what torch would take for every size.
        """
        raise TypeError(f"{type(self).__name__} has no shape rule")

    def ports(self, count: int) -> tuple[str, ...]:
        """The names of the outputs of this very layer, of which there are `count`."""
        assert self.outputs is not None, type(self).__name__
        return self.outputs

    def inferred(self, *args: Any, **kwargs: Any) -> dict[str, Dim]:
        """The leading arguments of the torch module that inference supplies (`in_features`), from the input types."""
        return {}

    def weights(self, *args: Any, **kwargs: Any) -> dict[str, Shape]:
        """The learned tensors, by their names in the module's state_dict, from the input types.

        The name is "" where the layer is itself the tensor, as a class token is.
        """
        return {}

    def buffers(self, *args: Any, **kwargs: Any) -> dict[str, Shape]:
        """The tensors of the state_dict that are not learned, from the input types."""
        return {}

    def flops(self, outputs: tuple[TensorType, ...], *args: Any, **kwargs: Any) -> Dim:
        """Floating point operations of one forward pass, as torch's FlopCounterMode counts: 2 for a multiply-add."""
        return Dim.of(0)

    def choices(self, port: str, *args: Any, **inputs: Any) -> Dim | None:
        """Of an output with numbers of things, how many things there are to choose from; None where nobody knows."""
        return None

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], *args: Any, **kwargs: Any
    ) -> str:
        """A few words for a diagram beside the op's name: `64 → 128, 3×3`."""
        return ""

    def can_keep(self, port: str, types: Mapping[str, Any]) -> bool:
        """Whether its code can be given all positions so far of an input, where others have new ones."""
        return True

    def pairs_by_place(self, in_pieces: Mapping[str, bool]) -> bool:
        """Whether it pairs elements of inputs that come in pieces by number with those of inputs that do not."""
        return False

    def can_resume(self, axis: int) -> bool:
        """Whether its code can keep what it needs of this axis of its input, counted from the last, between pieces."""
        return bool(self.state_library)

    # The Python it becomes.

    def carries(self, code: Code) -> str:
        """The file under compiler/library that this very layer stands on; "" for none."""
        return self.library

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Expr | None:
        """The expression that builds its module in `__init__`, from the input types; None where it needs none."""
        if not self.module or self.function:
            return None
        return self.build(code, **inputs)

    def build(self, code: Code, *args: Any, **inputs: Any) -> Call:
        """A call of its module's class with all arguments that inference or the spec supplies."""
        sizes = [code.size(size) for size in self.inferred(**inputs).values()]
        places = [code.argument(key) for key in self.positional]
        return call(self.module, *sizes, *places, **self.keywords(code))

    def keywords(self, code: Code) -> dict[str, Expr]:
        """The arguments that are passed by keyword: those the spec gives, and those that have no default."""
        keys = [
            k
            for k in arguments(type(self))
            if k not in self.positional and k not in self.omitted
        ]
        return {key: code.argument(key) for key in keys if code.given(key)}

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Expr:
        """The expression that does its work in `forward`, from the input expressions by port."""
        values: list[Expr] = [v for v in inputs.values() if v is not None]
        if self.function:
            places = [code.argument(key) for key in self.positional]
            return call(self.function, *values, *places, **self.keywords(code))
        return call(code.module(), *values)

    def initial_state(self, code: Code) -> Expr:
        """What it keeps before the first piece of a sequence."""
        raise TypeError(f"{type(self).__name__} keeps nothing between pieces")

    def restore(self, module: Expr) -> tuple[Stmt, ...]:
        """What initialisation must not change, as statements that come after it."""
        return ()

    def targets(self, names: tuple[Expr, ...]) -> Expr:
        """How `forward` takes its results apart: a name, or a tuple of names."""
        return names[0] if len(names) == 1 else TupleExpr(names)


class NumberedOutputs(Op):
    """Base of ops that give several tensors alike: the outputs "0", "1", and so on, a tuple in torch."""

    outputs: ClassVar[tuple[str, ...] | None] = None

    def ports(self, count: int) -> tuple[str, ...]:
        return tuple(map(str, range(count)))

    def targets(self, names: tuple[Expr, ...]) -> Expr:
        return TupleExpr(names)


def per_op(function: Callable[[type[Op]], _Found]) -> Callable[[type[Op]], _Found]:
    """Remember what a function finds of each op."""
    known: dict[type[Op], _Found] = {}

    @wraps(function)
    def remembered(op: type[Op]) -> _Found:
        if op not in known:
            known[op] = function(op)
        return known[op]

    return remembered


@per_op
def arguments(op: type[Op]) -> dict[str, tuple[Any, Any]]:
    """The arguments of an op: name -> (annotation, default or `...` where it is required)."""
    found: dict[str, tuple[Any, Any]] = {}
    for base in reversed(op.__mro__):
        for key in vars(base).get("__annotations__", {}):
            hint = _hints(op)[key]
            if typing.get_origin(hint) is not ClassVar:
                found[key] = (hint, getattr(op, key, ...))
    return found


@per_op
def _hints(op: type[Op]) -> dict[str, Any]:
    return typing.get_type_hints(op, include_extras=True)


@per_op
def model(op: type[Op]) -> type[pydantic.BaseModel]:
    """The pydantic model of the op's arguments."""
    return build_model(op.__name__, arguments(op))


@per_op
def symbolic_arguments(op: type[Op]) -> frozenset[str]:
    """The arguments that the rules see as sizes in the names of the scope."""
    return frozenset(key for key, (hint, _) in arguments(op).items() if sized(hint))


@per_op
def value_arguments(op: type[Op]) -> frozenset[str]:
    """The floats that neither the rules of an op nor its code look at: a diagram alone does.

    Whatever their values, the op has the same types, weights and costs, and its code the same text.

    >>> from compiler.op.registry import ops
    >>> sorted(value_arguments(ops()["dropout"])), sorted(value_arguments(ops()["pow"]))
    (['p'], [])
    """
    floats = {key for key, (hint, _) in arguments(op).items() if _is_float(hint)}
    read: set[str] = set()
    for base in op.__mro__:
        for name, member in vars(base).items() if base is not Op else ():
            if name != "label":
                read |= _names_in_code(member)
    if read & {"getattr", "vars"}:  # it may look at any of them
        return frozenset()
    return frozenset(floats - read)


def _is_float(hint: Any) -> bool:
    return typing.get_args(hint)[0] is float if typing.get_args(hint) else hint is float


def _names_in_code(member: Any) -> set[str]:
    """The attributes and globals that a method, or a property, names, also in functions inside it."""
    member = member.fget if isinstance(member, property) else member
    if isinstance(member, FlowRule):  # what ops share reads no floats
        member = member.function if member.own else None
    member = getattr(member, "__func__", member)
    pending: list[Any] = [getattr(member, "__code__", None)]
    found: set[str] = set()
    for code in pending:
        if isinstance(code, CodeType):
            found.update(code.co_names)
            pending += code.co_consts
    return found


@per_op
def required_arguments(op: type[Op]) -> tuple[str, ...]:
    """The arguments without a default."""
    return tuple(key for key, (_, default) in arguments(op).items() if default is ...)


def as_tuple(outputs: Outputs) -> tuple[TensorType, ...]:
    """The outputs of a rule as a tuple, in the order of the ports."""
    return outputs if isinstance(outputs, tuple) else (outputs,)


def product(sizes: Iterable[Dim | int]) -> Dim:
    """The product of sizes; 1 for none."""
    total = Dim.of(1)
    for size in sizes:
        total = total * size
    return total
