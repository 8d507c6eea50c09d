"""`init`: how weights start, by op for a whole network and by layer where a layer says so."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping

from compiler.codegen.python import (
    Binary,
    Call,
    Compare,
    Expr,
    Logic,
    Name,
    Placeholder,
    Slice,
    Subscript,
    TupleExpr,
    attr,
    call,
    lit,
    method,
    subscript,
)
from compiler.codegen.statements import Assign, ExprStatement, For, If, Stmt
from compiler.codegen.traversal import filled, map_line, placeholders
from compiler.expr.syntax import names_in
from compiler.infer.repeats import counts_copies
from compiler.ir.graph import Scope
from compiler.ir.module import ScopeName
from compiler.ir.typed import Instance, LayerCall, TypedNode, walk_instances
from compiler.language.initializers import Initializer
from compiler.language.parametrizations import PREFIX
from compiler.language.spec import Spec
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan
from compiler.lower.member_code import (
    copies,
    is_there,
    member,
    read_tensor,
    tensor_path,
)
from compiler.lower.parted import Unwritten
from compiler.lower.scope_code import value_code
from compiler.op.registry import find_op
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.symbol_table import COUNTER

MODULE = Name("module")
INNER = Name("inner")


def reset_lines(
    ir: ClassIR,
    classes: Collection[ClassIR],
    spec: Spec,
    params: Mapping[str, Value],
) -> list[Stmt]:
    """The lines of `reset_parameters` of a class: empty where nothing says how its weights start.

    A network starts all that it holds: by op, then the layers of blocks that have a rule of their own, then its own
    layers, so that the rule of a layer is the last.

    `params` are those of the networks: a block does not have them, so that it has their values.
    """
    if ir.plan.scope.kind != "network":
        return own_reset(ir, _evaluated(spec, params))
    inside = list(_with_those_off(ir.plan.uses))
    by_op = _by_op(spec, inside)
    in_blocks = _blocks(inside, classes) if spec.init else []
    blocks = _by_block(in_blocks, spec)
    # An object comes before what it holds, so that the rule of an op would come last.
    ties = any(_ties(one, spec) for one in in_blocks) or _starts_origin(ir, spec)
    last = _contradict(inside, spec) or ties
    rounds = [by_op, blocks] if last else [[*by_op, *blocks]]
    composite = _composites(inside, spec) if by_op else []
    loops = [_chained(one) for one in rounds if one]
    lines: list[Stmt] = []
    if composite:
        lines += _inner_modules(composite)
        loops = [_guard(Compare("not in", MODULE, INNER), body) for body in loops]
    lines += [For(MODULE, call("self.modules"), body) for body in loops]
    return [*lines, *own_reset(ir, spec)]


def names_in_reset(lines: Iterable[Stmt]) -> dict[str, None]:
    """The names of the scope that lines of `reset_parameters` are made of."""
    found: dict[str, None] = {}

    def note(code: Expr) -> Expr:
        keys = placeholders(code)
        found.update((x.name, None) for x in keys if isinstance(x, ScopeName))
        return code

    for line in lines:
        map_line(line, note)
    return found


def params_in_blocks(classes: Iterable[ClassIR], spec: Spec) -> set[str]:
    """The params of networks on which depends how blocks initialise tensors by a rule of the file."""
    asked = {
        name: {n for rule in rules.values() for n in _names(rule)}
        for name, rules in spec.init.items()
    }
    nodes = (
        typed
        for ir in classes
        if ir.plan.scope.kind != "network" and any(asked.values())
        for typed in ir.plan.layers.values()
    )
    ops = (
        typed.calls[0].op for typed in nodes if typed.calls and _by_itself(typed, spec)
    )
    return {name for op in ops if op is not None for name in asked.get(op.name, ())}


def _names(rule: Initializer) -> Iterator[str]:
    for formula in rule.formulas.values():
        yield from names_in(formula.expr)


def _evaluated(spec: Spec, params: Mapping[str, Value]) -> Spec:
    """The spec with the values of the formulas in `init`."""
    if not any(r.formulas for rules in spec.init.values() for r in rules.values()):
        return spec
    known = {
        op: {
            tensor: made
            for tensor, rule in rules.items()
            if (made := _with_values(rule, params)) is not None
        }
        for op, rules in spec.init.items()
    }
    return spec.model_copy(update={"init": known})


def _with_values(rule: Initializer, params: Mapping[str, Value]) -> Initializer | None:
    """A rule with what its formulas come to; None where they come to nothing, which is an error if a layer needs it."""
    try:
        values = {n: evaluate(one.expr, params) for n, one in rule.formulas.items()}
    except ExpressionError:
        return None
    return rule.model_copy(update=values)


def _composites(inside: Iterable[Instance], spec: Spec) -> list[str]:
    """The modules of ops that hold modules of others, which the rules of other ops would reach: these are no layers."""
    runs = (
        run for use in inside for node in use.nodes.values() for run in node.shown.calls
    )
    return sorted(
        {
            run.op.module
            for run in runs
            if run.op is not None
            and run.op.module
            and _is_reached(run.op.name, run, spec)
        }
    )


def _is_reached(op: str, run: LayerCall, spec: Spec) -> bool:
    """Whether the rule of another op may be for a tensor inside the module of an op, and is not the op's own."""
    own = spec.init.get(op, {})
    for path in run.weights:
        inner, _, tensor = path.rpartition(".")
        if inner and not path.startswith(PREFIX):
            others = (given for name, given in spec.init.items() if name != op)
            if any(
                tensor in given and given[tensor] != own.get(path) for given in others
            ):
                return True
    return False


def _guard(test: Expr, body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """Statements under a condition; of one `if` without an `else` the condition is made stricter."""
    first = body[0]
    if len(body) == 1 and isinstance(first, If) and not first.orelse:
        return (If(Logic("and", (test, first.test)), first.body),)
    return (If(test, body),)


def _inner_modules(composite: list[str]) -> list[Stmt]:
    """`inner`: the modules inside those of other ops."""
    inner = method(
        INNER,
        "update",
        Subscript(call("list", method(MODULE, "modules")), (Slice(lit(1)),)),
    )
    test = call("isinstance", MODULE, _union(composite))
    kind = subscript(Name("set"), Name("nn.Module"))
    return [
        Assign((INNER,), call("set"), annotation=kind),
        For(MODULE, call("self.modules"), (If(test, (ExprStatement(inner),)),)),
    ]


def _with_those_off(uses: Iterable[Instance]) -> Iterator[Instance]:
    """The instances that uses stand on, those that only other values of the params would run, too."""
    for instance in walk_instances(uses, inferred=True):
        yield instance
        for node in instance.nodes.values():
            off = () if node.calls else node.speculative
            inner = (call.instance for call in off)
            found = (one for one in inner if one is not None)
            yield from walk_instances(found, inferred=True)


def _contradict(inside: Iterable[Instance], spec: Spec) -> bool:
    """Whether a layer of a block says of a tensor what its op says, too."""
    return any(
        tensor in spec.init.get(call.op.name, {})
        for use in inside
        if use.scope.kind != "network"
        for node in use.nodes.values()
        for call in node.shown.calls
        if call.op is not None and not _is_tensor(node.shown)
        for tensor in node.node.layer.init or {}
    )


def starts_itself(ir: ClassIR, spec: Spec) -> bool:
    """Whether the constructor calls `reset_parameters`: a block does so where no network does it for all blocks."""
    return ir.plan.scope.kind == "network" or not spec.init


def own_reset(ir: ClassIR, spec: Spec) -> list[Stmt]:
    """The lines for the layers of one class: those that have an `init` of their own, and what is tied to others."""
    lines: list[Stmt] = []
    for node, typed in ir.plan.ordered():
        rules = _rules(typed, spec)
        if (
            not rules
            or not typed.calls
            or node.shared
            or isinstance(typed.target, Scope)
            or ir.plan.builds(node.name) is False
        ):
            continue
        held = member(ir.plan, node.name)
        if node.layer.repeat is not None and not node.layer.repeat.share:
            lines.append(_of_copies(copies(ir.plan, node.name), rules))
        elif ir.plan.built_when(node.name) is not None:
            there = is_there(ir.plan, node.name)
            lines.append(If(there, tuple(_lines(held, rules, typed))))
        else:
            lines.extend(_lines(held, rules, typed))
    return [*lines, *_origins(ir, spec)]


def _of_copies(each: Expr, rules: Mapping[str, Initializer]) -> For:
    """The lines for each module of a list; they may ask for its number."""
    body = tuple(_in_each(rules))
    if not counts_copies(rules):
        return For(Name("layer"), each, body)
    target = TupleExpr((Name(COUNTER), Name("layer")))
    return For(
        target, call("enumerate", each), tuple(map_line(x, _counting) for x in body)
    )


def _counting(code: Expr) -> Expr:
    """Code inside of a loop over copies, where `i` is a variable."""

    def fill(key: Hashable) -> Expr:
        return Name(COUNTER) if key == ScopeName(COUNTER) else Placeholder(key)

    return filled(code, fill)


def _origins(ir: ClassIR, spec: Spec) -> Iterator[Stmt]:
    """What a tied tensor starts as: the rule of its origin comes last, where that of its own op reached it."""
    done: set[str] = set()
    for typed, rule, path, origin in _tied(ir.plan, spec):
        if path in done or _block_starts(ir.plan, typed, rule, *origin, spec):
            continue
        _require_names(ir.plan, typed.node.name, *origin)
        lines = list(_as_origin(ir.plan, *origin, path, rule, spec))
        done |= {path} if lines else set()
        yield from lines


def _tied(
    plan: ClassPlan, spec: Spec
) -> Iterator[tuple[TypedNode, Initializer, str, tuple[TypedNode, str]]]:
    """The tied tensors that a rule of their layer, or for its op, reaches: layer, rule, path, where the path leads."""
    for node, typed in plan.ordered():
        op = typed.calls[0].op if typed.calls else None
        if node.layer.tie is None or op is None:
            continue
        for tensor, path in node.layer.tie.tensors.items():
            own, by_op = node.layer.init or {}, spec.init.get(op.name, {})
            rule = own.get(tensor, by_op.get(tensor))
            layer, _, rest = path.partition(".")
            origin = _layer_at(plan.layers.get(layer), rest)
            if rule is not None and origin is not None:
                yield typed, rule, path, origin


def _starts_origin(ir: ClassIR, spec: Spec) -> bool:
    """Whether a block has to start a tensor that is tied to, after the rules of ops have reached it."""
    return any(
        _block_starts(ir.plan, typed, rule, *origin, spec)
        for typed, rule, _, origin in _tied(ir.plan, spec)
    )


def _block_starts(
    plan: ClassPlan,
    tied: TypedNode,
    rule: Initializer,
    origin: TypedNode,
    tensor: str,
    spec: Spec,
) -> bool:
    """Whether the block of an origin starts it by a rule of its own after the rules of ops, and nothing comes later."""
    of_layer = any(rule is one for one in (tied.node.layer.init or {}).values())
    if of_layer or _is_here(plan, origin) or _by_itself(tied, spec):
        return False
    return tensor in (origin.node.layer.init or {})


def _is_here(plan: ClassPlan, origin: TypedNode) -> bool:
    """Whether an origin is a layer of the class."""
    here = plan.scope.nodes.get(origin.node.name)
    return here is not None and origin.node in here.each


def _require_names(plan: ClassPlan, layer: str, origin: TypedNode, tensor: str) -> None:
    """A layer of another scope is initialised again by what this scope knows.

    Raises:
        Unwritten: where its rule is a formula, whose names this scope does not have.
    """
    own = origin.node.layer.init or {}
    if tensor in own and not _is_here(plan, origin) and any(_names(own[tensor])):
        reason = f"{tensor} is initialised twice, the second time by a formula of another block"
        raise Unwritten(plan, layer, reason)


def _layer_at(typed: TypedNode | None, path: str) -> tuple[TypedNode, str] | None:
    """The layer of an op that a path inside a layer leads to, and the name that rules have for its tensor."""
    if typed is None or not typed.calls:
        return None
    repeat = typed.node.layer.repeat
    if repeat is not None and not repeat.share:
        _, _, path = path.partition(".")
    inner = typed.calls[0].instance
    if inner is None:
        return typed, path or "weight"  # it is itself the tensor
    name, _, rest = path.partition(".")
    return _layer_at(inner.nodes.get(name), rest)


def _as_origin(
    plan: ClassPlan,
    origin: TypedNode,
    tensor: str,
    path: str,
    rule: Initializer,
    spec: Spec,
) -> Iterator[Stmt]:
    """Start a tensor, at a path, as its origin starts it, where another op's rule may have reached it."""
    op = origin.calls[0].op
    assert op is not None
    rules = {**spec.init.get(op.name, {}), **(origin.node.layer.init or {})}
    holder = path.removesuffix(f".{tensor}")
    if tensor not in rules and op.module:
        yield from _reset(plan, holder, op.module)
        for name, one in rules.items():  # the reset undid them
            place = tensor_path(plan, f"{holder}.{name}")
            yield ExprStatement(_initialize(place, one))
        return
    if tensor not in rules:
        reason = f"{path} is initialised twice, the second time as {origin.node.name} begins: write its init"
        raise Unwritten(plan, origin.node.name, reason)
    if rules[tensor] != rule:
        yield ExprStatement(_initialize(tensor_path(plan, path), rules[tensor]))
    yield from op.restore(tensor_path(plan, holder))  # the other rule reached it


def _reset(plan: ClassPlan, path: str, kind: str) -> Iterator[Stmt]:
    """Start a module, at a path, as torch does."""
    if "." not in path and not plan.scope.chain:
        yield ExprStatement(method(member(plan, path), "reset_parameters"))
        return
    yield Assign((MODULE,), call("self.get_submodule", path))
    reset = ExprStatement(method(MODULE, "reset_parameters"))
    yield If(call("isinstance", MODULE, Name(kind)), (reset,))


def _is_tensor(typed: TypedNode) -> bool:
    """Whether the layer is itself the tensor, as a class token is."""
    return "" in typed.calls[0].weights


def _rules(typed: TypedNode, spec: Spec) -> Mapping[str, Initializer]:
    """What a layer says itself; a tensor that is no module gets what is said for its op, too.

    Of a layer that is off nobody has checked that it has these tensors.
    """
    own = typed.node.layer.init or {}
    op = typed.calls[0].op if typed.calls else None
    if op is None:
        return own
    if not _is_tensor(typed):
        known = {name for call in typed.calls for name in call.weights}
        own = {name: rule for name, rule in own.items() if name in known}
    return {**spec.init.get(op.name, {}), **own} if _by_itself(typed, spec) else own


def _by_itself(typed: TypedNode, spec: Spec) -> bool:
    """Whether no loop over modules reaches a layer of an op: its class initialises it."""
    op = typed.calls[0].op
    return op is not None and (_is_tensor(typed) or op.module in _contested(spec))


def _contested(spec: Spec) -> set[str]:
    """The torch modules that stand for several ops, which are to start differently."""
    rules: dict[str, list[object]] = {}
    for name, given in spec.init.items():
        op = find_op(name)
        if op is not None:
            rules.setdefault(op.module, []).append(given)
    return {m for m, all_ in rules.items() if any(one != all_[0] for one in all_)}


def _chained(branches: Iterable[tuple[str, tuple[Stmt, ...]]]) -> tuple[Stmt, ...]:
    """`if isinstance(module, A | B): ... elif ...`: the classes that start alike together."""
    kinds: dict[tuple[Stmt, ...], dict[str, None]] = {}
    for kind, body in branches:
        kinds.setdefault(body, {})[kind] = None
    chained: tuple[Stmt, ...] = ()
    for body, names in reversed(kinds.items()):
        test = call("isinstance", MODULE, _union(list(names)))
        if len(body) == 1 and isinstance(body[0], If) and not body[0].orelse:
            chained = (If(Logic("and", (test, body[0].test)), body[0].body, chained),)
        else:
            chained = (If(test, body, chained),)
    return chained


def _union(names: list[str]) -> Expr:
    first, *rest = map(Name, names)
    kind: Expr = first
    for other in rest:
        kind = Binary("|", kind, other)
    return kind


def _by_op(spec: Spec, inside: list[Instance]) -> list[tuple[str, tuple[Stmt, ...]]]:
    nodes = [node for use in inside for node in use.nodes.values()]
    runs = [run for node in nodes for run in node.shown.calls]
    rules: dict[str, dict[str, Initializer]] = {}
    absent: set[tuple[str, str]] = set()
    after: dict[str, dict[Stmt, None]] = {}
    for name, given in spec.init.items():
        mine = [run for run in runs if run.op is not None and run.op.name == name]
        module = mine[0].op.module if mine and mine[0].op is not None else ""
        if module and module not in _contested(spec):
            rules.setdefault(module, {}).update(given)
            absent |= {(module, t) for t in given for r in mine if t not in r.weights}
            for run in mine:
                after.setdefault(module, {}).update(dict.fromkeys(_restored(run)))
    return [
        (module, (*_guarded(MODULE, given, module, absent), *after.get(module, {})))
        for module, given in rules.items()
    ]


def _restored(run: LayerCall) -> tuple[Stmt, ...]:
    return () if run.op is None else run.op.restore(MODULE)


def _blocks(inside: Iterable[Instance], classes: Iterable[ClassIR]) -> list[ClassIR]:
    """The classes of the blocks among some instances."""
    found = {id(instance) for instance in inside}
    return [
        ir
        for ir in classes
        if ir.plan.scope.kind != "network"
        and any(id(use) in found for use in ir.plan.uses)
    ]


def _by_block(
    blocks: Iterable[ClassIR], spec: Spec
) -> list[tuple[str, tuple[Stmt, ...]]]:
    reset = ExprStatement(call("module.reset_parameters"))
    return [(ir.plan.name, (reset,)) for ir in blocks if own_reset(ir, spec)]


def _ties(ir: ClassIR, spec: Spec) -> bool:
    """Whether a tied tensor of a block is started again, after the rule of another op, by the block or its origin's."""
    return _starts_origin(ir, spec) or any(True for _ in _origins(ir, spec))


def _guarded(
    held: Expr,
    rules: Mapping[str, Initializer],
    module: str,
    absent: set[tuple[str, str]],
) -> list[Stmt]:
    lines: list[Stmt] = []
    for tensor, rule in rules.items():
        line = ExprStatement(_call(held, tensor, rule))
        if (module, tensor) in absent or tensor == "bias":
            lines.append(If(_has(held, tensor), (line,)))
        else:
            lines.append(line)
    return lines


def _in_each(rules: Mapping[str, Initializer]) -> list[Stmt]:
    """For the layers of a list, whose tensors a type checker does not know."""
    return [
        ExprStatement(_initialize(call("layer.get_parameter", tensor), rule))
        for tensor, rule in rules.items()
    ]


def _lines(
    held: Expr, rules: Mapping[str, Initializer], typed: TypedNode
) -> list[Stmt]:
    whole = _is_tensor(typed)
    return [
        ExprStatement(
            _initialize(held if whole else _typed_tensor(held, tensor, typed), rule)
        )
        for tensor, rule in rules.items()
    ]


def _typed_tensor(held: Expr, tensor: str, typed: TypedNode) -> Expr:
    """A tensor of a layer that has it; torch types the bias of a convolution as one that may be None."""
    op = typed.calls[0].op
    if tensor == "bias" and op is not None and op.module.startswith("nn.Conv"):
        return method(held, "get_parameter", tensor)
    return read_tensor(held, tensor)


def _call(held: Expr, tensor: str, rule: Initializer) -> Call:
    return _initialize(read_tensor(held, tensor) if tensor else held, rule)


def _initialize(place: Expr, rule: Initializer) -> Call:
    """`init.normal_(module.weight, std=0.02)`."""
    given = {name: value_code(value) for name, value in rule.given.items()}
    if rule.name == "constant":
        return call("init.constant_", place, *given.values())
    if rule.name == "log_arange":
        return _log_arange(place)
    return call(f"init.{rule.name}_", place, **given)


def _log_arange(place: Expr) -> Call:
    """`x.detach().copy_(torch.arange(1, x.shape[-1] + 1).log())`: every row alike."""
    end = Binary("+", subscript(attr(place, "shape"), -1), lit(1))
    row = method(call("torch.arange", 1, end), "log")
    return method(method(place, "detach"), "copy_", row)


def _has(held: Expr, tensor: str) -> Expr:
    """Whether a module has a tensor that others of its class lack."""
    place = read_tensor(held, tensor)
    if isinstance(place, Name):
        return Compare("is not", place, lit(None))
    known = call("dict", method(held, "named_parameters"))
    return Compare("in", lit(tensor), known)
