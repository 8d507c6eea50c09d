"""TypedGraph -> Python: one class for each block and network, and the library modules that they stand on."""

from __future__ import annotations

from pathlib import PurePath

from compiler.codegen.python import ListExpr, Name, lit
from compiler.codegen.statements import Assign, Class, Import, Module, Stmt
from compiler.codegen.traversal import used_names
from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.ir.typed import Instance, TypedGraph
from compiler.language.spec import Spec
from compiler.lower.build_class import ClassIR, build_class, is_sequential
from compiler.lower.class_plan import Links, Parts, Plans, name_classes, plan_classes
from compiler.lower.constructors import Constructors
from compiler.lower.documentation import module_docstring
from compiler.lower.emit import Parted, Unwritten
from compiler.lower.initialization import reset_lines, starts_itself
from compiler.lower.inplace import overwrite
from compiler.lower.library_code import library_code
from compiler.lower.print_class import print_class
from compiler.lower.sizes import read_sizes
from compiler.lower.use_sizes import tell_uses
from compiler.lower.validate import Invalid, Validator
from compiler.op.library_sources import class_names

_IMPORTS = {
    "torch": Import("torch"),
    "Tensor": Import("torch", ("Tensor",)),
    "nn": Import("torch", ("nn",)),
    "F": Import("torch.nn", ("functional as F",)),
    "init": Import("torch.nn", ("init",)),
    "parametrizations": Import("torch.nn.utils", ("parametrizations",)),
    "math": Import("math"),
}


def lower(typed: TypedGraph) -> Module:
    """The Python module of a spec; `codegen.printer.print_module` makes it text.

    The graph must have been inferred without errors.

    Raises:
        SpecError: where no class says what a layer does.
    """
    assert not typed.failed, "a graph with errors has no code"
    spec = typed.graph.spec
    try:
        classes, constructors = _merged(typed)
    except Unwritten as error:
        raise SpecError((_diagnostic(error),)) from error
    printed = [_printed(ir, classes, constructors, spec) for ir in classes]
    networks = [ir for ir in classes if ir.plan.scope.kind == "network"]
    library = library_code(sorted({name for ir in classes for name in ir.library}))
    exported = map(lit, sorted(ir.plan.name for ir in networks))
    names: Stmt = Assign((Name("__all__"),), ListExpr(tuple(exported)))
    body: tuple[Stmt, ...] = (*library.code, *printed)
    file = PurePath(typed.graph.document.source.file).name
    docstring = module_docstring(spec, [ir.plan for ir in networks], file)
    return Module(docstring, _imports(body, library.imports), (names, *body))


def unwritten(typed: TypedGraph) -> tuple[Diagnostic, ...]:
    """Why no module can be written for a graph that has no errors; empty where one can."""
    try:
        _merged(typed)
    except Unwritten as error:
        return (_diagnostic(error),)
    return ()


def _diagnostic(error: Unwritten) -> Diagnostic:
    scope = error.plan.scope
    node = scope.nodes.get(error.layer)
    place = scope.place if node is None else node.place
    path = f"{scope.name}.{error.layer}" if node is not None else scope.name
    message = f"no module can be written: {error.reason}"
    return Diagnostic("no-code", message, place.span(), path=path)


def _merged(typed: TypedGraph) -> tuple[list[ClassIR], Constructors]:
    """One class for each scope, and more where its uses cannot share one; begun again each time that turns out."""
    links = Links(typed)
    parts: Parts = {}
    while True:
        plans = plan_classes(typed, links, parts)
        try:
            return _classes(plans, typed.graph.spec)
        except Parted as parted:
            _part(parted, links, parts)


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


def _classes(plans: Plans, spec: Spec) -> tuple[list[ClassIR], Constructors]:
    kept = [plan for plan in plans.order if not is_sequential(plan)]
    name_classes(kept, {*_IMPORTS, *class_names(_libraries(plans))})
    for plan in kept:
        tell_uses(plan)
    classes = [overwrite(read_sizes(build_class(plan, plans, spec))) for plan in kept]
    by_plan = {id(ir.plan): ir for ir in classes}
    constructors = Constructors(by_plan)
    for ir in classes:
        constructors.require_static(ir)
    validator = Validator(by_plan, constructors)
    for ir in classes:
        for use in ir.plan.uses:
            _validate(validator, ir, use)
    return classes, constructors


def _validate(validator: Validator, ir: ClassIR, use: Instance) -> None:
    """Hold a class against one of its uses; one that it fails gets a class of its own."""
    try:
        validator.check(ir, use)
    except Invalid as error:
        others = [other for other in error.plan.uses if other is not error.use]
        if not others:
            raise Unwritten(error.plan, error.layer, error.reason) from error
        raise Parted(error.plan, error.layer, [[error.use], others]) from error


def _printed(
    ir: ClassIR, classes: list[ClassIR], constructors: Constructors, spec: Spec
) -> Class:
    reset = reset_lines(ir, classes, spec)
    calls_reset = bool(reset) and starts_itself(ir, spec)
    return print_class(ir, constructors, spec, reset, calls_reset)


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
