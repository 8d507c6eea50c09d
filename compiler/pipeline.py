"""The passes of the compiler, in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.read_source import read_source
from compiler.diagnostics.source import Source, Span
from compiler.diagnostics.text import shorten
from compiler.elaborate.apply_recipe import SPECS, apply_recipe
from compiler.elaborate.blame_drops import blame_drops
from compiler.elaborate.charge import charge
from compiler.elaborate.elaborate import elaborate
from compiler.elaborate.extend import extend
from compiler.elaborate.link import link
from compiler.infer.infer import infer
from compiler.ir.graph import Graph, Place, Unit, each_document
from compiler.ir.typed import TypedGraph
from compiler.language.check import check
from compiler.parse.document import Document, MappingNode, YamlNode
from compiler.parse.gc_pause import gc_paused
from compiler.parse.parse import parse
from compiler.program import Changes, Program

if TYPE_CHECKING:
    from compiler.tasks.task import Task

_DEFAULT = Limits()
_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, slots=True)
class Request:
    """The input of the passes: a file, and what the caller overrides."""

    file: Path
    variant: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = _DEFAULT
    folder: Path | None = None
    """The folder in whose tree the files are that it names; default: that of the file."""
    sources: dict[str, Source] = field(default_factory=dict)
    """The files that were read, by their names in diagnostics."""
    texts: Mapping[Path, str] = field(default_factory=dict)
    """Texts in place of those of files, by paths without links: what an editor has not saved."""


@dataclass(frozen=True, slots=True)
class Pass(Generic[_In, _Out]):
    """A function from the value of one stage to that of the next.

    Raises SpecError, with all errors of the stage; `infer` has them in its value.
    """

    name: str
    takes: type[_In]
    gives: type[_Out]
    run: Callable[[_In, Request], _Out]


def _read(path: Path, request: Request) -> Source:
    shown = _relative_to_user(path, request.file)
    text = request.texts.get(path.resolve()) if request.texts else None
    source = (
        read_source(shown, request.limits.bytes)
        if text is None
        else Source(str(shown), text)
    )
    request.sources[source.file] = source
    return source


def _parse(source: Source, request: Request) -> Document:
    return parse(source, request.limits)


def _extend(document: Document, request: Request) -> Document:
    def parsed(path: Path) -> Document:
        found: Document = _through(OF_A_FILE[:2], path, request)
        return found

    folder = request.folder or request.file.resolve().parent
    return extend(document, folder, parsed, request.limits)


def _apply_recipe(document: Document, request: Request) -> Document:
    def parsed(path: Path) -> Document:
        inside = replace(request, folder=path.parent)
        found: Document = _through(OF_A_FILE[:3], path, inside)
        return found

    return apply_recipe(document, request.file, parsed)


def _check(document: Document, _: Request) -> Unit:
    with _blaming([document]):
        return Unit(check(document), document)


def _link(unit: Unit, request: Request) -> Unit:
    file = unit.document.network or request.file

    def imported(path: Path) -> Unit:
        inside = replace(request, folder=file.resolve().parent)
        found: Unit = _through(OF_A_FILE, path, inside)
        return found

    return link(unit, file, imported)


def _elaborate(unit: Unit, request: Request) -> Graph:
    charge(unit, request.limits)
    with _blaming(each_document(unit)):
        try:
            return elaborate(unit)
        except SpecError as error:
            if _has_further_ops(error):
                return elaborate(unit)
            raise


def _has_further_ops(error: SpecError) -> bool:
    """Whether an unknown op may be one of an installed plug-in; they are asked for none else."""
    if all(one.code != "unknown-op" for one in error.diagnostics):
        return False
    from compiler.tasks.plugins import load_installed

    return load_installed()


def _infer(graph: Graph, request: Request) -> TypedGraph:
    variant = request.variant or graph.document.variant
    with _blaming(graph.files):
        typed = infer(graph, variant, request.settings, request.limits)
    return replace(typed, diagnostics=_blamed(typed.diagnostics, graph.files))


def _blamed(
    diagnostics: tuple[Diagnostic, ...], files: Iterable[Document]
) -> tuple[Diagnostic, ...]:
    """Diagnostics, with those of a name that a file drops at the place where it does."""
    for document in files:
        diagnostics = blame_drops(diagnostics, document)
    return diagnostics


@contextmanager
def _blaming(files: Iterable[Document]) -> Iterator[None]:
    """Errors of names that a file drops are raised as those of the place where it does."""
    try:
        yield
    except SpecError as error:
        raise SpecError(_blamed(error.diagnostics, files)) from error


OF_A_FILE: tuple[Pass[Any, Any], ...] = (
    Pass("read", Path, Source, _read),
    Pass("parse", Source, Document, _parse),
    Pass("extend", Document, Document, _extend),
    Pass("check", Document, Unit, _check),
)
"""What every file goes through, those that blocks are imported from, too."""

PASSES: tuple[Pass[Any, Any], ...] = (
    *OF_A_FILE[:3],
    Pass("apply_recipe", Document, Document, _apply_recipe),
    *OF_A_FILE[3:],
    Pass("link", Unit, Unit, _link),
    Pass("elaborate", Unit, Graph, _elaborate),
    Pass("infer", Graph, TypedGraph, _infer),
)
"""From a file to its typed graph. What becomes of that, a `Program` makes when it is asked for."""


def _through(passes: Sequence[Pass[Any, Any]], value: Any, request: Request) -> Any:
    for one in passes:
        value = one.run(value, request)
    return value


@gc_paused()
def compile_to(stage: type[_Out], request: Request) -> _Out:
    """The value of a stage by its type: `Source`, `Document`, `Unit`, `Graph` or `TypedGraph`.

    Raises:
        SpecError: with all errors of the first pass that finds some.

    >>> list(compile_to(Graph, Request(Path("specs/gpt2.yaml"))).blocks)
    ['Block', 'CausalSelfAttention', 'MLP']
    """
    last = max(n for n, one in enumerate(PASSES) if one.gives is stage)
    found: _Out = _through(PASSES[: last + 1], request.file, request)
    return found


@gc_paused()
def compile_spec(
    path: str | Path,
    *,
    variant: str = "",
    settings: Mapping[str, Any] | None = None,
    changes: Changes | None = None,
    limits: Limits = _DEFAULT,
    strict: bool = True,
) -> Program:
    """Compile the spec in a file.

    Args:
        path: the YAML file of a spec or a recipe.
        variant: the name of a set of params in the spec.
        settings: values for params, over those of the spec and the variant.
        changes: values by their path in the task, over those of the spec and the variant.
        limits: how much the spec may ask for.
        strict: raise where shapes are wrong; otherwise the program holds the errors and what could be inferred.

    Raises:
        SpecError: with all errors of the first stage that finds some.

    >>> compile_spec("specs/gpt2.yaml").name
    'GPT2'
    """
    request = Request(Path(path), variant, settings or {}, limits)
    program = _program(compile_to(TypedGraph, request), request, changes or {})
    if strict and any(one.severity == "error" for one in program.diagnostics):
        raise SpecError(program.diagnostics)
    return program


def check_spec(path: str | Path, limits: Limits = _DEFAULT) -> tuple[Diagnostic, ...]:
    """All that is wrong with the spec in a file, and with what each of its variants makes of it.

    What is wrong with all of them is said once.

    Raises:
        SpecError: with all errors of a stage before inference.
    """
    return check_request(Request(Path(path), limits=limits))


@gc_paused()
def check_request(request: Request) -> tuple[Diagnostic, ...]:
    """As `check_spec`, of a request without a variant and settings."""
    graph = compile_to(Graph, request)
    program = _program(_infer(graph, request), request, {})
    base, found = program, [*program.check()]
    variants = () if graph.document.variant else graph.spec.variants  # of a recipe
    if any(one.severity == "error" for one in found) or not variants:
        return tuple(found)
    known = {_said(one) for one in found}
    layers = 0
    for variant in variants:
        layers += sum(len(one.nodes) for one in program.typed.instances) + _OF_VARIANT
        if layers > _MOST_LAYERS:
            found.append(_unchecked(graph, variant))
            break
        one_of = replace(request, variant=variant)
        program = _program(_infer(graph, one_of), one_of, {})
        for one in program.check_beside(base):
            if _said(one) not in known:
                known.add(_said(one))
                message = f"in the variant {variant}, {one.message}"
                found.append(replace(one, message=message))
    return tuple(found)


_MOST_LAYERS = 20_000
"""The layers that `check_spec` infers for all variants together, about: two seconds."""
_OF_VARIANT = 10
"""What a variant costs besides its layers, in layers."""


def _said(one: Diagnostic) -> tuple[str, Span, str]:
    return one.code, one.span, one.message


def _unchecked(graph: Graph, variant: str) -> Diagnostic:
    span = Place(graph.document, ("variants", variant)).span(key=True)
    message = f"variants from {shorten(variant)} on are not checked: together they are too large"
    help = "check each by --variant NAME"
    return Diagnostic("unchecked", message, span, help=help, severity="warning")


def _program(typed: TypedGraph, request: Request, changes: Changes) -> Program:
    """What was inferred, with what is wrong with its task, its checkpoint and its steps."""
    variant = request.variant or typed.graph.document.variant
    task, found = _task(typed, variant, changes)
    found = (*_checkpoint(typed), *found, *_experts(typed), *_causality(typed, task))
    found = blame_drops(found, typed.graph.document)
    return Program(typed, request.sources, task, variant, changes, found)


def _task(
    typed: TypedGraph, variant: str, changes: Changes
) -> tuple[Task | None, tuple[Diagnostic, ...]]:
    """The task of a spec that is right, and what is wrong with it."""
    spec, root = typed.graph.spec, typed.graph.document.root
    variants = root.get("variants") if spec.variants else None
    has_task = spec.task is not None or bool(changes) or _sets_task(variants, variant)
    if typed.failed or not has_task:
        return None, ()
    from compiler.tasks.check_task import check_task  # most specs have none

    return check_task(typed, variant, changes)


def _causality(typed: TypedGraph, task: Task | None) -> tuple[Diagnostic, ...]:
    """Where a network that is stepped, or that decodes, depends on later positions."""
    spec = typed.graph.spec
    if typed.failed or (spec.step is None and (task is None or not task.decodes)):
        return ()
    from compiler.causality.check_causal import check_causal, check_step

    found = check_step(typed)
    wanted = task.decoded(typed) if task is not None and not found else None
    return found if wanted is None else check_causal(typed, *wanted)


def _experts(typed: TypedGraph) -> tuple[Diagnostic, ...]:
    """Where what an expert gives for a token depends on other tokens."""
    routes = (node.routed for one in typed.instances for node in one.nodes.values())
    if typed.failed or not any(routes):
        return ()
    from compiler.causality.check_experts import check_experts

    return check_experts(typed)


def _checkpoint(typed: TypedGraph) -> tuple[Diagnostic, ...]:
    """What is wrong with the checkpoint of a spec that is right."""
    if typed.failed or typed.graph.spec.checkpoint is None:
        return ()
    from compiler.checkpoint.check_checkpoint import check_checkpoint

    return check_checkpoint(typed)


def _sets_task(variants: YamlNode | None, chosen: str) -> bool:
    """Whether the chosen variant says something of the task; without one, whether any does."""
    if not isinstance(variants, MappingNode):
        return False
    entries = [variants.get(chosen)] if chosen else [one for _, one in variants.entries]
    return any(isinstance(one, MappingNode) and one.get("task") for one in entries)


def _relative_to_user(path: Path, file: Path) -> Path:
    """A path as the user would write it: relative to the file that was asked for, if it is in one of its folders."""
    folder = file.resolve().parent
    if not any(map(path.is_relative_to, (folder, folder.parent / SPECS))):
        return path
    shown = Path(os.path.normpath(file.parent / os.path.relpath(path, folder)))
    return shown if shown.resolve() == path else path
