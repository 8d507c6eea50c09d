"""From the uses of a scope to the IR of its class: what `__init__` builds, and `forward` as values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from compiler.codegen.python import (
    Compare,
    Conditional,
    Expr,
    Logic,
    Placeholder,
    call,
    lit,
)
from compiler.elaborate.check_names import formulas
from compiler.expr.syntax import names_in
from compiler.infer.call_op import op_inputs
from compiler.infer.repeats import fed_ports
from compiler.ir.graph import Node, Ref, Scope
from compiler.ir.module import (
    Body,
    Carried,
    Choose,
    Collected,
    Let,
    Local,
    Loop,
    Member,
    Origin,
    RunScan,
    Stmt,
    target_of,
)
from compiler.ir.sequential import is_chain
from compiler.ir.typed import TypedNode
from compiler.language.spec import Spec
from compiler.lower.class_plan import ClassPlan, Plans, Run
from compiler.lower.demands import Demand, equal_sizes
from compiler.lower.emit import (
    Emitted,
    LayerCode,
    Produce,
    Unwritten,
    emit,
    joint_types,
    name_code,
    value_code,
)
from compiler.lower.scan_start import start_code
from compiler.op.arg_types import Formula
from compiler.op.op import Op
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

Given = dict[str, Expr | tuple[Expr, ...] | None]
"""The expressions of a layer's inputs by port."""


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


def is_sequential(plan: ClassPlan) -> bool:
    """Whether a scope needs no class, being an `nn.Sequential` of what stands in its list."""
    targets = [node.target for node in plan.layers.values()]
    single = all(len(node.outputs) <= 1 for node in plan.layers.values())
    return (
        single
        and is_chain(plan.scope)
        and all(
            isinstance(target, Scope) or (bool(target.module) and target.chains)
            for target in targets
        )
        and not any(_is_dynamic(plan, node) for node in plan.scope.nodes.values())
    )


def _is_dynamic(plan: ClassPlan, node: Node) -> bool:
    """Whether an argument of a layer is known only when the network runs."""
    used = {
        name
        for _, formula in formulas(node.layer, node.arguments)
        for name in names_in(formula.expr)
    }
    return any(
        isinstance(value, Dim) and value.constant is None
        for use in plan.uses
        for name in used
        if (value := use.values.get(name)) is not None
    )


def build_class(plan: ClassPlan, plans: Plans, spec: Spec) -> ClassIR:
    """The IR of one class.

    Raises:
        Parted: where its uses need several.
        Unwritten: where no code says what a layer does.
    """
    return ClassBuilder(plan, plans, spec).built()


class ClassBuilder:
    """Gathers the IR of one class."""

    def __init__(self, plan: ClassPlan, plans: Plans, spec: Spec) -> None:
        self.plan, self.plans, self.spec = plan, plans, spec
        self.values: dict[tuple[str, str], Expr | None] = {}
        self.origins: dict[int, Origin] = {}
        self.held: list[Held] = []
        self.statements: list[Stmt] = []
        self.library: set[str] = set()
        self.overwriting: dict[int, tuple[Local, Expr]] = {}
        self.inputs: list[tuple[str, Local]] = []
        self._built: dict[str, bool] = {}
        self.touched: dict[str, None] = {}
        self.demands: list[Demand] = []
        self._steps: dict[tuple[str, int], Local] = {}
        present = plan.ports()
        for port in plan.scope.inputs:
            value = self._value(Origin("", port))
            self.inputs.append((port, value))
            self.values[(port, "")] = Placeholder(value) if port in present else None

    def built(self) -> ClassIR:
        live = self.plan.live()
        for node, typed in self.plan.ordered():
            runs = self.plan.runs(node.name)
            self._hold(typed, runs)
            if node.name in live:
                self._run(typed, runs)
        outputs = tuple(self._needed(ref) for ref in self.plan.scope.outputs.values())
        body = Body(tuple(self.inputs), tuple(self.statements), outputs, self.origins)
        return ClassIR(
            self.plan,
            tuple(self.held),
            body,
            tuple(self.conditions),
            frozenset(self.library),
            self.overwriting,
            (*equal_sizes(self.plan), *self.demands),
            tuple(self.touched),
        )

    def _demand_copies(self, typed: TypedNode, reason: str) -> None:
        """A number of copies must be at least 1, where a param decides it."""
        repeat, when = typed.node.layer.repeat, typed.node.layer.when
        if repeat is None or not isinstance(repeat.count, Formula):
            return
        test: Expr = Compare("<", value_code(repeat.count), lit(1))
        if when is not None:
            test = Logic("and", (value_code(when), test))
        self.demands.append((test, f"{repeat.count.text} must be at least 1: {reason}"))

    # What the code of an op asks.

    def step(self, index: int, origin: Origin) -> Local:
        """A value on the way to a layer's output: the same one each time the layer's code is asked for."""
        key = origin.layer, index
        if key not in self._steps:
            self._steps[key] = self._value(origin)
        return self._steps[key]

    def may_be_none(self, ref: Ref) -> bool:
        """Whether a value is an optional input of the class."""
        return ref.node in self.plan.scope.inputs and self.plan.is_optional(ref.node)

    @cached_property
    def conditions(self) -> list[Expr]:
        """The conditions of the scope, by which sizes and classes may differ."""
        found: dict[Expr, None] = {}
        for node in _nodes(self.plan.scope):
            if node.layer.when is not None:
                found[value_code(node.layer.when)] = None
            for _, formula in formulas(node.layer, node.arguments):
                code = value_code(formula)
                if isinstance(code, Compare):
                    found[code] = None
        for name, param in self.plan.scope.environment.params.items():
            if param.type == "bool" or isinstance(param.default, bool):
                found[name_code(name)] = None
        return list(found)

    # What __init__ builds.

    def _hold(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        name = typed.node.name
        if typed.node.shared:
            self._built[name] = self._built.get(typed.node.shared, False)
            return
        self._built[name] = False
        if not runs or self.plan.decides(name) is False:
            return
        build = self._build(typed, runs)
        if build is None:
            return
        self._built[name] = True
        repeat = typed.node.layer.repeat
        copies = repeat is not None and not repeat.share
        if repeat is not None and repeat.share:
            self._demand_copies(typed, f"all copies share the weights of {name}")
        present = typed.node.layer.when is None or self.plan.decides(name) is True
        self.held.append(Held(typed, build, copies, present))

    def _build(self, typed: TypedNode, runs: Sequence[Run]) -> Expr | None:
        """The expression that builds one copy of a layer; None for a pure function."""
        if isinstance(typed.target, Scope):
            return self._construct(typed, runs)

        def construct(op: Op, code: LayerCode) -> Expr | None:
            self.library |= {op.carries(code)} - {""}
            return op.construct(code, **op_inputs(type(op), code.types))

        return wrapped(typed, self._emit(typed, runs, construct).value)

    def _construct(self, typed: TypedNode, runs: Sequence[Run]) -> Expr:
        by_plan: dict[int, tuple[ClassPlan, list[Run]]] = {}
        for run in runs:
            assert run.call.instance is not None
            plan = self.plans.of(run.call.instance)
            by_plan.setdefault(id(plan), (plan, []))[1].append(run)
        if len(by_plan) == 1:
            ((plan, _),) = by_plan.values()
            if is_sequential(plan):
                return self._sequential(plan)
        made = tuple((plan, tuple(found)) for plan, found in by_plan.values())
        return Placeholder(Construct(typed, made))

    def _sequential(self, plan: ClassPlan) -> Expr:
        """`nn.Sequential(...)` for a group that is written as a list of modules."""
        inner = ClassBuilder(plan, self.plans, self.spec)
        inner.origins = self.origins
        modules = []
        for node, typed in plan.ordered():
            runs = plan.runs(node.name)
            if not runs:
                raise Unwritten(plan, node.name, "a layer of the list does not run")
            modules.append(inner._link(typed, runs))
        self.library |= inner.library
        return call("nn.Sequential", *modules)

    def _link(self, typed: TypedNode, runs: Sequence[Run]) -> Expr:
        if isinstance(typed.target, Scope):
            return self._construct(typed, runs)

        def build(op: Op, code: LayerCode) -> Expr:
            self.library |= {op.carries(code)} - {""}
            return op.build(code, **op_inputs(type(op), code.types))

        emitted = self._emit(typed, runs, build)
        built = emitted.value
        if emitted.overwriting is not None and self._follows_new(typed):
            built = emitted.overwriting
        wrapped_ = wrapped(typed, built)
        assert wrapped_ is not None
        return wrapped_

    def _follows_new(self, typed: TypedNode) -> bool:
        """Whether the layer before this one in a list gives a new tensor that it may overwrite."""
        names = list(self.plan.scope.nodes)
        place = names.index(typed.node.name)
        if place == 0:
            return False
        before = self.plan.runs(names[place - 1])
        return all(run.call.op is not None and run.call.op.fresh for run in before)

    # What forward does.

    def _run(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        layer = typed.node.layer
        decided = self.plan.decides(typed.node.name)
        if not runs or decided is False:
            self._pass_on(typed)
        elif layer.scan is not None:
            self._scan(typed, runs)
        elif layer.repeat is not None:
            self._loop(typed, runs)
        elif layer.when is not None and decided is None:
            self._choice(typed, runs)
        else:
            emitted = self._apply(
                typed, runs, self._inputs(typed), Placeholder(self._member(typed))
            )
            self._bind(typed, emitted)

    def _inputs(self, typed: TypedNode) -> Given:
        given: Given = {}
        for port, ref in typed.inputs.items():
            if isinstance(ref, tuple):
                given[port] = tuple(self._needed(item) for item in ref)
            else:
                given[port] = self.values[(ref.node, ref.port)]
        return given

    def _needed(self, ref: Ref) -> Expr:
        value = self.values[(ref.node, ref.port)]
        return lit(None) if value is None else value

    def _member(self, typed: TypedNode) -> Member:
        return Member(typed.node.shared or typed.node.name)

    def _apply(
        self, typed: TypedNode, runs: Sequence[Run], given: Given, module: Expr
    ) -> Emitted:
        """The code of one run of a layer's target."""
        if isinstance(typed.target, Scope):
            instance = runs[0].call.instance
            assert instance is not None
            ports = self.plans.of(instance).ports()
            return Emitted(call(module, *arguments_in_order(ports, given)))
        types = joint_types(runs)

        def apply(op: Op, code: LayerCode) -> Expr:
            self.library |= {op.carries(code)} - {""}
            values = {
                port.name: given.get(port.name)
                if types.get(port.name) is not None
                else None
                for port in op.inputs
            }
            return op.apply(code, **values)

        emitted = self._emit(typed, runs, apply, module)
        self.touched.update(dict.fromkeys(emitted.touched))
        return emitted

    def _emit(
        self,
        typed: TypedNode,
        runs: Sequence[Run],
        produce: Produce,
        module: Expr | None = None,
    ) -> Emitted:
        held = module or Placeholder(self._member(typed))
        return emit(self, typed, runs, held, produce)

    def _bind(self, typed: TypedNode, emitted: Emitted) -> None:
        """Make the results of a layer values, unless its result is its input."""
        self.statements.extend(emitted.steps)
        value = emitted.value
        assert value is not None
        if len(typed.outputs) == 1 and isinstance(value, Placeholder):
            self._remember(typed, (value,))
            return
        target, values = self._results(typed)
        self.statements.append(
            Let(typed.node.name, target, value, tuple(typed.outputs.values()))
        )
        if emitted.overwriting is not None:
            self._note_overwriting(typed, values[0], emitted.overwriting)
        self._remember(typed, tuple(map(Placeholder, values)))

    def _note_overwriting(self, typed: TypedNode, value: Local, code: Expr) -> None:
        first = next(iter(typed.inputs.values()))
        source = (
            self.values[(first.node, first.port)] if isinstance(first, Ref) else None
        )
        if isinstance(source, Placeholder) and isinstance(source.key, Local):
            self.overwriting[value.number] = source.key, code

    def _results(self, typed: TypedNode) -> tuple[Expr, tuple[Local, ...]]:
        """A new value for each output, and how an assignment takes them."""
        many = len(typed.outputs) > 1
        values = tuple(
            self._value(Origin(typed.node.name, port if many else ""))
            for port in typed.outputs
        )
        return self._target(typed, values), values

    def _target(self, typed: TypedNode, values: tuple[Local, ...]) -> Expr:
        placeholders: tuple[Expr, ...] = tuple(map(Placeholder, values))
        op = typed.calls[0].op if typed.calls else None
        return op.targets(placeholders) if op is not None else target_of(placeholders)

    def _remember(self, typed: TypedNode, values: Sequence[Expr | None]) -> None:
        for place, (port, value) in enumerate(zip(typed.outputs, values, strict=True)):
            self.values[(typed.node.name, port)] = value
            if place == 0:
                self.values[(typed.node.name, "")] = value

    def _value(self, origin: Origin) -> Local:
        value = Local(len(self.origins))
        self.origins[value.number] = origin
        return value

    # Layers that are off.

    def _passed(self, typed: TypedNode) -> Expr:
        """What a layer passes on where it is off: its `else`, or its first input."""
        if typed.node.otherwise is not None:
            return self._needed(typed.node.otherwise)
        first = next(iter(self._inputs(typed).values()))
        first = first[0] if isinstance(first, tuple) else first
        return lit(None) if first is None else first

    def _pass_on(self, typed: TypedNode) -> None:
        """A layer that no use of the class runs."""
        self._remember(typed, [self._passed(typed)] + [None] * (len(typed.outputs) - 1))

    def _test(self, typed: TypedNode) -> Expr:
        """Whether a layer with `when` runs: whether its module is there, else the condition itself."""
        if self._built[typed.node.name]:
            return Compare("is not", Placeholder(self._member(typed)), lit(None))
        return value_code(typed.node.layer.when)

    def _choice(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        """`when`: the layer where it holds, else its first input."""
        emitted = self._apply(
            typed, runs, self._inputs(typed), Placeholder(self._member(typed))
        )
        other = self._passed(typed)
        value = emitted.value
        assert value is not None
        if value == other:
            self._remember(typed, [value])
        elif len(typed.outputs) == 1 and not emitted.steps:
            op = runs[0].call.op
            code = Conditional(self._test(typed), value, other)
            after = self._value(Origin(typed.node.name))
            plain = op is None or op.targets((Placeholder(after),)) == Placeholder(
                after
            )
            if plain:
                self.statements.append(
                    Let(
                        typed.node.name,
                        Placeholder(after),
                        code,
                        tuple(typed.outputs.values()),
                    )
                )
                self._remember(typed, [Placeholder(after)])
                return
            self._choose(typed, (), value, other)
        else:
            self._choose(typed, emitted.steps, value, other)

    def _choose(
        self, typed: TypedNode, steps: Sequence[Stmt], value: Expr, other: Expr
    ) -> None:
        kinds = tuple(typed.outputs.values())
        target, values = self._results(typed)
        self._either(
            typed, (*steps, Let(typed.node.name, target, value, kinds)), values, other
        )

    def _either(
        self,
        typed: TypedNode,
        body: tuple[Stmt, ...],
        values: Sequence[Local],
        other: Expr,
    ) -> None:
        """A statement under a condition: its values, or the first input and nothing else."""
        results = []
        for place, value in enumerate(values):
            after = self._value(self.origins[value.number])
            results.append((after, value, other if place == 0 else None))
        kinds = tuple(typed.outputs.values())
        self.statements.append(
            Choose(typed.node.name, self._test(typed), body, tuple(results), kinds)
        )
        self._remember(typed, [Placeholder(after) for after, _, _ in results])

    # Copies.

    def _loop(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        """`repeat`: the outputs of a copy are the inputs of the next."""
        repeat = typed.node.layer.repeat
        assert repeat is not None
        name = typed.node.name
        given = self._inputs(typed)
        ports = [port for port in typed.outputs if port not in repeat.stack]
        many = len(ports) > 1
        fed = fed_ports(ports, list(given))
        starts: dict[str, Expr] = {}
        inside: dict[str, Local] = {}
        for source, port in fed.items():
            start = given[port]
            first = start[0] if isinstance(start, tuple) else start
            starts[source] = lit(None) if first is None else first
            inside[source] = self._value(Origin(name, source if many else ""))
            state = Placeholder(inside[source])
            given[port] = (state, *start[1:]) if isinstance(start, tuple) else state
        copies = self._built[name] and not repeat.share
        holder = self._value(Origin(name, step="copy")) if copies else None
        module: Expr = (
            Placeholder(self._member(typed)) if holder is None else Placeholder(holder)
        )
        emitted = self._apply(typed, runs, given, module)
        assert emitted.value is not None
        if (
            len(ports) == 1
            and inside
            and emitted.value == Placeholder(inside[ports[0]])
            and not repeat.stack
        ):
            self._remember(typed, [starts[ports[0]]])
            return
        values = {
            port: self._value(Origin(name, port if many else "")) for port in ports
        }
        kinds = tuple(typed.outputs[port] for port in ports)
        target = self._target(typed, tuple(values.values()))
        body = (*emitted.steps, Let(name, target, emitted.value, kinds))
        carried = tuple(
            Carried(
                source,
                starts[source],
                inside[source],
                values[source],
                self._value(self.origins[inside[source].number]),
                _tensor(runs[0].call.inputs.get(port)),
            )
            for source, port in fed.items()
        )
        after = {one.port: one.after for one in carried}
        last = tuple(
            (self._value(Origin(name, port if many else "")), values[port])
            for port in ports
            if port not in fed
        )
        after |= {
            port: end
            for port, (end, _) in zip(
                (p for p in ports if p not in fed), last, strict=True
            )
        }
        collected = tuple(
            Collected(
                stack,
                values[port],
                self._value(Origin(name, stack, step="list")),
                self._value(Origin(name, stack, step="stack")),
                typed.outputs[stack],
            )
            for stack, port in repeat.stack.items()
            if stack in typed.outputs
        )
        if any(port not in fed for port in ports) or collected:
            self._demand_copies(typed, f"a copy gives {name} its outputs")
        times = (
            repeat.count.text
            if isinstance(repeat.count, Formula)
            else str(repeat.count)
        )
        count = count_code(typed) if holder is None else None
        self.statements.append(
            Loop(name, holder, count, carried, last, collected, body, times)
        )
        found = {**after, **{one.name: one.after for one in collected}}
        self._remember(typed, [Placeholder(found[port]) for port in typed.outputs])

    # Time.

    def _scan(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        scan = typed.scan or runs[0].node.scan
        target = typed.target
        assert scan is not None and isinstance(target, Scope)
        self.library.add("scan")
        given = self._inputs(typed)
        known = {
            port: value
            for port, value in given.items()
            if not isinstance(value, tuple) and value is not None
        }
        apart = [port for port in known if port in scan.axes]
        whole = [port for port in known if port not in scan.axes]
        results = [
            *scan.carry,
            *(port for port in typed.outputs if port not in scan.carry),
        ]
        values = {
            port: self._value(Origin(typed.node.name, port if len(results) > 1 else ""))
            for port in results
        }
        instance = runs[0].call.instance
        assert instance is not None
        statement = RunScan(
            typed.node.name,
            tuple(values[port] for port in results),
            tuple(known[port] for port in apart),
            tuple(self._start(typed, name, known[apart[0]]) for name in scan.carry),
            tuple(known[port] for port in whole),
            tuple(scan.axes[port] for port in apart),
            typed.node.layer.reverse,
            (*apart, *scan.carry, *whole),
            tuple(results),
            tuple(self.plans.of(instance).ports()),
            tuple(target.outputs),
            tuple(typed.outputs[port] for port in results),
        )
        ordered = [values[port] for port in typed.outputs]
        if typed.node.layer.when is not None:
            self._either(typed, (statement,), ordered, self._passed(typed))
            return
        self.statements.append(statement)
        self._remember(typed, tuple(map(Placeholder, ordered)))

    def _start(self, typed: TypedNode, name: str, like: Expr) -> Expr:
        """What a state is before the first step."""
        carry = typed.node.carry[name]
        if carry.ref is not None:
            return self._needed(carry.ref)
        return start_code(typed, name, like)


def _nodes(scope: Scope) -> Iterator[Node]:
    """The layers of a scope, those of its groups too, which have the same names."""
    for node in scope.nodes.values():
        yield node
        if isinstance(node.target, Scope) and node.target.kind == "group":
            yield from _nodes(node.target)


def _tensor(kind: object) -> TensorType | None:
    return kind if isinstance(kind, TensorType) else None


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


def arguments_in_order(order: Sequence[str], given: Given) -> list[Expr]:
    """The inputs of a block by position; None before one that is given."""
    values = [given.get(port) for port in order]
    while values and values[-1] is None:
        values.pop()
    found: list[Expr] = []
    for value in values:
        assert not isinstance(value, tuple)
        found.append(lit(None) if value is None else value)
    return found
