"""TypedGraph -> Python: one class for each block and network, and the library modules that they stand on."""

from __future__ import annotations

from pathlib import PurePath

from compiler.codegen.python import ListExpr, Name, lit
from compiler.codegen.statements import Assign, Import, Module, Stmt
from compiler.codegen.traversal import used_names
from compiler.ir.typed import TypedGraph
from compiler.lower.class_plan import Plans, name_classes, plan_classes
from compiler.lower.classes import is_sequential, write_classes
from compiler.lower.documentation import module_docstring
from compiler.lower.library_code import library_code
from compiler.lower.split_scopes import scopes_to_split
from compiler.lower.use_sizes import tell_uses
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
    """
    assert not typed.failed, "a graph with errors has no code"
    plans = _planned(typed)
    kept = [plan for plan in plans.order if not is_sequential(plan)]
    name_classes(kept, {*_IMPORTS, *class_names(_libraries(plans))})
    for plan in kept:
        tell_uses(plan)
    classes = write_classes(kept, plans, typed.graph.spec)
    networks = [written for written in classes if written.plan.scope.kind == "network"]
    library = library_code(
        sorted({name for written in networks for name in written.library})
    )
    exported = map(lit, sorted(written.plan.name for written in networks))
    names: Stmt = Assign((Name("__all__"),), ListExpr(tuple(exported)))
    body: tuple[Stmt, ...] = (*library.code, *(written.code for written in classes))
    file = PurePath(typed.graph.document.source.file).name
    docstring = module_docstring(
        typed.graph.spec, [written.plan for written in networks], file
    )
    return Module(docstring, _imports(body, library.imports), (names, *body))


def _planned(typed: TypedGraph) -> Plans:
    """One class for each scope; again, with more, where that turns out too few."""
    starts = (*typed.networks.values(), *typed.bare.values())
    plans = plan_classes(starts, set())
    split = scopes_to_split(plans, typed.graph.spec)
    return plan_classes(starts, split) if split else plans


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
