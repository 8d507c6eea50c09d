"""TypedGraph -> its task: read with the changes of the variant and the caller, and checked against the networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pydantic

from compiler.diagnostics.diagnostic import Diagnostic, Report, suggest
from compiler.diagnostics.text import listed, shorten
from compiler.infer.root_params import root_params
from compiler.ir.typed import TypedGraph
from compiler.language.choice import is_family
from compiler.language.wording import report_all
from compiler.op.as_yaml import as_yaml
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)
from compiler.symbolic.evaluate import Value
from compiler.tasks.ports import PortCheck
from compiler.tasks.task import Task
from compiler.tasks.task_kinds import task_kind, task_names

_ONE_OF = {key for key, one in Task.model_fields.items() if is_family(one.annotation)}
"""Keys that hold a thing by its name: another name replaces the one there is."""
Changes = Mapping[tuple[str, ...], YamlNode]
"""Values by their path in the task: those of `--set task.epochs=3`."""


def check_task(
    typed: TypedGraph, variant: str = "", changes: Changes | None = None
) -> tuple[Task | None, tuple[Diagnostic, ...]]:
    """The task (None if there is none, or it is invalid), and its diagnostics.

    The tasks of the other variants are read, too, but not checked against the networks.
    """
    report = Report()
    document = resolved(typed, variant, changes)
    task = _read(document, typed.params, report)
    if task is not None and not report.failed:
        check = PortCheck(typed, document, task.ports, task.kind, report)
        task.check(check, task.facts())
    for other in typed.graph.spec.variants if not changes else ():
        if other != variant and _written(typed, other) is not None:
            _read_other(typed, other, report)
    return (None if report.failed else task), report.diagnostics


def _read_other(typed: TypedGraph, variant: str, report: Report) -> None:
    """Report what is wrong with the task of a variant that was not asked for."""
    found = Report()
    params = root_params(typed.graph, variant, {}, Report())
    _read(resolved(typed, variant), params or typed.params, found)
    known = {(one.code, one.span) for one in report.diagnostics}
    for one in found.diagnostics:
        if (one.code, one.span) not in known:
            report.add(replace(one, path=f"the variant {variant}"))


def resolved(
    typed: TypedGraph, variant: str = "", changes: Changes | None = None
) -> Document:
    """The document with the effective task: keys of the variant replace the spec's, then the changes are applied."""
    root = typed.graph.document.root
    task = _over(root.get("task"), _written(typed, variant))
    for path, value in (changes or {}).items():
        task = _changed(task, path, value)
    if task is None:
        return typed.graph.document
    key = root.key("task") or ScalarNode("task", "task", task.span)
    entries = [entry for entry in root.entries if entry[0].text != "task"]
    whole = MappingNode((*entries, (key, task)), root.span)
    return replace(typed.graph.document, root=whole)


def _written(typed: TypedGraph, variant: str) -> YamlNode | None:
    return typed.graph.document.node(("variants", variant, "task"))


def _over(below: YamlNode | None, above: YamlNode | None) -> YamlNode | None:
    """The entries of one mapping, and those of another in their place."""
    if not isinstance(below, MappingNode) or not isinstance(above, MappingNode):
        return above or below
    entries = {key.text: (key, value) for key, value in below.entries}
    entries |= {key.text: (key, value) for key, value in above.entries}
    return MappingNode(tuple(entries.values()), below.span)


def _changed(node: YamlNode | None, path: tuple[str, ...], value: YamlNode) -> YamlNode:
    """A mapping with another value at a path."""
    if not path:
        return value
    below = node.get(path[0]) if isinstance(node, MappingNode) else None
    if path[0] in _ONE_OF and path[1:] and isinstance(below, MappingNode):
        below = below if below.get(path[1]) else None
    key = ScalarNode(path[0], path[0], value.span)
    entry = MappingNode(((key, _changed(below, path[1:], value)),), value.span)
    changed = _over(node if isinstance(node, MappingNode) else None, entry)
    assert changed is not None
    return changed


def _read(
    document: Document, params: Mapping[str, Value], report: Report
) -> Task | None:
    """The task of a document, with formulas over these params; None where there is none or it is wrong."""
    written = document.root.get("task")
    if written is None:
        return None
    given = _filled(written, params, report)
    kind = given.get("kind") if isinstance(given, dict) else None
    if kind not in task_names() and not (isinstance(kind, str) and _installed(kind)):
        _unknown(document, kind, report)
        return None
    model = task_kind(str(kind))
    try:
        return _valid(model, given, params)
    except pydantic.ValidationError as error:
        report_all(report, document, error, model, ("task",))
        return None


def _installed(kind: str) -> bool:
    """Whether an installed plug-in has a kind."""
    from compiler.tasks.plugins import load_installed

    return load_installed() and kind in task_names()


def _valid(model: type[Task], given: Any, params: Mapping[str, Value]) -> Task:
    """The task; with an error in it, installed plug-ins are asked for what it may name.

    Raises:
        pydantic.ValidationError: if it is wrong all the same.
    """
    from compiler.tasks.plugins import load_installed

    context = {"params": params}
    try:
        return model.model_validate(given, context=context)
    except pydantic.ValidationError:
        if not load_installed():
            raise
        return model.model_validate(given, context=context)


def _filled(node: YamlNode, params: Mapping[str, Value], report: Report) -> Any:
    """The node as plain values, those of params in place of `$name`."""
    if isinstance(node, MappingNode):
        return {key.text: _filled(v, params, report) for key, v in node.entries}
    if isinstance(node, SequenceNode):
        return [_filled(item, params, report) for item in node.items]
    value = node.value
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    if value[1:] in params:
        found = params[value[1:]]
        return list(found) if isinstance(found, tuple) else found
    help = suggest(value[1:], params) or f"the params are: {listed(params)}"
    message = f"there is no param {shorten(value[1:])}"
    report.error("unknown-param", node.span, message, help=help, missing=value[1:])
    return value


def _unknown(document: Document, kind: object, report: Report) -> None:
    known = f"the tasks are {listed(task_names())}"
    if kind is None:
        span = document.locate(("task",), key=True)
        report.error("missing-key", span, "a task needs its `kind`", help=known)
        return
    span = document.locate(("task", "kind"))
    help = suggest(str(kind), task_names()) or known
    shown = shorten(as_yaml(kind))
    report.error("unknown-task", span, f"there is no task {shown}", help=help)
