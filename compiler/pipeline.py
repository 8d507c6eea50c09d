"""The passes in their order: all that happens between a file and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.read_source import read_source
from compiler.diagnostics.source import Source
from compiler.elaborate.elaborate import elaborate
from compiler.elaborate.link import link
from compiler.infer.infer import infer
from compiler.ir.graph import Unit
from compiler.ir.typed import TypedGraph
from compiler.language.check import check
from compiler.language.spec import Spec
from compiler.parse.document import Document, MappingNode, YamlNode
from compiler.parse.gc_pause import gc_paused
from compiler.parse.parse import parse
from compiler.program import Changes, Program

if TYPE_CHECKING:
    from compiler.tasks.task import Task

_DEFAULT = Limits()


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
        path: the YAML file.
        variant: the name of a set of params in the spec.
        settings: values for params, over those of the spec and the variant.
        changes: values by their path in the task, over those of the spec and the variant.
        limits: how much the spec may ask for.
        strict: raise where shapes are wrong; otherwise the program holds the errors and what could be inferred.

    Raises:
        SpecError: with all mistakes of the stage that found some.

    >>> compile_spec("specs/gpt2.yaml").name
    'GPT2'
    """
    file = Path(path)
    sources: dict[str, Source] = {}
    unit = _load(file, sources, limits)
    typed = infer(elaborate(unit), variant, settings, limits)
    if strict and typed.failed:
        raise SpecError(typed.diagnostics)
    task, found = _task(typed, variant, changes or {})
    found = (*_translated(typed), *found)
    if strict and any(one.severity == "error" for one in found):
        raise SpecError((*found, *typed.diagnostics))
    return Program(typed, sources, task, variant, changes or {}, found)


def _task(
    typed: TypedGraph, variant: str, changes: Changes
) -> tuple[Task | None, tuple[Diagnostic, ...]]:
    """The task of a spec that is right, and what is wrong with it."""
    spec, root = typed.graph.spec, typed.graph.document.root
    variants = (root.get("variants"),) if spec.variants else ()
    told = spec.task is not None or bool(changes) or any(map(_speaks, variants))
    if typed.failed or not told:
        return None, ()
    from compiler.tasks.check_task import prepare  # most specs have none

    return prepare(typed, variant, changes)


def _translated(typed: TypedGraph) -> tuple[Diagnostic, ...]:
    """What is wrong with the checkpoint of a spec that is right."""
    if typed.failed or typed.graph.spec.checkpoint is None:
        return ()
    from compiler.checkpoint.check_checkpoint import translate  # most specs have none

    return translate(typed)


def _speaks(variants: YamlNode | None) -> bool:
    """Whether some variant says something of the task."""
    entries = variants.entries if isinstance(variants, MappingNode) else ()
    return any(isinstance(one, MappingNode) and one.get("task") for _, one in entries)


def _load(file: Path, sources: dict[str, Source], limits: Limits) -> Unit:
    def read(path: Path) -> tuple[Document, Spec]:
        source = read_source(_shown(path, file), limits.bytes)
        sources[source.file] = source
        document = parse(source, limits)
        return document, check(document)

    document, spec = read(file)
    return link(document, spec, file, read)


def _shown(path: Path, file: Path) -> Path:
    """A path as the user would write it: beside the file that was asked for."""
    folder = file.resolve().parent
    return (
        file.parent / path.relative_to(folder)
        if path.is_absolute() and path.is_relative_to(folder)
        else path
    )
