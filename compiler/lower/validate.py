"""Whether a class does in a use what inference says of it: the module run on types, statement by statement.

Every value of `forward` is followed to the layer and port that it is of, for one use at a time: which branch a
condition takes, what each size comes to, which class a copy has and with what arguments. What an op is given is held
against what the op writes when it is asked for that one run alone. Nothing here decides anything: it only refuses.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from compiler.codegen.expression_layout import flat
from compiler.codegen.python import (
    Call,
    Conditional,
    Expr,
    Literal,
    Name,
    Placeholder,
    lit,
    subscript,
)
from compiler.codegen.traversal import filled, mapped, placeholders
from compiler.dataclass import dataclass
from compiler.infer.call_op import op_inputs
from compiler.infer.repeats import feeds, for_copy
from compiler.ir.graph import Node, Ref, may_lack
from compiler.ir.module import (
    Choose,
    Collected,
    Let,
    Local,
    Loop,
    Member,
    RunScan,
    ScopeName,
    ScopeNumber,
    Stmt,
    defined,
)
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.lower.ask_op import Asked, Written, alone_code
from compiler.lower.class_ir import ClassIR, Construct, Held, count_code, wrapped
from compiler.lower.class_plan import ClassPlan, Run, chosen, first_ref
from compiler.lower.common_size import MOST_COPIES
from compiler.lower.constructors import Constructors, default_of
from compiler.lower.evaluate_code import (
    Unknown,
    fold,
    lookup,
    number_behind,
    number_code,
    value_of,
)
from compiler.lower.forward import routed_code
from compiler.lower.list_operands import with_lists
from compiler.lower.scan_start import start_code
from compiler.lower.scope_code import value_code
from compiler.lower.sizes import Kept
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.tensor import TensorType


class Invalid(Exception):
    """A class does not do in a use what the graph says."""

    def __init__(self, plan: ClassPlan, layer: str, use: Instance, reason: str) -> None:
        super().__init__(f"{plan.scope.name}.{layer}: {reason}")
        self.plan, self.layer, self.use, self.reason = plan, layer, use, reason


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a layer that runs, or an input of the scope (`port` "")."""

    layer: str
    port: str


@dataclass(frozen=True, slots=True)
class Passing:
    """What a copy of a repeated layer is given by the one before it."""

    layer: str
    port: str


_NOTHING = lit(None)
ABSENT = Output("", "")
"""An optional input that is not there."""


class Validator:
    """Holds classes against uses; each pair once."""

    def __init__(
        self, classes: Mapping[int, ClassIR], constructors: Constructors
    ) -> None:
        self.classes, self.constructors = classes, constructors
        self._done: dict[tuple[int, int], Invalid | None] = {}
        """What was found of a pair; None where it holds, and while it is looked at."""
        self.written: dict[tuple[Node, bool], tuple[Asked, Written]] = {}
        """What the op of each layer wrote last, in `__init__` and in `forward`."""

    def check(self, ir: ClassIR, use: Instance) -> None:
        """Hold a class against a use, and the classes that it builds there against theirs.

        Raises:
            Invalid: where it does something else.
        """
        use = use.inferred
        key = id(ir.plan), id(use)
        if key not in self._done:
            self._done[key] = None
            try:
                _Check(self, ir, use).run()
            except Invalid as error:
                self._done[key] = error
        known = self._done[key]
        if known is not None:
            raise known


class _Check:
    def __init__(self, validator: Validator, ir: ClassIR, use: Instance) -> None:
        self.validator, self.ir, self.plan, self.use = validator, ir, ir.plan, use
        self.held = {held.typed.node.name: held for held in ir.held}
        self.values: dict[int, Any] = {}
        """What each value of `forward` is here: an output, a number, or code."""
        self.layer = ""
        self._types: dict[Any, TensorType | None] = {}
        self._aliases: dict[str, Expr | None] = {}
        self._passed: dict[str, Expr] = {}
        self._codes: dict[str, Expr] = {}
        """What the op of a layer writes that runs once, by its name."""
        self._counted: dict[tuple[int, int, int], tuple[str, ...]] = {}
        self._lists: dict[str, Expr] = {}
        """The code of each list by its name: each copy may take an item of it."""

    def run(self) -> None:
        if len(self.use.nodes) < len(self.plan.scope.nodes):
            raise self._wrong("a layer of it is wrong here")
        if [*chosen(self.use)] != [*chosen(self.plan.first)]:
            raise self._wrong("a layer is another thing")
        for port, value in self.ir.body.inputs:
            there = self.use.inputs.get(port) is not None
            self.values[value.number] = Output(port, "") if there else ABSENT
        for node in self.plan.scope.nodes.values():
            self.layer = node.name
            if not node.shared:
                self._built(self.use.nodes[node.name])
        for statement in self.ir.body.statements:
            self._statement(statement)
        self.layer = ""
        for output, ref in zip(
            self.ir.body.outputs, self.plan.scope.outputs.values(), strict=True
        ):
            self._same(self._folded(output), self._token(ref), "an output")

    def _wrong(self, reason: str) -> Invalid:
        return Invalid(self.plan, self.layer, self.use, reason)

    def _same(self, found: object, wanted: object, what: str) -> None:
        if found != wanted:
            raise self._wrong(f"{what} is {found}, not {wanted}")

    def _same_code(self, found: Expr, wanted: Expr | None, what: str) -> None:
        """Hold code against other code that may differ in what changes no result."""
        if found != wanted and _plain(found) != (wanted and _plain(wanted)):
            raise self._wrong(f"{what} is {_shown(found)}, not {_shown(wanted)}")

    # What the graph says.

    def _token(self, ref: Ref) -> Expr:
        """What a reference stands for in this use: an output of a layer that runs, or an input."""
        node = self.use.nodes.get(ref.node)
        if node is None:
            there = self.use.inputs.get(ref.node) is not None
            return Placeholder(Output(ref.node, "")) if there else lit(None)
        if not node.calls:
            return self._first(node)
        if ref.port in node.items:
            return self._item(ref)
        if may_lack(node.node, ref.port) and ref.port not in node.outputs:
            return lit(None)
        module = self._alias(node)
        if module is not None:
            return module
        return Placeholder(Output(ref.node, ref.port or next(iter(node.outputs))))

    def _item(self, ref: Ref) -> Expr:
        """An item of a list that a layer collects."""
        name, number = ref.item or ("", 0)
        return subscript(Placeholder(Output(ref.node, name)), number)

    def _alias(self, node: TypedNode) -> Expr | None:
        """What a layer gives that gives a value as it is, or a tensor that is the layer itself."""
        name = node.node.name
        if name not in self._aliases:
            self._aliases[name] = self._found_alias(node)
        return self._aliases[name]

    def _found_alias(self, node: TypedNode) -> Expr | None:
        call = node.calls[0]
        layer = node.node.layer
        if call.op is None or layer.scan is not None or len(node.outputs) > 1:
            return None
        if layer.repeat is not None and (node.each or not layer.repeat.chained):
            return None
        if layer.repeat is not None:
            starts = self._given(node)
            port, start = next(iter(starts.items()), ("", None))
            state = Placeholder(Passing(node.node.name, port))
            several = isinstance(start, tuple)
            inside = (state, *start[1:]) if several and start else state
            alone = self._alone(node, call, {**starts, port: inside}, state)
            first = start[0] if several and start else start
            return first if alone == state else None
        code = self._code(node)
        return code if isinstance(code, Placeholder | Literal) else None

    def _code(self, node: TypedNode) -> Expr:
        """What the op of a layer that runs once writes, asked alone."""
        name = node.node.name
        if name not in self._codes:
            module = Placeholder(self._member(node))
            self._codes[name] = self._alone(
                node, node.calls[0], self._given(node), module
            )
        return self._codes[name]

    def _first(self, node: TypedNode) -> Expr:
        """What a layer passes on where it is off, behind others that are off."""
        steps: list[str] = []
        while node.node.name not in self._passed:
            steps.append(node.node.name)
            ref = node.node.otherwise or first_ref(node)
            assert ref is not None, "what passes nothing on has no output"
            before = self.use.nodes.get(ref.node)
            if before is None or before.calls:
                self._passed[node.node.name] = self._token(ref)
                break
            node = before
        found = self._passed[node.node.name]
        self._passed |= dict.fromkeys(steps, found)
        return found

    def _given(self, node: TypedNode) -> dict[str, Any]:
        """The inputs of a layer by port; None for one that is absent."""
        given: dict[str, Any] = {}
        for port, ref in node.inputs.items():
            if port in node.each and isinstance(ref, tuple):
                given[port] = tuple(map(self._token, ref))
            elif isinstance(ref, tuple):
                given[port] = with_lists(node, ref, self._token, self._list)
            else:
                token = self._token(ref)
                given[port] = None if token == _NOTHING else token
        return given

    def _list(self, layer: str, name: str) -> Expr:
        """A list that a layer collects."""
        return Placeholder(Output(layer, name))

    def _member(self, node: TypedNode) -> Member:
        return Member(node.node.shared or node.node.name)

    def _alone(
        self, node: TypedNode, call: LayerCall, given: Mapping[str, Any], module: Expr
    ) -> Expr:
        """What the op of one run writes for it, asked alone."""
        value, steps = self._written(Asked(node, call, module, given))
        assert value is not None
        return self._fold_steps(steps, value, _own_copy(node, call))

    def _written(self, asked: Asked) -> Written:
        """What the op of a run writes; it is not asked again for the next use if that differs in values alone."""
        key = asked.node.node, asked.given is None
        known = self.validator.written.get(key)
        if known is None or not known[0].is_same(asked):
            known = self.validator.written[key] = asked, asked.written(self.use)
        return known[1]

    def _fold_steps(self, steps: Sequence[Let], value: Expr, copy: int | None) -> Expr:
        for step in steps:
            (target,) = defined(step.target)
            self.values[target.number] = self._folded(step.value, copy)
        return self._folded(value, copy)

    # What the class says.

    def _folded(self, code: Expr, copy: int | None = None) -> Expr:
        """Code with every value, size and condition as it is in this use."""
        return fold(
            code, lambda key: self._fill(key, copy), self._size_at, self._present
        )

    def _fill(self, key: Hashable, copy: int | None) -> Expr:
        match key:
            case Local(number):
                value = self.values.get(number)
                if value is None:
                    raise self._wrong("a value is read before it is there")
                if value == ABSENT:
                    return lit(None)
                return (
                    Placeholder(value)
                    if isinstance(value, Output | Passing | Member)
                    else value
                )
            case Kept(name) | ScopeName(name):
                try:
                    return self._lists.get(name) or self._looked_up(name, copy)
                except Unknown:
                    raise self._wrong(f"{name} has no value") from None
            case ScopeNumber():
                try:
                    return number_code(number_behind(key, self.use))
                except Unknown:
                    raise self._wrong("a number of the scope has no value") from None
        return Placeholder(key)

    def _looked_up(self, name: str, copy: int | None) -> Expr:
        """The value of a name as code.

        Raises:
            Unknown: where it has none.
        """
        value = lookup(name, self.use, copy)
        code = number_code(value)
        if isinstance(value, tuple | list):
            self._lists[name] = code
        return code

    def _present(self, key: Hashable) -> bool | None:
        """Whether a member is there in this use."""
        if not isinstance(key, Member):
            return True if isinstance(key, Output | Passing) else None
        return key.layer in self.held and self.use.nodes[key.layer].is_built

    def _size_at(self, key: Hashable, axis: int) -> Expr | None:
        """The size of a value at an axis."""
        kind = None
        if isinstance(key, Output) and key.port:
            kind = self.use.nodes[key.layer].outputs.get(key.port)
        elif isinstance(key, Output):
            kind = self.use.inputs.get(key.layer)
        elif isinstance(key, Passing):
            kind = self._types.get(key)
        if kind is None or not -kind.rank <= axis < kind.rank:
            return None
        return number_code(self.use.context.value(kind.shape[axis]))

    # Building.

    def _built(self, node: TypedNode) -> None:
        held = self.held.get(node.node.name)
        repeat = node.node.layer.repeat
        if held is None:
            for call in node.calls:
                if (
                    call.instance is not None
                    or self._construction(node, call) is not None
                ):
                    raise self._wrong("nothing is built")
            return
        if held.copies:
            count = self._value(count_code(held.typed))
            self._same(count, node.count, "the number of copies")
        elif not held.present:
            test = self._value(value_code(held.when))
            self._same(bool(test), node.is_built, "the condition")
        elif node.node.layer.when is not None:
            self._same(node.is_built, True, "what is always there")
        counted = held.copies and self._depends_on_copy(held.build)
        for call in node.calls:
            copies: Iterable[int | None] = (None if repeat is None else call.counter,)
            if counted:  # equal copies are built by the same code, else
                copies = range(call.counter, call.counter + call.count)[:MOST_COPIES]
            for copy in copies:
                self._one(held, node, call, copy)

    def _depends_on_copy(self, code: Expr) -> bool:
        """Whether what is built depends on the number of a copy."""
        constructors = self.validator.constructors
        for key in placeholders(code):
            if key == ScopeName(COUNTER):
                return True
            if not isinstance(key, Construct):
                continue
            for test, plan, runs in constructors.choices(key, self.ir):
                given = (
                    constructors.argument(key, plan, runs, name, self.ir)
                    for name in constructors.of(plan).all
                )
                parts = [one for one in (test, *given) if one is not None]
                if any(map(self._depends_on_copy, parts)):
                    return True
        return False

    def _one(
        self, held: Held, node: TypedNode, call: LayerCall, copy: int | None
    ) -> None:
        built = held.build
        while call.instance is not None and isinstance(built, Conditional):
            test = self._value(built.test, copy)
            built = built.body if test else built.orelse
        if isinstance(built, Placeholder) and isinstance(built.key, Construct):
            self._construct(built.key, call, copy)
        elif call.instance is not None:
            self._chain(built, call.instance, copy)
        else:
            wanted, own = self._construction(node, call), _own_copy(node, call)
            if built != wanted or copy != own:
                wanted = None if wanted is None else self._folded(wanted, own)
                found = self._folded(built, copy)
                self._same_code(found, wanted, "what is built")

    def _value(self, code: Expr, copy: int | None = None) -> Any:
        try:
            return value_of(code, self.use, copy)
        except Unknown:
            raise self._wrong("a number cannot be worked out") from None

    def _construction(self, node: TypedNode, call: LayerCall) -> Expr | None:
        """What the op of one run builds for it, asked alone, in the names of the scope."""
        if call.op is None:
            return None
        return self._written(Asked(node, call, Placeholder(self._member(node))))[0]

    def _chain(self, built: Expr, instance: Instance, copy: int | None) -> None:
        """An `nn.Sequential` against a group whose layers it holds."""
        assert isinstance(built, Call)
        inner = _Check(self.validator, self.ir, instance)
        inner.layer = self.layer
        for code, node in zip(built.args, instance.nodes.values(), strict=True):
            call = node.calls[0]
            if isinstance(code, Placeholder) and isinstance(code.key, Construct):
                inner._construct(code.key, call, copy)
            elif call.instance is not None:
                inner._chain(code, call.instance, copy)
            else:
                assert call.op is not None
                alone = alone_code(
                    instance, node, call, Placeholder(self._member(node))
                )
                wanted = wrapped(
                    node, call.op.build(alone, **op_inputs(type(call.op), call.inputs))
                )
                assert wanted is not None
                found = inner._folded(code, copy)
                self._same_code(found, inner._folded(wanted), "what is built")

    def _construct(
        self, construct: Construct, call: LayerCall, copy: int | None
    ) -> None:
        instance = call.instance
        assert instance is not None
        constructors = self.validator.constructors
        plan: ClassPlan
        runs: Sequence[Run]
        plan, runs = construct.plans[0]
        for test, one, of in constructors.choices(construct, self.ir):
            plan, runs = one, of
            if test is None or self._value(test, copy):
                break
        if plan.scope is not instance.scope:
            raise self._wrong(f"a {plan.name} is built")
        for name in self._to_hold(construct, call, plan, runs):
            code = constructors.argument(construct, plan, runs, name, self.ir)
            if code is not None:
                found = self._value(code, copy)
            else:
                default = default_of(plan, name)
                found = (
                    instance.params.get(name)
                    if default is None
                    else _value_in(default, instance)
                )
            try:
                wanted = lookup(name, instance, None)
            except Unknown:
                if name not in plan.scope.environment.params:
                    continue  # a dimension of an input that is not given here
                raise self._wrong(f"{name} has no value") from None
            self._same(
                _plain_value(found), _plain_value(wanted), f"{name} of {plan.name}"
            )
        self.validator.check(self.validator.classes[id(plan)], instance)

    def _to_hold(
        self,
        construct: Construct,
        call: LayerCall,
        plan: ClassPlan,
        runs: Sequence[Run],
    ) -> tuple[str, ...]:
        """The arguments to look at in a copy: after the first of equal ones, those that depend on its number."""
        constructors = self.validator.constructors
        every = constructors.of(plan).all
        key = id(construct), id(call), id(plan)
        if key not in self._counted:
            codes = (
                (name, constructors.argument(construct, plan, runs, name, self.ir))
                for name in every
            )
            self._counted[key] = tuple(
                name
                for name, code in codes
                if code is not None and ScopeName(COUNTER) in placeholders(code)
            )
            return every
        return self._counted[key]

    # Running.

    def _statement(self, statement: Stmt) -> None:
        self.layer = statement.layer
        if not self.layer:
            assert isinstance(statement, Let)
            (target,) = defined(statement.target)
            self.values[target.number] = self._folded(statement.value)
            return
        node = self.use.nodes[self.layer]
        match statement:
            case Let():
                self._let(statement, node)
            case Choose():
                self._choose(statement, node)
            case Loop():
                self._loop(statement, node)
            case RunScan():
                self._scan(statement, node)

    def _let(self, let: Let, node: TypedNode) -> None:
        targets = list(defined(let.target))
        origin = self.ir.body.origins[targets[0].number]
        if origin.step:
            self.values[targets[0].number] = (
                self._folded(let.value) if node.calls else ABSENT
            )
            return
        value = self._folded(let.value)
        if not node.calls:
            self._same(value, self._first(node), "what is passed on")
            self.values[targets[0].number] = (
                value if not isinstance(value, Placeholder) else value.key
            )
            return
        if node.routed is not None:
            module = Placeholder(self._member(node))
            self._same(value, routed_code(module, self._given(node)), "what runs")
        elif node.calls[0].op is not None:
            self._same_code(value, self._code(node), "what runs")
        else:
            module = Placeholder(self._member(node))
            self._same_call(value, node, node.calls[0], self._given(node), module)
        self._results(targets, node)

    def _results(self, targets: Sequence[Local], node: TypedNode) -> None:
        self._same(len(targets), len(node.ports), "the number of outputs")
        for target, port in zip(targets, node.ports, strict=True):
            token = self._token(Ref(node.node.name, port))
            self.values[target.number] = (
                token.key if isinstance(token, Placeholder) else token
            )

    def _same_run(
        self,
        value: Expr,
        node: TypedNode,
        call: LayerCall,
        given: Mapping[str, Any],
        module: Expr,
    ) -> None:
        """Hold the code of a run against what its op, or its block, is to be given."""
        if call.op is not None:
            wanted = self._alone(node, call, given, module)
            self._same_code(value, wanted, "what runs")
        else:
            self._same_call(value, node, call, given, module)

    def _same_call(
        self,
        value: Expr,
        node: TypedNode,
        call: LayerCall,
        given: Mapping[str, Any],
        module: Expr,
    ) -> None:
        """Hold the call of a block against what it is to be given."""
        if not isinstance(value, Call) or value.func != module:
            raise self._wrong(f"{module} is not called")
        assert call.instance is not None
        ports = self._callee(node, call).ports()
        found = dict.fromkeys(call.instance.scope.inputs, lit(None))
        found |= dict(zip(ports, value.args, strict=False))
        wanted_ = {
            port: given.get(port) or lit(None) for port in call.instance.scope.inputs
        }
        self._same(found, wanted_, "what a block is given")

    def _callee(self, node: TypedNode, call: LayerCall) -> ClassPlan:
        held = self.held.get(node.node.shared or node.node.name)
        for key in placeholders(held.build) if held else ():
            if isinstance(key, Construct) and key.typed.target is node.target:
                return key.plans[0][0]
        assert call.instance is not None
        plan = ClassPlan((), call.instance.scope)
        plan.add(call.instance)
        return plan

    def _choose(self, choose: Choose, node: TypedNode) -> None:
        self._same(self._folded(choose.test), lit(bool(node.calls)), "the condition")
        if node.calls:
            for part in choose.body:
                self._statement(part)
            for after, inside, _ in choose.results:
                self.values[after.number] = self.values[inside.number]
            return
        for after, _, other in choose.results:
            if other is not None:
                value = self._folded(other)
                self._same(value, self._first(node), "what is passed on")
                self.values[after.number] = (
                    value.key if isinstance(value, Placeholder) else value
                )
            else:
                self.values[after.number] = ABSENT

    def _loop(self, loop: Loop, node: TypedNode) -> None:
        given = self._given(node)
        repeat = node.node.layer.repeat
        assert repeat is not None
        ports = list(self.plan.layers[loop.layer].of_copy)
        fed = feeds(node.node.layer, ports, given, node.each)
        if loop.count is not None:
            self._same(self._folded(loop.count), lit(node.count), "the number of runs")
        for one in loop.carried:
            start = given[fed[one.port]]
            start = start[0] if isinstance(start, tuple) else start
            self._same(
                self._folded(one.start),
                lit(None) if start is None else start,
                "what goes in",
            )
        for call in node.calls:
            for copy in range(call.counter, call.counter + call.count):
                if copy == call.counter or node.each:
                    self._copy(loop, node, call, copy, given, fed)
        for one in loop.carried:
            token = (
                self._token(Ref(loop.layer, one.port))
                if node.calls
                else self._folded(one.start)
            )
            self.values[one.after.number] = (
                token.key if isinstance(token, Placeholder) else token
            )
        for after, _ in loop.last:
            port = self.ir.body.origins[after.number].port or ports[0]
            self.values[after.number] = Output(loop.layer, port)
        for one_ in loop.collected:
            self.values[one_.result.number] = Output(loop.layer, one_.name)
            if one_.after is None and node.calls:
                self._collected(one_, node)

    def _item_of_copy(self, items: Expr, node: TypedNode, copy: int) -> Expr:
        """The item that a copy takes of a list, or of `reversed(list)`."""
        if isinstance(items, Call) and items.func == Name("reversed"):
            (items,), copy = items.args, node.count - 1 - copy
        return subscript(self._folded(items), copy)

    def _collected(self, collected: Collected, node: TypedNode) -> None:
        """Hold the copies that a list is of against those that the graph says."""
        copies = tuple(range(node.count))
        if collected.at is not None:
            copies = self._plain_number(self._folded(collected.at))
        wanted = node.lists.get(collected.name)
        self._same(copies, wanted, f"the copies of {collected.name}")

    def _plain_number(self, code: Expr) -> Any:
        """The value of code in which every name has its value."""
        try:
            return value_of(code, self.use)
        except Unknown:
            raise self._wrong("a number cannot be worked out") from None

    def _copy(
        self,
        loop: Loop,
        node: TypedNode,
        call: LayerCall,
        copy: int,
        every: Mapping[str, Any],
        fed: Mapping[str, str],
    ) -> None:
        given = for_copy(every, node.each, copy)
        for _, item, items in loop.items:
            self.values[item.number] = self._item_of_copy(items, node, copy)
        for one in loop.carried:
            port = fed[one.port]
            state = Passing(loop.layer, port)
            kind = call.inputs.get(port)
            self._types[state] = kind[0] if isinstance(kind, tuple) else kind
            self.values[one.inside.number] = state
            before = given[port]
            given[port] = (
                (Placeholder(state), *before[1:])
                if isinstance(before, tuple)
                else Placeholder(state)
            )
        module: Expr = Placeholder(self._member(node))
        if loop.holder is not None:
            self.values[loop.holder.number] = self._member(node)
        *steps, last = loop.body
        for step in steps:
            assert isinstance(step, Let)
            (target,) = defined(step.target)
            self.values[target.number] = self._folded(step.value, call.counter)
        assert isinstance(last, Let)
        self._same_run(
            self._folded(last.value, call.counter), node, call, given, module
        )

    def _scan(self, scan: RunScan, node: TypedNode) -> None:
        assert node.scan is not None
        given = {
            port: value
            for port, value in self._given(node).items()
            if value is not None
        }
        found = dict(
            zip(
                scan.order,
                [*scan.xs, *([None] * len(scan.carry)), *scan.shared],
                strict=True,
            )
        )
        for port, code in found.items():
            if code is not None:
                self._same(
                    self._folded(code),
                    given.get(port) or lit(None),
                    f"the input {port}",
                )
        self._same(
            [p for p in scan.order if p in node.scan.axes],
            list(node.scan.axes),
            "what is split",
        )
        self._same(
            scan.axes,
            tuple(node.scan.axes[p] for p in scan.order if p in node.scan.axes),
            "the axes",
        )
        for name, code in zip(node.scan.carry, scan.carry, strict=True):
            carry = node.node.carry[name]
            wanted = (
                self._token(carry.ref)
                if carry.ref
                else self._folded(start_code(node, name, given))
            )
            self._same(self._folded(code), wanted, f"the start of {name}")
        for port, target in zip(scan.results, scan.target, strict=True):
            if target is not None:
                self.values[target.number] = Output(scan.layer, port)


def _own_copy(node: TypedNode, call: LayerCall) -> int | None:
    """The number of the first copy that a run stands for; None if the layer is not repeated."""
    return call.counter if node.node.layer.repeat is not None else None


def _value_in(default: Any, instance: Instance) -> Any:
    try:
        return value_of(value_code(default), instance)
    except Unknown:
        return None


def _plain_value(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return tuple(map(_plain_value, value))
    if isinstance(value, Dim) and value.constant is not None:
        return value.constant
    return value


def _shown(code: Expr | None) -> str:
    """Code as it is read, each value by its layer."""

    def name(key: object) -> Expr:
        word = getattr(key, "layer", None) or getattr(key, "name", None)
        return Name(word if isinstance(word, str) and word.isidentifier() else "_")

    return "nothing" if code is None else flat(filled(code, name))


def _plain(code: Expr) -> Expr:
    """Code without what changes no result: the place of a result, and arguments that say what is so without them."""
    if isinstance(code, Call):
        args = list(map(_plain, code.args))
        while args and args[-1] == lit(None):
            args.pop()
        kwargs = tuple(
            (key, _plain(value))
            for key, value in code.kwargs
            if key != "inplace" and not _is_default(key, value)
        )
        return Call(_plain(code.func), tuple(args), kwargs)
    return mapped(code, _plain)


def _is_default(key: str, value: Expr) -> bool:
    """Whether an argument stands for an optional input that is not there, or says that no mask is causal."""
    if key.endswith("is_causal"):
        return value == lit(False)
    return value == lit(None)
