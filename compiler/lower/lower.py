"""TypedGraph -> Python: one class for each block and network, and the library modules that they stand on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import PurePath

from compiler.codegen.python import ListExpr, Name, lit
from compiler.codegen.statements import Assign, Class, Import, Module, Stmt
from compiler.codegen.traversal import used_names
from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.ir.module import LayerState, reads
from compiler.ir.typed import Instance, TypedGraph
from compiler.language.spec import Spec
from compiler.lower.build_class import build_class
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import (
    ClassPlan,
    Links,
    Parts,
    Plans,
    name_classes,
    plan_classes,
)
from compiler.lower.class_steps import Steps, Stream
from compiler.lower.constructors import Constructors
from compiler.lower.cut_static import cut_static
from compiler.lower.demands import bounds
from compiler.lower.documentation import module_docstring
from compiler.lower.initialization import reset_lines, starts_itself
from compiler.lower.inplace import overwrite
from compiler.lower.library_code import library_code
from compiler.lower.members import is_sequential
from compiler.lower.own_modules import (
    RecurrentModules,
    named_after_torch,
    with_own_modules,
)
from compiler.lower.parted import Parted, Symbolic, Unwritten
from compiler.lower.print_class import print_class
from compiler.lower.print_module_ir import print_module_ir
from compiler.lower.print_steps import state_class
from compiler.lower.probe import Prober
from compiler.lower.sizes import read_sizes
from compiler.lower.use_sizes import tell_uses
from compiler.lower.validate import Invalid, Validator
from compiler.op.library_sources import class_names
from compiler.symbolic.evaluate import Value

_IMPORTS = {
    "torch": Import("torch"),
    "Tensor": Import("torch", ("Tensor",)),
    "nn": Import("torch", ("nn",)),
    "F": Import("torch.nn", ("functional as F",)),
    "init": Import("torch.nn", ("init",)),
    "parametrizations": Import("torch.nn.utils", ("parametrizations",)),
    "math": Import("math"),
    "dataclass": Import("dataclasses", ("dataclass",)),
}


def lower(
    typed: TypedGraph,
    recurrent: RecurrentModules = "torch",
    stream: Stream | None = None,
    *,
    every_line: bool = False,
) -> Module:
    """The Python module of a spec; `codegen.printer.print_module` makes it text.

    `recurrent` says whose LSTM, GRU and RNN it has: torch's, or portable ones that it carries, which torch.compile
    and torch.export take whole.

    The graph must have been inferred without errors.

    Raises:
        SpecError: where no class says what a layer does.
    """
    assert not typed.failed, "a graph with errors has no code"
    spec = typed.graph.spec
    try:
        classes, constructors, steps = _stepped(_Merger(typed), stream, _proven)
        if recurrent == "torch":
            classes = list(map(with_own_modules, classes))
        printer = _FilePrinter(
            classes, constructors, spec, recurrent, steps, every_line
        )
        printed = printer.with_states(printer.each_once())
    except Unwritten as error:
        raise SpecError((_diagnostic(error),)) from error
    networks = [ir for ir in classes if ir.plan.scope.kind == "network"]
    carried = {name for ir in classes for name in ir.library}
    if any(steps is not None and steps.keeps(ir.plan) for ir in classes):
        carried.add("step_state")
    library = library_code(sorted(carried))
    exported = map(lit, sorted(ir.plan.name for ir in networks))
    names: Stmt = Assign((Name("__all__"),), ListExpr(tuple(exported)))
    body: tuple[Stmt, ...] = (*library.code, *printed)
    file = PurePath(typed.graph.document.source.file).name
    docstring = module_docstring(spec, [ir.plan for ir in networks], file)
    return Module(docstring, _imports(body, library.imports), (names, *body))


def module_ir(typed: TypedGraph) -> str:
    """The Module IR of a graph without errors, as text.

    Raises:
        SpecError: where no class says what a layer does.
    """
    try:
        classes, constructors = proven(typed)
    except Unwritten as error:
        raise SpecError((_diagnostic(error),)) from error
    return print_module_ir(typed.graph.spec.name, classes, constructors)


def _require_known_sizes(ir: ClassIR, constructors: Constructors) -> None:
    """What is worked out before the first piece needs no size of all pieces.

    Raises:
        Unwritten: where it does, so that the constructor would have to take that size.
    """
    if ir.plan.scope.kind != "network":
        return
    for name in constructors.of(ir.plan).dims:
        reason = f"{name} grows with every piece, and is needed before the first"
        raise Unwritten(ir.plan, "", reason)


_Merge = Callable[["_Merger"], tuple[list[ClassIR], Constructors]]
"""How classes are made: proved for other values of the params, or for those of the graph alone."""


def _stepped(
    merger: _Merger, stream: Stream | None, merge: _Merge
) -> tuple[list[ClassIR], Constructors, Steps | None]:
    """The classes, with what a network that runs in pieces keeps of each."""
    classes, constructors = merge(merger)
    steps = None
    while stream is not None and steps is None:
        try:
            steps = Steps(merger.plans, stream)
            classes, constructors = merger.stepped(classes, steps)
        except Parted as parted:
            steps = None
            _part(parted, merger.links, merger.parts)
            classes, constructors = merge(merger)
        except _Remembers as found:
            steps = None
            merger.remembering.add(found.scope)
            classes, constructors = merge(merger)
    return classes, constructors, steps


def unwritten_step(typed: TypedGraph, stream: Stream) -> tuple[Diagnostic, ...]:
    """Why no module with a step can be written for a graph that has no errors; empty where one can."""
    try:
        _stepped(_Merger(typed), stream, _merged)
    except Unwritten as error:
        return (_diagnostic(error),)
    return ()


class Served:
    """The classes of a graph, and whether they do for the same spec with other values, too."""

    def __init__(self, typed: TypedGraph) -> None:
        self.problems: tuple[Diagnostic, ...] = ()
        """Why no module can be written; empty where one can."""
        self._classes: dict[str, ClassIR] = {}
        self._compared: list[TypedGraph] = []
        """Kept, for the validator knows what it has seen by identity."""
        try:
            classes, _, self._validator = _Merger(typed).merged()
        except Unwritten as error:
            self.problems = (_diagnostic(error),)
        else:
            self._classes = _of_networks(typed, classes)

    def serves(self, typed: TypedGraph) -> bool:
        """Whether the classes do what a graph of the same spec says, so that a module can be written for it."""
        self._compared.append(typed)
        try:
            for name, ir in self._classes.items():
                self._validator.check(ir, typed.networks[name])
                if name in typed.bare:
                    self._validator.check(ir, typed.bare[name])
        except (Invalid, Parted, Unwritten):
            return False
        return bool(self._classes)


def _of_networks(typed: TypedGraph, classes: Collection[ClassIR]) -> dict[str, ClassIR]:
    return {
        name: next(ir for ir in classes if instance.inferred in ir.plan.uses)
        for name, instance in typed.networks.items()
    }


def _diagnostic(error: Unwritten) -> Diagnostic:
    scope = error.plan.scope
    node = scope.nodes.get(error.layer)
    place = scope.place if node is None else node.place
    if node is None and not place.path:  # the only network of a file
        place = place.at("name")
    path = f"{scope.name}.{error.layer}" if node is not None else scope.name
    if isinstance(error, Symbolic):
        span = place.at(error.param).span()
        help = "inside the block, the type of an input gives its size a name"
        return Diagnostic("not-constant", error.reason, span, path=path, help=help)
    message = f"no module can be written: {error.reason}"
    return Diagnostic("no-code", message, place.span(), path=path)


def _merged(merger: _Merger) -> tuple[list[ClassIR], Constructors]:
    """One class for each scope, and more where its uses cannot share one; begun again each time that turns out."""
    classes, constructors, _ = merger.merged()
    return classes, constructors


def proven(typed: TypedGraph) -> tuple[list[ClassIR], Constructors]:
    """The classes, with arguments only for params at whose other values they hold, too."""
    return _proven(_Merger(typed))


def _proven(merger: _Merger) -> tuple[list[ClassIR], Constructors]:
    """The classes, with arguments only for params at whose other values they hold, too.

    Each time a param is fixed the others are tried again.
    """
    typed = merger.typed
    if not typed.params:
        classes, constructors, _ = merger.merged()
        return [_bounded(ir, constructors, ()) for ir in classes], constructors
    prober = Prober(typed)
    params = typed.graph.spec.params
    merger.fixed = {n: v for n, v in typed.params.items() if params[n].type == "op"}
    while True:
        classes, constructors, validator = merger.merged()
        networks = _of_networks(typed, classes)
        taken = {n for ir in networks.values() for n in constructors.of(ir.plan).params}
        found = prober.probe(networks, validator, taken, merger.fixed)
        if not found.fixed:
            classes = [_bounded(ir, constructors, found.positive) for ir in classes]
            return classes, constructors
        fixed = {*merger.fixed, *found.fixed}
        merger.fixed = {name: typed.params[name] for name in sorted(fixed)}


def _bounded(
    ir: ClassIR, constructors: Constructors, positive: Collection[str]
) -> ClassIR:
    """A network whose constructor refuses what the spec does not compile with."""
    if ir.plan.scope.kind != "network":
        return ir
    taken = constructors.of(ir.plan).params
    known = {test for test, _ in ir.demands}
    more = bounds(ir.plan, taken, positive)
    return replace(
        ir, demands=(*ir.demands, *(one for one in more if one[0] not in known))
    )


class _Merger:
    """Builds the classes of a graph; again each time it turns out that uses cannot share one."""

    def __init__(self, typed: TypedGraph) -> None:
        self.typed, self.spec = typed, typed.graph.spec
        self.links = Links(typed)
        self.parts: Parts = {}
        self.dropped: set[int] = set()
        """Instances that only other values of the params would use, and that no class serves."""
        self.remembering: set[int] = set()
        """Scopes, by identity, that are written as lists, and keep something between pieces."""
        self.fixed: dict[str, Value] = {}
        """The params that are no arguments, with their values."""

    def merged(self) -> tuple[list[ClassIR], Constructors, Validator]:
        """The classes, in an order in which those used come before those that use them."""
        while True:
            plans = plan_classes(self.typed, self.links, self.parts, self.dropped)
            self.plans = plans
            for plan in plans.order:
                plan.remembers = id(plan.scope) in self.remembering
                if plan.scope.kind == "network":
                    plan.fixed = self.fixed
            try:
                return self._classes(plans)
            except Parted as parted:
                _part(parted, self.links, self.parts)
            except _Dropped as dropped:
                self.dropped.add(id(dropped.use))

    def stepped(
        self, classes: list[ClassIR], steps: Steps
    ) -> tuple[list[ClassIR], Constructors]:
        """The same classes, with what they keep between the pieces of a sequence."""
        found: list[ClassIR] = []
        demands = {id(ir.plan): ir.demands for ir in classes}
        for plan in self.plans.order:
            steps.look_at(plan)
            if is_sequential(plan):
                if steps.remembers(plan):
                    raise _Remembers(plan)
                continue
            built = build_class(plan, self.plans, steps)
            built = replace(built, demands=demands[id(plan)])
            built = _with_used_states(built, steps)
            found.append(overwrite(read_sizes(cut_static(built, steps))))
        constructors = Constructors({id(ir.plan): ir for ir in found})
        for ir in found:
            _require_known_sizes(ir, constructors)
        return found, constructors

    def _classes(self, plans: Plans) -> tuple[list[ClassIR], Constructors, Validator]:
        kept = [plan for plan in plans.order if not is_sequential(plan)]
        name_classes(kept, {*_IMPORTS, *class_names(_libraries(plans))})
        for plan in kept:
            _require_name(plan)
            tell_uses(plan)
        classes = [overwrite(read_sizes(build_class(plan, plans))) for plan in kept]
        by_plan = {id(ir.plan): ir for ir in classes}
        constructors = Constructors(by_plan)
        for ir in classes:
            constructors.require_static(ir)
        validator = Validator(by_plan, constructors)
        for ir in classes:
            for use in ir.plan.uses:
                _validate(validator, ir, use, plans)
        return classes, constructors, validator


def _with_used_states(ir: ClassIR, steps: Steps) -> ClassIR:
    """A class that keeps something for those layers alone that it runs."""
    keys = (key for statement in ir.body.statements for key in reads(statement))
    used = {key.layer for key in keys if isinstance(key, LayerState)}
    own = steps.keep_only(ir.plan, used)
    initial = {layer: code for layer, code in ir.initial.items() if layer in own.kept}
    return replace(ir, steps=own, initial=initial)


def _require_name(plan: ClassPlan) -> None:
    """A network is imported by its name.

    Raises:
        Unwritten: where another class of the file has it.
    """
    name = plan.scope.name
    if plan.scope.kind == "network" and plan.name != name:
        reason = (
            f"the file has another class {name}, so that the network needs another name"
        )
        raise Unwritten(plan, "", reason)


class _Remembers(Exception):
    """A scope that is written as a list keeps something between the pieces of a sequence, and needs a class."""

    def __init__(self, plan: ClassPlan) -> None:
        super().__init__(plan.scope.name)
        self.scope = id(plan.scope)


class _Dropped(Exception):
    """An instance that only other values of the params would use is served by no class."""

    def __init__(self, use: Instance) -> None:
        super().__init__(use.scope.name)
        self.use = use


def _part(parted: Parted, links: Links, parts: Parts) -> None:
    """Give each group of uses a class of its own; uses that are one object stay together."""
    groups: dict[int, frozenset[int]] = {}
    for number, uses in enumerate(parted.groups):
        for use in uses:
            root = id(links.root(use))
            groups[root] = groups.get(root, frozenset()) | {number}
    labels = {
        group: number for number, group in enumerate(dict.fromkeys(groups.values()))
    }
    if len(labels) < 2:
        reason = (
            "its uses share one object, and need code that differs by more than sizes"
        )
        raise Unwritten(parted.plan, parted.layer, reason)
    for root, group in groups.items():
        parts[root] = (*parts.get(root, ()), labels[group])


def _validate(validator: Validator, ir: ClassIR, use: Instance, plans: Plans) -> None:
    """Hold a class against one of its uses; one that it fails gets a class of its own."""
    try:
        validator.check(ir, use)
    except Invalid as error:
        if id(error.use) in plans.speculative:
            raise _Dropped(error.use) from error
        others = [other for other in error.plan.uses if other is not error.use]
        if not others:
            raise Unwritten(error.plan, error.layer, error.reason) from error
        raise Parted(error.plan, error.layer, [[error.use], others]) from error


@dataclass(frozen=True)
class _FilePrinter:
    """Prints the classes of a file."""

    classes: list[ClassIR]
    constructors: Constructors
    spec: Spec
    recurrent: RecurrentModules
    steps: Steps | None = None
    every_line: bool = False
    """Whether `forward` assigns what every layer gives to a variable."""

    def with_states(self, printed: Iterable[Class]) -> list[Class]:
        """The classes, each after that of what it keeps between the pieces of a sequence."""
        if self.steps is None:
            return list(printed)
        by_name = {ir.plan.name: ir for ir in reversed(self.classes)}
        pairs = ((state_class(by_name[one.name], self.steps), one) for one in printed)
        return [one for pair in pairs for one in pair if one is not None]

    def each_once(self) -> list[Class]:
        """The classes, those of one name whose text is the same as one, as two groups may be that are called alike.

        One comes after those that it uses, so that their names are settled when its text is compared.
        """
        names = Counter(ir.plan.wanted for ir in self.classes)
        texts: list[Class] = []
        plans: dict[Class, ClassPlan] = {}
        same: list[tuple[ClassPlan, ClassPlan]] = []
        for ir in self.classes:
            plan, text = ir.plan, self._printed(ir)
            texts.append(text)
            if names[plan.wanted] == 1:  # a text need not be hashed to be the only one
                continue
            known = plans.setdefault(replace(text, name=plan.wanted), plan)
            if known is not plan:
                same.append((plan, known))
                plan.name = known.name
        if not same:
            return texts
        gone = {id(plan) for plan, _ in same}
        kept = [ir for ir in self.classes if id(ir.plan) not in gone]
        carried = {name for ir in self.classes for name in ir.library}
        name_classes([ir.plan for ir in kept], {*_IMPORTS, *class_names(carried)})
        for plan, known in same:
            plan.name = known.name
        return [self._printed(ir) for ir in kept]

    def _printed(self, ir: ClassIR) -> Class:
        reset = reset_lines(ir, self.classes, self.spec)
        if self.recurrent == "torch":
            reset = named_after_torch(reset)
        calls_reset = bool(reset) and starts_itself(ir, self.spec)
        return print_class(
            ir,
            self.constructors,
            self.spec,
            reset,
            calls_reset,
            self.steps,
            every_line=self.every_line,
        )


def _libraries(plans: Plans) -> set[str]:
    """The files of the library that the ops of all classes may stand on."""
    layers = (typed for plan in plans.order for typed in plan.layers.values())
    runs = (run for typed in layers for run in typed.calls)
    return {run.op.library for run in runs if run.op is not None and run.op.library}


def _imports(body: tuple[Stmt, ...], library: tuple[Import, ...]) -> tuple[Import, ...]:
    used = used_names(body)
    return (
        Import("__future__", ("annotations",)),
        *library,
        *(item for name, item in _IMPORTS.items() if name in used),
    )
