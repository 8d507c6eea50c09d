"""A spec compiled with what a command line overrides: a variant, `name=value` for params, task and sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from compiler.diagnostics.diagnostic import Diagnostic, RequestError, SpecError, suggest
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.source import Source
from compiler.infer.param_values import fits, param_type
from compiler.language.check import check
from compiler.language.params import Param
from compiler.language.spec import Spec
from compiler.op.arg_types import Formula
from compiler.parse.document import Document, YamlNode, to_data
from compiler.parse.parse import parse
from compiler.pipeline import Request, check_spec, compile_spec, compile_to
from compiler.program import Program


def compile_chosen(
    file: Path,
    variant: str,
    texts: Sequence[str],
    *,
    limits: Limits,
    strict: bool = True,
) -> Program:
    """Compile the spec in a file, with a variant and with `name=value` for params.

    Raises:
        RequestError: as `read_settings`.
        SpecError: as `compile_spec`.
    """
    settings = None
    of_task = [text for text in texts if text.strip().startswith("task.")]
    if variant or texts:
        others = [text for text in texts if text not in of_task]
        settings = read_settings(file, variant, others, limits)
    return compile_spec(
        file,
        variant=variant,
        settings=settings,
        changes=read_changes(of_task),
        limits=limits,
        strict=strict,
    )


def diagnose(
    file: Path, variant: str, texts: Sequence[str], limits: Limits
) -> tuple[Diagnostic, ...]:
    """All that is wrong with the spec in a file, warnings too: as it is and in all variants, or as it is chosen.

    Raises:
        RequestError: as `read_settings`.
    """
    try:
        if variant or texts:
            return compile_chosen(file, variant, texts, limits=limits).check()
        return check_spec(file, limits)
    except SpecError as error:
        return error.diagnostics


def failed(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether there is an error among them."""
    return any(one.severity == "error" for one in diagnostics)


def read_settings(
    file: Path, variant: str, texts: Iterable[str], limits: Limits
) -> dict[str, Any]:
    """The values of `--set name=value` for the spec in a file.

    Raises:
        RequestError: for text of another form, an unknown param, a value that is not of
            the type of its param, or an unknown variant.
        SpecError: where the file is no spec.
    """
    spec = check(compile_to(Document, Request(file, limits=limits)))
    if variant and variant not in spec.variants:
        raise RequestError(_unknown("variant", variant, spec.variants))
    return _settings(texts, spec)


def read_changes(texts: Iterable[str]) -> dict[tuple[str, ...], YamlNode]:
    """The values of `--set task.epochs=3` by their path in the task.

    Raises:
        RequestError: for text of another form.

    >>> list(read_changes(["task.optimizer.adamw.lr=3e-4"]))
    [('optimizer', 'adamw', 'lr')]
    """
    changes: dict[tuple[str, ...], YamlNode] = {}
    for text in texts:
        name, value = _pair(text)
        path = tuple(part.strip() for part in name.split(".")[1:])
        if not all(path):
            raise RequestError(f"a setting of a task reads task.epochs=3, not {text}")
        changes[path] = _node(name, value)
    return changes


def _settings(texts: Iterable[str], spec: Spec) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for text in texts:
        name, value = _pair(text)
        if name not in spec.params:
            raise RequestError(_unknown("param", name, spec.params))
        settings[name] = _value(name, value, spec.params[name])
    return settings


def read_sizes(text: str) -> dict[str, int]:
    """The sizes of `--at B=8,T=1024`.

    Raises:
        RequestError: for text of another form.

    >>> read_sizes("B=8, T=1024")
    {'B': 8, 'T': 1024}
    """
    sizes: dict[str, int] = {}
    for part in text.split(","):
        name, value = _pair(part.strip())
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            raise RequestError(f"{name} must be an integer above 0, and is {value}")
        sizes[name] = int(value)
    return sizes


def read_list(text: str) -> tuple[str, list[Any]]:
    """The name and the values of `name=value,value`.

    Raises:
        RequestError: for text of another form.

    >>> read_list("lr=1e-3,3e-3")
    ('lr', [0.001, 0.003])
    """
    name, values = _pair(text)
    found = _parsed(name, values if values.startswith("[") else f"[{values}]")
    if not isinstance(found, list) or not found or None in found:
        raise RequestError(f"{name} must be a list of values, and is {values}")
    return name, found


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise RequestError(f"a setting reads name=value, and this is {text}")
    return name.strip(), value.strip()


def _value(name: str, text: str, param: Param) -> Any:
    value = _parsed(name, text)
    wanted = _with_type(param)
    if isinstance(value, dict) or value is None:
        raise RequestError(f"{name} must be a value or a list, and is {text}")
    if wrong := fits(wanted, tuple(value) if isinstance(value, list) else value):
        raise RequestError(f"{name} {wrong}")
    return float(value) if wanted.type == "float" else value


def _parsed(name: str, text: str) -> Any:
    return to_data(_node(name, text))


def _node(name: str, text: str) -> YamlNode:
    """The text as YAML reads it behind a key."""
    try:
        root = parse(Source(f"--set {name}", f"value: {text}")).root
    except SpecError as error:
        raise RequestError(f"{name}: {error.diagnostics[0].message}") from None
    if len(root.entries) != 1:
        raise RequestError(f"{name} must be one value, and is {text}")
    return root.entries[0][1]


def _with_type(param: Param) -> Param:
    """The param with the type that its default gives it, where it declares none."""
    default = param.default
    if param.type is not None or default is None or isinstance(default, Formula):
        return param
    shown = tuple(default) if isinstance(default, list) else default
    return param.model_copy(update={"type": param_type(param, shown)})


def _unknown(what: str, name: str, known: Mapping[str, object]) -> str:
    hint = suggest(name, known) or f"the {what}s are: {', '.join(known) or 'none'}"
    return f"there is no {what} {name}; {hint}"
