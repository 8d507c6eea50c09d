"""The classes of a graph: one for each block and network, and more where its uses cannot share one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from compiler.codegen.statements import Import
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.ir.module import LayerState, reads
from compiler.ir.typed import Instance, TypedGraph
from compiler.lower.build_class import build_class
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import (
    ClassPlan,
    Links,
    Parts,
    Plans,
    name_classes,
    plan_classes,
    refs_of,
)
from compiler.lower.class_steps import Steps, Stream
from compiler.lower.compare_code import Invalid
from compiler.lower.constructors import Constructors
from compiler.lower.cut_static import cut_static
from compiler.lower.inplace import overwrite
from compiler.lower.members import is_sequential
from compiler.lower.parted import Parted, Symbolic, Unwritten
from compiler.lower.sizes import Kept, read_sizes
from compiler.lower.use_sizes import tell_uses
from compiler.lower.validate import Validator
from compiler.op.library_sources import class_names
from compiler.symbolic.evaluate import Value

IMPORTS: Mapping[str, Import] = {
    "torch": Import("torch"),
    "Tensor": Import("torch", ("Tensor",)),
    "nn": Import("torch", ("nn",)),
    "F": Import("torch.nn", ("functional as F",)),
    "init": Import("torch.nn", ("init",)),
    "parametrizations": Import("torch.nn.utils", ("parametrizations",)),
    "math": Import("math"),
    "Literal": Import("typing", ("Literal",)),
    "dataclass": Import("dataclasses", ("dataclass",)),
}
"""What a file may import, by the names that its classes cannot have."""


class Served:
    """The classes of a graph, and whether they do for the same spec with other values, too."""

    def __init__(self, typed: TypedGraph) -> None:
        self.problems: tuple[Diagnostic, ...] = ()
        """Why no module can be written; empty where one can."""
        self._classes: dict[str, ClassIR] = {}
        self._compared: list[TypedGraph] = []
        """Kept, for the validator knows what it has seen by identity."""
        self._merger = Merger(typed)
        try:
            self._made = self._merger.merged()
        except Unwritten as error:
            self.problems = (unwritten_diagnostic(error),)
        else:
            self._classes = of_networks(typed, self._made[0])

    def unwritten_step(self, stream: Stream) -> tuple[Diagnostic, ...]:
        """Why no module with a step can be written; empty where one can."""
        if self.problems:
            return self.problems
        classes, constructors, _ = self._made
        known = [(classes, constructors)]
        try:
            stepped_classes(
                self._merger, stream, lambda one: known.pop() if known else _merged(one)
            )
        except Unwritten as error:
            return (unwritten_diagnostic(error),)
        return ()

    def serves(self, typed: TypedGraph) -> bool:
        """Whether the classes do what a graph of the same spec says, so that a module can be written for it."""
        if self.problems:
            return False
        self._compared.append(typed)
        _, _, validator = self._made
        try:
            for name, ir in self._classes.items():
                for one in typed.each_way(name):
                    validator.check(ir, one)
        except (Invalid, Parted, Unwritten):
            return False
        return bool(self._classes)


def of_networks(typed: TypedGraph, classes: Collection[ClassIR]) -> dict[str, ClassIR]:
    """The class of each network."""
    return {
        name: next(ir for ir in classes if instance.inferred in ir.plan.uses)
        for name, instance in typed.networks.items()
    }


def unwritten_diagnostic(error: Unwritten) -> Diagnostic:
    """The error of a layer for which no class can be written."""
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


def _merged(merger: Merger) -> tuple[list[ClassIR], Constructors]:
    """One class for each scope, and more where its uses cannot share one; begun again each time that turns out."""
    classes, constructors, _ = merger.merged()
    return classes, constructors


def _require_known_sizes(
    ir: ClassIR, constructors: Constructors, growing: Collection[str]
) -> None:
    """What is worked out before the first piece needs no size of the pieces.

    Raises:
        Unwritten: where it does, so that the constructor would have to take that size.
    """
    if ir.plan.scope.kind != "network":
        return
    dims = constructors.of(ir.plan).dims
    for name in sorted(dims, key=lambda name: name not in growing):
        reason = "grows with every piece, and is needed before the first"
        if name not in growing:
            reason = "is known with the first piece, and is needed before it"
        raise Unwritten(ir.plan, _first_reader(ir, name), f"{name} {reason}")


def _first_reader(ir: ClassIR, name: str) -> str:
    """The first layer that reads a size before the first piece; "" where none does by itself."""
    statements = ir.before.statements if ir.before is not None else ()
    found = (one.layer for one in statements if Kept(name) in reads(one))
    return next(found, "")


_Merge = Callable[["Merger"], tuple[list[ClassIR], Constructors]]
"""How classes are made: proved for other values of the params, or for those of the graph alone."""


def stepped_classes(
    merger: Merger, stream: Stream | None, merge: _Merge
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


class Merger:
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

    def fix(self, names: Iterable[str]) -> None:
        """Give params no argument: their values stand in the code."""
        fixed = sorted({*self.fixed, *names})
        self.fixed = {name: self.typed.params[name] for name in fixed}

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
            _require_outputs(plan)
            steps.look_at(plan)
            if is_sequential(plan):
                if steps.remembers(plan):
                    raise _Remembers(plan)
                continue
            built = build_class(plan, self.plans, steps)
            built = replace(built, demands=demands[id(plan)])
            built = _with_used_states(built, steps)
            found.append(overwrite(read_sizes(cut_static(built, steps))))
        by_plan = {id(ir.plan): ir for ir in found}
        constructors = Constructors(by_plan, self.spec, self.typed.params)
        for ir in found:
            _require_known_sizes(ir, constructors, steps.stream.growing)
        for ir in found:
            _require_free_names(ir, steps)
        return found, constructors

    def _classes(self, plans: Plans) -> tuple[list[ClassIR], Constructors, Validator]:
        kept = [plan for plan in plans.order if not is_sequential(plan)]
        name_classes(kept, {*IMPORTS, *class_names(_libraries(plans))})
        for plan in kept:
            _require_name(plan)
            tell_uses(plan)
        classes = [overwrite(read_sizes(build_class(plan, plans))) for plan in kept]
        by_plan = {id(ir.plan): ir for ir in classes}
        constructors = Constructors(by_plan, self.spec, self.typed.params)
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


def _require_free_names(ir: ClassIR, steps: Steps) -> None:
    """The methods of a class that runs in pieces have names that no member of it has.

    Raises:
        Unwritten: where one has, whose name is that of its weights.
    """
    methods: set[str] = set()
    if steps.keeps(ir.plan) or steps.beside(ir.plan):
        network = ir.plan.scope.kind == "network"
        methods |= {"init_state", "step"} if network else {"init_state"}
        methods |= set() if ir.before is None else {"prepare"}
        methods |= {"decode"} if network and ir.outputs else set()
    for name in (one.typed.node.name for one in ir.held):
        if name in methods:
            reason = (
                f"with `step`, {ir.plan.name} has a method {name}; {name}_1 would do"
            )
            raise Unwritten(ir.plan, name, reason)


def _require_outputs(plan: ClassPlan) -> None:
    """What runs in pieces gives all of its outputs in each of them.

    Raises:
        Unwritten: where one may be absent.
    """
    for name in plan.scope.optional & plan.scope.outputs.keys():
        layer = plan.scope.outputs[name].node
        reason = f"the output {name} may be absent, and a network with `step` gives it in every piece"
        raise Unwritten(plan, layer, reason)


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
        raise Unwritten(parted.plan, parted.layer, _one_object(parted))
    for root, group in groups.items():
        parts[root] = (*parts.get(root, ()), labels[group])


def _one_object(parted: Parted) -> str:
    """Why uses that are one object cannot share a class: an optional input of the layer, if it has one."""
    plan, layer = parted.plan, parted.layer
    typed = plan.layers.get(layer)
    absent = [
        ref.node
        for _, ref in (refs_of(typed) if typed is not None else ())
        if plan.may_be_none(ref)
    ]
    if typed is None or not absent:
        return (
            "its uses share one object, and need code that differs by more than sizes"
        )
    name = absent[0]
    if typed.node.layer.scan is not None:
        return f"a scan splits {name}, which may be absent: give it a value with `when: given({name})` and `else`"
    return (
        f"its code differs with and without {name}: write a layer with `when: given({name})`, and one with "
        f"`when: not given({name})`"
    )


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


def _libraries(plans: Plans) -> set[str]:
    """The files of the library that the ops of all classes may stand on."""
    layers = (typed for plan in plans.order for typed in plan.layers.values())
    runs = (run for typed in layers for run in typed.calls)
    return {run.op.library for run in runs if run.op is not None and run.op.library}
