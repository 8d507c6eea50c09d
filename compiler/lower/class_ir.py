"""What a class is before it is printed: its members, its body, and what it demands of its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from compiler.codegen.python import Conditional, Expr, call, lit
from compiler.dataclass import dataclass
from compiler.ir.module import Body, Local
from compiler.ir.typed import TypedNode
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.class_steps import ClassSteps
from compiler.lower.scope_code import value_code
from compiler.op.arg_types import Formula

Demand = tuple[Expr, str]
"""A test that must not hold of the arguments of a constructor, and the message where it does."""


@dataclass(frozen=True, eq=False)
class Construct:
    """A call of the constructor of a block's class, or of one of several classes: which, and for which runs."""

    typed: TypedNode
    plans: tuple[tuple[ClassPlan, tuple[Run, ...]], ...]


@dataclass(frozen=True, eq=False)
class Held:
    """What `__init__` builds for a layer: one module, or a list of copies."""

    typed: TypedNode
    build: Expr
    copies: bool
    """Whether there is one for each copy; the build may then use the counter."""
    present: bool = True
    """Whether it is always there; else where `when` holds."""
    when: Formula | bool | None = None
    """The condition under which it is built, without questions for inputs."""


@dataclass(frozen=True, eq=False)
class ClassIR:
    """One class: what it holds, and what it does."""

    plan: ClassPlan
    held: tuple[Held, ...]
    body: Body
    conditions: tuple[Expr, ...]
    library: frozenset[str]
    overwriting: dict[int, tuple[Local, Expr]] = field(default_factory=dict)
    """By the number of a value: its input, and its code where that may be overwritten."""
    demands: tuple[Demand, ...] = ()
    """What must not hold of the constructor's arguments."""
    touched: tuple[str, ...] = ()
    """The names that `forward` uses, in the order in which its layers ask for them."""
    steps: ClassSteps | None = None
    """What it keeps between the pieces of a sequence."""
    initial: Mapping[str, Expr] = field(default_factory=dict)
    """What each layer keeps before the first piece."""
    limit: Expr | None = None
    """Of a network: how many positions it takes; None if it does not matter."""
    before: Body | None = None
    """What is computed once for all pieces, where that is apart."""
    prepared: tuple[Local, ...] = ()
    """The values that it gives, in order."""
    passed: tuple[Local, ...] = ()
    """The inputs of a network that do not change from piece to piece, and that pieces need."""
    inputs: tuple[tuple[str, Local], ...] = ()
    """All inputs of a network of which the body takes what pieces need."""
    outputs: tuple[Expr, ...] = ()
    """All outputs of a network of which the body gives those that pieces give."""


def count_code(typed: TypedNode) -> Expr:
    """How often a layer is repeated: none at all where it is switched off."""
    repeat, when = typed.node.layer.repeat, typed.node.layer.when
    assert repeat is not None
    count = value_code(repeat.count)
    return count if when is None else Conditional(value_code(when), count, lit(0))


def wrapped(typed: TypedNode, built: Expr | None) -> Expr | None:
    """A module as its parametrization wraps it: `weight_norm(nn.Conv1d(...))`."""
    given = typed.node.layer.parametrize
    if given is None or built is None:
        return built
    name = {} if given.tensor == "weight" else {"name": given.tensor}
    return call(given.function, built, **name, **given.options)
