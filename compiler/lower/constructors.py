"""What constructors take: the params and dimensions that `__init__` uses, and what callers give for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from compiler.codegen.namespace import Namespace, fresh_names
from compiler.codegen.python import (
    Binary,
    Compare,
    Conditional,
    Expr,
    Literal,
    Name,
    Placeholder,
    Subscript,
    TupleExpr,
    call,
    lit,
    subscript,
)
from compiler.codegen.traversal import filled, mapped, placeholders
from compiler.dataclass import dataclass
from compiler.expr.syntax import names_in
from compiler.ir.module import ScopeName, ScopeNumber, reads
from compiler.ir.typed import Instance
from compiler.language.spec import Spec
from compiler.lower.choice_tests import choice_tests
from compiler.lower.class_ir import ClassIR, Construct, Held, count_code
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.common_size import common_size
from compiler.lower.emit import further_runs
from compiler.lower.evaluate_code import Unknown, lookup, value_of, with_values
from compiler.lower.initialization import names_in_reset, reset_lines
from compiler.lower.parted import Parted, Symbolic, Unwritten
from compiler.lower.scope_code import (
    name_code,
    name_of,
    own_counter,
    size_code,
    value_code,
)
from compiler.lower.sizes import Kept
from compiler.op.arg_types import Formula
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.symbols import CopyNumber, InputDim


@dataclass(frozen=True)
class Signature:
    """What a constructor takes: dimensions, then params, those without a default first."""

    dims: tuple[str, ...]
    params: tuple[str, ...]
    defaults: Mapping[str, Any]
    """The defaults of the params; None for one that has none."""
    names: Mapping[str, str]
    """What the constructor calls each of them."""

    @property
    def all(self) -> tuple[str, ...]:
        """All of them in their order."""
        return (*self.dims, *self.params)


class Constructors:
    """The signatures of all classes of a file; a class needs what the classes that it holds need."""

    def __init__(
        self, classes: Mapping[int, ClassIR], spec: Spec, params: Mapping[str, Value]
    ) -> None:
        """Settle what the constructors of classes take; `params` are those of the networks of a spec."""
        self.classes = classes
        self._given: dict[tuple[int, int, str], Expr | None] = {}
        self._needs = {key: dict.fromkeys(_direct(ir)) for key, ir in classes.items()}
        for key, ir in classes.items():
            lines = reset_lines(ir, classes.values(), spec, params)
            self._needs[key].update(names_in_reset(lines))
        self._settle()
        self.signatures = {key: self._signature(ir) for key, ir in classes.items()}

    def of(self, plan: ClassPlan) -> Signature:
        """What the constructor of a class takes."""
        return self.signatures[id(plan)]

    def construction(self, construct: Construct, ir: ClassIR) -> Expr:
        """`Block(width, heads)`; where copies have several classes, the one that a copy has."""
        code: Expr | None = None
        for test, plan, runs in reversed(list(self.choices(construct, ir))):
            made = self._call(construct, plan, runs, ir)
            if code is None or test is None:
                code = made
            elif made != code:
                code = Conditional(test, made, code)
        assert code is not None
        return code

    def choices(
        self, construct: Construct, ir: ClassIR
    ) -> Iterator[tuple[Expr | None, ClassPlan, Sequence[Run]]]:
        """The classes of which one is built, each with the condition under which it is; None for the last."""
        tests = choice_tests(construct.plans) if len(construct.plans) > 1 else None
        if tests is not None:
            yield from tests
            return
        plans = _in_order(construct, ir)
        for number, (plan, runs) in enumerate(plans):
            last = number == len(plans) - 1
            yield None if last else _which(ir, plans, number), plan, runs

    def is_numbered(self, construct: Construct, ir: ClassIR) -> bool:
        """Whether no condition tells the classes apart, so that the code has the numbers of copies."""
        if len(construct.plans) == 1 or choice_tests(construct.plans) is not None:
            return False
        plans = _in_order(construct, ir)
        numbers = range(len(plans) - 1)
        return any(_condition(ir, plans, number) is None for number in numbers)

    def require_static(self, ir: ClassIR) -> None:
        """A network is built before it has inputs, so that its constructor takes no dimension of them.

        Raises:
            Unwritten: where it would have to.
        """
        if ir.plan.scope.kind != "network":
            return
        for name in self.of(ir.plan).dims:
            layer = next((x for x, needs in self._by_layer(ir) if name in needs), "")
            for param, value in ir.plan.layers[layer].arguments.items():
                if any(name in names_in(formula.expr) for formula in _formulas(value)):
                    raise Symbolic(ir.plan, layer, param, name)
            reason = (
                f"{name} is known only when the network runs, and is needed to build it"
            )
            raise Unwritten(ir.plan, layer, reason)

    def _by_layer(self, ir: ClassIR) -> Iterator[tuple[str, set[str]]]:
        """The names that each layer needs in `__init__`."""
        for held in ir.held:
            needs = set(_symbols(held.build, held.copies))
            for key in placeholders(held.build):
                if isinstance(key, Construct):
                    needs |= set(self._passed(key, ir, held.copies))
            yield held.typed.node.name, needs

    def _settle(self) -> None:
        """Add what constructors of other classes need, until nothing is missing."""
        changed = True
        while changed:
            changed = False
            for key, ir in self.classes.items():
                needs = self._needs[key]
                before = len(needs)
                for construct, counted in _constructs(ir):
                    passed = self._passed(construct, ir, counted)
                    needs.update(dict.fromkeys(passed))
                needs.update(dict.fromkeys(self._by_defaults(ir)))
                for name in ir.plan.fixed:
                    needs.pop(name, None)
                changed = changed or len(needs) > before

    def _passed(
        self, construct: Construct, ir: ClassIR, counted: bool
    ) -> Iterator[str]:
        """The names that the arguments of a construction are made of."""
        for test, plan, runs in self.choices(construct, ir):
            if test is not None:
                yield from _symbols(test, counted)
            for name in list(self._needs[id(plan)]):
                code = self.argument(construct, plan, runs, name, ir)
                if code is not None:
                    yield from _symbols(code, counted)

    def _by_defaults(self, ir: ClassIR) -> Iterator[str]:
        """The names that the defaults of needed params are made of, and those that these are made of."""
        params = ir.plan.scope.params
        waiting = [name for name in self._needs[id(ir.plan)] if name in params]
        seen = set(waiting)
        while waiting:
            default = default_of(ir.plan, waiting.pop())
            if is_computed(default):
                for name in _symbols(value_code(default)):
                    yield name
                    if name in params and name not in seen:
                        seen.add(name)
                        waiting.append(name)

    def argument(
        self,
        construct: Construct,
        plan: ClassPlan,
        runs: Sequence[Run],
        name: str,
        ir: ClassIR,
    ) -> Expr | None:
        """What a class is given for a name; None where it is left to the default."""
        key = id(construct), id(plan), name
        if key not in self._given:
            self._given[key] = _argument(construct, plan, runs, name, ir)
        return self._given[key]

    def _signature(self, ir: ClassIR) -> Signature:
        needs, plan = self._needs[id(ir.plan)], ir.plan
        params = plan.scope.environment.params
        every = environment(plan)
        dims = tuple(name for name in every if name in needs and name not in params)
        defaults = {name: default_of(plan, name) for name in params if name in needs}
        chosen = sorted(defaults, key=lambda name: defaults[name] is not None)
        return Signature(dims, tuple(chosen), defaults, argument_names(plan))

    def _call(
        self, construct: Construct, plan: ClassPlan, runs: Sequence[Run], ir: ClassIR
    ) -> Expr:
        """`Block(width, heads, dropout)`: by position while it reads well, then by keyword."""
        signature = self.of(plan)
        places: list[Expr] = []
        keywords: dict[str, Expr] = {}
        skipped = False
        for name in signature.all:
            value = self.argument(construct, plan, runs, name, ir)
            argument = signature.names[name]
            if value is None:
                skipped = True
            elif skipped or keywords or not _reads_by_place(name, value, signature):
                keywords[argument] = value
            else:
                places.append(value)
        return call(plan.name, *places, **keywords)


def _reads_by_place(name: str, value: Expr, signature: Signature) -> bool:
    """Whether an argument needs no name: a dimension, or a value that tells what it is."""
    required = name in signature.params and signature.defaults[name] is None
    plain = isinstance(value, Placeholder) and isinstance(value.key, ScopeName)
    return (
        name in signature.dims or plain or (required and not isinstance(value, Literal))
    )


def _argument(
    construct: Construct, plan: ClassPlan, runs: Sequence[Run], name: str, ir: ClassIR
) -> Expr | None:
    if plan.scope.kind == "group":
        counter = own_counter(plan) if name == COUNTER else None
        if isinstance(counter, CopyNumber) and counter.owner != plan.scope.owner:
            return Placeholder(ScopeNumber(counter))
        return name_code(name)
    if name in plan.scope.environment.params:
        value = runs[0].node.arguments.get(name)
        return None if value is None else value_code(value)
    dimension = InputDim(plan.first.names.owner, name)
    own = _sizes(dimension, runs)
    if not own:
        raise _unknown_size(name, construct, plan, ir)
    if all(size == own[0][1] for _, size in (*own, *_further(dimension, runs))):
        return size_code(own[0][1])
    # The copies of one class may be few of all: the rule for all of them reads better, where there is one.
    every = [
        run for one, of in construct.plans if one.scope is plan.scope for run in of
    ]
    if len(every) > len(runs):
        with suppress(Parted, Unwritten):
            return _common(dimension, every, construct, ir)
    return _common(dimension, runs, construct, ir)


def _unknown_size(
    name: str, construct: Construct, plan: ClassPlan, ir: ClassIR
) -> Exception:
    """A class needs a dimension of an optional input that is not given here: other uses, which have it, need it."""
    groups: list[list[Instance]] = [[], []]
    for use in plan.uses:
        try:
            lookup(name, use, None)
        except Unknown:
            groups[1].append(use)
        else:
            groups[0].append(use)
    layer = construct.typed.node.name
    if all(groups):
        return Parted(plan, layer, groups)
    reason = f"{name} is a size of an optional input that is not given here, and is needed to build {plan.scope.name}"
    return Unwritten(ir.plan, layer, reason)


def _common(
    dimension: InputDim, runs: Sequence[Run], construct: Construct, ir: ClassIR
) -> Expr:
    sizes, further = _sizes(dimension, runs), _further(dimension, runs)
    return common_size(ir, construct.typed, sizes, further)


def _sizes(dimension: InputDim, runs: Iterable[Run]) -> list[tuple[Run, Dim]]:
    """What a dimension of a block is in each run in which an input tells it."""
    sizes = ((run, run.call.binding.get(dimension)) for run in runs)
    return [(run, size) for run, size in sizes if size is not None]


def _further(dimension: InputDim, runs: Sequence[Run]) -> list[tuple[Run, Dim]]:
    """What it is in the copies that would come next."""
    found = (run for run in further_runs(runs) if dimension in run.call.binding)
    return _sizes(dimension, found)


_Plans = Sequence[tuple[ClassPlan, Sequence[Run]]]


def _which(ir: ClassIR, plans: _Plans, number: int) -> Expr:
    """The condition under which a copy, or a use, has one class and none of those after it."""
    test = _condition(ir, plans, number)
    if test is not None:
        return test
    mine = list(plans[number][1])
    others = [run for _, runs in plans[number + 1 :] for run in runs]
    if mine[0].node.node.layer.repeat is None or not _agree(mine, others):
        groups: dict[int, list[Any]] = {}
        for position, (_, runs) in enumerate(plans):
            for run in runs:
                groups.setdefault(position, []).append(run.use)
        raise Parted(ir.plan, mine[0].node.node.name, _apart(groups))
    copies = sorted({copy for run in mine for copy in run.copies})
    counter = Placeholder(ScopeName(COUNTER))
    if len(copies) == 1:
        return Compare("==", counter, lit(copies[0]))
    return Compare("in", counter, TupleExpr(tuple(map(lit, copies))))


def _in_order(construct: Construct, ir: ClassIR) -> _Plans:
    """The classes, so that a condition may tell the first from the others."""
    plans = list(construct.plans)
    if len(plans) == 2 and _test(ir, plans[0][1], plans[1][1]) is None:
        plans.reverse()
    return plans


def _condition(ir: ClassIR, plans: _Plans, number: int) -> Expr | None:
    """A condition of the scope that holds for the runs of a class and for those of no class after it."""
    others = [run for _, runs in plans[number + 1 :] for run in runs]
    return _test(ir, plans[number][1], others)


def _test(ir: ClassIR, mine: Sequence[Run], others: Sequence[Run]) -> Expr | None:
    """A condition of the scope that holds for some runs and for none of others."""
    for test in ir.conditions:
        try:
            right = [
                value_of(test, run.use, copy) for run in mine for copy in run.counters
            ]
            wrong = [
                value_of(test, run.use, copy) for run in others for copy in run.counters
            ]
        except Unknown:
            continue
        if all(right) and not any(wrong):
            return test
    return None


def _agree(mine: Sequence[Run], others: Sequence[Run]) -> bool:
    """Whether all uses have the same copies, and the same of them apart from others: their numbers tell."""
    numbers: list[dict[int, set[int]]] = [{}, {}]
    for found, runs in zip(numbers, (mine, others), strict=True):
        for run in runs:
            found.setdefault(id(run.use), set()).update(run.copies)
    if numbers[0].keys() != numbers[1].keys():
        return False
    return all(len({*map(frozenset, x.values())}) == 1 for x in numbers)


def _apart(groups: Mapping[int, Sequence[Any]]) -> list[list[Any]]:
    """The uses by which classes they have."""
    found: dict[int, tuple[Any, set[int]]] = {}
    for number, uses in groups.items():
        for use in uses:
            found.setdefault(id(use), (use, set()))[1].add(number)
    parted: dict[frozenset[int], list[Any]] = {}
    for use, numbers in found.values():
        parted.setdefault(frozenset(numbers), []).append(use)
    groups_ = list(parted.values())
    return groups_ if len(groups_) > 1 else [[use] for use in groups_[0]]


def environment(plan: ClassPlan) -> list[str]:
    """The params, then the dimensions that formulas of this scope may name."""
    params = plan.scope.environment.params
    dims: dict[str, None] = {}
    for use in plan.uses:
        dims.update((name, None) for name in use.names if name not in params)
    return [*params, *dims]


def argument_names(plan: ClassPlan) -> dict[str, str]:
    """What the constructor calls the names of the scope."""
    return fresh_names(environment(plan), counter=COUNTER)


def default_of(plan: ClassPlan, name: str) -> Any:
    """The default of a param as the class sees it; None where it has none.

    A network has the values that it was compiled with, where these were given or are no expression.
    """
    if plan.scope.kind == "group":
        return None
    default = plan.scope.params[name].default
    given = plan.scope.kind == "network" and name in plan.first.given
    if given or (plan.scope.kind == "network" and not is_computed(default)):
        return plan.first.params[name]
    return default


def is_computed(default: Any) -> bool:
    """Whether a default depends on other params, so that no signature can hold it."""
    return any(names_in(formula.expr) for formula in _formulas(default))


def _formulas(value: Any) -> Iterator[Formula]:
    if isinstance(value, Formula):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _formulas(item)


def _constructs(ir: ClassIR) -> Iterator[tuple[Construct, bool]]:
    """The constructions of a class, and whether a counter of copies stands around them."""
    for held in ir.held:
        for key in placeholders(held.build):
            if isinstance(key, Construct):
                yield key, held.copies


def _direct(ir: ClassIR) -> Iterator[str]:
    """The names that a class itself uses in `__init__`, or keeps for `forward`."""
    for test, _ in ir.demands:
        yield from _symbols(test)
    before = () if ir.before is None else ir.before.statements
    for statement in (*before, *ir.body.statements):
        yield from (key.name for key in reads(statement) if isinstance(key, Kept))
    limits = () if ir.limit is None else (ir.limit,)
    for code in (*ir.initial.values(), *limits):
        yield from (key.name for key in placeholders(code) if isinstance(key, Kept))
    for held in ir.held:
        yield from _symbols(held.build, held.copies)
        if held.copies:
            yield from _symbols(count_code(held.typed))
        elif held.when is not None:
            yield from _symbols(value_code(held.when))
    for node in (typed.node for typed in ir.plan.layers.values()):
        if (
            node.layer.tie is not None
            and node.layer.tie.when is not None
            and ir.plan.runs(node.name)
        ):
            yield from _symbols(value_code(node.layer.tie.when))


def _symbols(code: Expr, counted: bool = False) -> Iterator[str]:
    """The names of the scope that code is made of; `i` is none where it counts the copies around it."""
    for key in placeholders(code):
        if isinstance(key, ScopeNumber) and isinstance(key.symbol, CopyNumber):
            yield COUNTER
        elif isinstance(key, ScopeName) and not (counted and key.name == COUNTER):
            yield key.name


def counter_name(held: Held, ir: ClassIR, constructors: Constructors) -> str:
    """What the copies of a layer are counted by: `i`, unless the number of the group's own copy is needed there."""
    own = any(
        isinstance(key, ScopeNumber) for key in _all_keys(held.build, ir, constructors)
    )
    taken = constructors.of(ir.plan).names.values()
    return Namespace(taken).fresh("j") if own else COUNTER


def _all_keys(code: Expr, ir: ClassIR, constructors: Constructors) -> Iterator[object]:
    """What the placeholders of code are of, those of the constructors that it calls too."""
    for key in placeholders(code):
        if isinstance(key, Construct):
            yield from _all_keys(constructors.construction(key, ir), ir, constructors)
        else:
            yield key


def in_constructor(
    code: Expr, ir: ClassIR, constructors: Constructors, counter: str = ""
) -> Expr:
    """Code of `__init__` with every name as the constructor has it.

    `counter` is what the copies around it are counted by.
    """
    arguments = constructors.of(ir.plan).names

    def construct(key: object) -> Expr:
        return (
            constructors.construction(key, ir)
            if isinstance(key, Construct)
            else Placeholder(key)
        )

    def fill(key: object) -> Expr:
        if isinstance(key, ScopeNumber):
            return Name(arguments[name_of(key, ir.plan)])
        assert isinstance(key, ScopeName | FixedList), key
        if counter and key.name == COUNTER:
            return Name(counter)
        return Name(arguments[key.name])

    built = filled(code, construct)
    fixed = ir.plan.fixed
    return filled(_with_fixed(built, fixed) if fixed else built, fill)


@dataclass(frozen=True)
class FixedList:
    """A list that is no argument, of which code reads items that it works out: it has a name of its own."""

    name: str


def _with_fixed(code: Expr, fixed: Mapping[str, Value]) -> Expr:
    """Code with the values of params that are no arguments; lists of which items are worked out by their names."""

    def one(part: Expr) -> Expr:
        match part:
            case Subscript(Placeholder(ScopeName(name))) if isinstance(
                fixed.get(name), tuple
            ):
                found = with_values(part, fixed)
                if not isinstance(found, Subscript):
                    return found
                return Subscript(Placeholder(FixedList(name)), found.index)
        return mapped(part, one)

    return with_values(one(code), fixed)


def annotation(name: str) -> Expr:
    """The type of a param in a signature."""
    if name.endswith("[]"):
        return subscript(Name("tuple"), Name(name[:-2]), Literal(...))
    return Name("str" if name == "op" else name)


def either_none(kind: Expr) -> Expr:
    """`int | None`."""
    return Binary("|", kind, lit(None))
