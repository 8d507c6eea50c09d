"""The captions of layers: what a layer runs, how often, and how many parameters it has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from compiler.diagnostics.text import printable, shorten
from compiler.diagram.copies import copies_label
from compiler.diagram.drawing import Caption
from compiler.diagram.folding import is_short_list
from compiler.diagram.views import LayerView, ScopeView
from compiler.infer.call_op import op_inputs
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import OpParam, Scope
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.op.context import Context
from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim

_UNITS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))


def short_count(number: int) -> str:
    """A number of parameters in three digits.

    >>> short_count(7_087_872), short_count(124_439_808), short_count(640)
    ('7.09 M', '124 M', '640')
    """
    for unit, letter in _UNITS:
        if number >= unit * 0.9995:
            value = number / unit
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f} {letter}"
    return str(number)


def layer_caption(
    view: ScopeView, name: str, counter: ParameterCounter, names: bool = False
) -> Caption:
    """The caption of a layer: in its box, or over its cluster if it is expanded.

    Args:
        counter: counts the parameters of folded blocks.
        names: whether sizes are in the names of the scope, where values differ.
    """
    layer = view.layer(name)
    if layer.scope is not None:
        return _scope_caption(view, layer, layer.scope, counter)
    if len(layer.targets) > 1:
        return _choice_caption(view, layer, counter)
    op = layer.target
    op_name = op.name if op is not None else _op_param(layer)
    heading, detail = name, f"{op_name} {op_label(layer, names)}"
    if name.isdigit() or name == op_name:
        heading, detail = op_name, op_label(layer, names)
    detail = _joined(detail, _shared(layer), _optional(view, name))
    return Caption(heading, detail, badge(layer))


def _choice_caption(
    view: ScopeView, layer: LayerView, counter: ParameterCounter
) -> Caption:
    """A layer that is one thing in some instances and another in others."""
    kinds = dict.fromkeys(
        "group" if isinstance(one, Scope) and one.kind == "group" else one.name
        for one in layer.targets
    )
    size = parameter_count(layer, counter) if not _shared(layer) else ""
    optional = _optional(view, layer.node.name)
    detail = _joined(" or ".join(kinds), _shared(layer), optional, size)
    return Caption(layer.node.name, detail, badge(layer))


def op_label(layer: LayerView, names: bool = False) -> str:
    """The label of a layer's op, merged over all runs.

    A part that differs shows its first and last value; a part that only some runs have
    is in parentheses. With `names`, labels that differ are written in the names of the
    scope instead, if that makes them equal.
    """
    runs = [
        (instance.context.apart(), call)
        for instance, _, call in layer.calls
        if call.op is not None
    ]
    labels = dict.fromkeys(_label(call, context) for context, call in runs)
    if names and len(labels) > 1:
        try:
            named = {_label(call, Context()) for _, call in runs}
        except OpError:  # the label needs the value of a size
            named = set()
        if len(named) == 1:
            return named.pop()
    return _merged(list(labels))


def _label(call: LayerCall, context: Context) -> str:
    assert call.op is not None
    inputs = op_inputs(type(call.op), call.inputs)
    return call.op.label(context, tuple(call.outputs.values()), **inputs)


def badge(layer: LayerView) -> str:
    """How often a layer runs: `× 12`, `× 3 · stride 2, then 1`, `along T, reversed`."""
    declared = layer.node.layer
    parts = []
    if declared.repeat is not None:
        counts = list(dict.fromkeys(typed.count for _, typed in layer.active_uses))
        parts.append(f"× {', '.join(f'{count:,}' for count in counts[:4])}")
        if len(counts) > 4:
            parts[-1] += ", …"
        if declared.repeat.share:
            parts[-1] += ", shared weights"
        if declared.repeat.routed:
            parts[-1] += f", {_per_token(layer)} for each token"
        elif not declared.repeat.chained:
            parts[-1] += ", side by side"
        elif any(typed.each for _, typed in layer.active_uses):
            parts[-1] += ", item by item" + " backwards" * declared.repeat.reverse
        parts.extend(_differences(layer))
    scans = [typed.scan for _, typed in layer.active_uses if typed.scan is not None]
    if scans:
        parts.append(f"along {scans[0].length}{', reversed' * declared.reverse}")
    return " · ".join(parts)


def _per_token(layer: LayerView) -> str:
    """How many experts a token has, in all uses of the layer."""
    found = (
        str(instance.context.value(typed.routed.per_token))
        for instance, typed in layer.active_uses
        if typed.routed is not None
    )
    return ", ".join(dict.fromkeys(found))


def parameter_count(layer: LayerView, counter: ParameterCounter) -> str:
    """How many parameters a layer has in all its copies, or their range over instances; "" for none."""
    counts = [counter.node(instance, typed) for instance, typed in layer.active_uses]
    least, greatest = min(counts, default=0), max(counts, default=0)
    if not greatest:
        return ""
    if short_count(least) == short_count(greatest):
        return short_count(greatest)
    return f"{short_count(least)} … {short_count(greatest)}"


def total_parameters(instances: Iterable[Instance], counter: ParameterCounter) -> int:
    """The number of parameters of several networks."""
    return sum(counter.instance(instance) for instance in instances)


def _scope_caption(
    view: ScopeView, layer: LayerView, scope: Scope, counter: ParameterCounter
) -> Caption:
    block = "" if scope.kind == "group" else scope.name
    heading = layer.node.name
    if heading.isdigit():
        heading, block = block or "layers", ""
    optional = _optional(view, layer.node.name)
    if layer.node.name in view.children:
        detail = _joined(block, _shared(layer), optional)
        return Caption(heading, detail, badge(layer))
    lines = _op_lines(view, layer) if is_short_list(scope) else ()
    size = parameter_count(layer, counter) if not _shared(layer) else ""
    detail = _joined(block, _shared(layer), optional, size)
    return Caption(heading, detail, badge(layer), lines)


def _op_lines(view: ScopeView, layer: LayerView) -> tuple[str, ...]:
    """The layers of a short list of ops, one per line."""
    inside = view.inside(layer.node.name)
    lines = []
    for name in inside.scope.nodes:
        inner = inside.layer(name)
        if inner.inactive or inner.target is None or isinstance(inner.target, Scope):
            continue
        parts = [
            inner.target.name,
            op_label(inner),
            badge(inner),
            _optional(inside, name),
        ]
        lines.append(" ".join(part for part in parts if part))
    return tuple(lines)


def _op_param(layer: LayerView) -> str:
    """The param of type `op` that chooses the layer's op, and could not be resolved."""
    target = layer.node.target
    return f"${target.param}" if isinstance(target, OpParam) else ""


def _shared(layer: LayerView) -> str:
    return f"weights of {layer.node.shared}" if layer.node.shared else ""


def _optional(view: ScopeView, name: str) -> str:
    """In how many copies an optional layer runs."""
    layer = view.layer(name)
    if not layer.optional:
        return ""
    if not layer.uses:
        return "optional"
    return copies_label(view, view.active_cases(name))


def _differences(layer: LayerView) -> list[str]:
    """The first two arguments in which the copies of a repeated layer differ."""
    found: dict[str, None] = {}
    for instance, typed in layer.active_uses:
        found |= dict.fromkeys(_argument_sequences(instance, typed))
    return list(found)[:2]


def _argument_sequences(instance: Instance, typed: TypedNode) -> list[str]:
    """The arguments that differ between copies, with their values: `stride 2, then 1`."""
    copies: list[dict[str, str]] = []
    for call in typed.calls:
        inner = call.instance
        if inner is not None and inner.scope.kind == "block":
            copies.append({key: str(value) for key, value in inner.params.items()})
        elif call.op is not None:
            arguments = vars(call.op).items()
            copies.append({key: _value(instance, value) for key, value in arguments})
    found = []
    for key in copies[0] if copies else ():
        values = [value for value, _ in groupby(copy[key] for copy in copies)]
        if len(values) > 1:
            found.append(f"{key} {_sequence(values)}")
    return found


def _value(instance: Instance, value: object) -> str:
    """An argument, with sizes as numbers."""
    if isinstance(value, Dim):
        return str(instance.context.value(value))
    if isinstance(value, tuple):
        return f"({', '.join(_value(instance, item) for item in value)})"
    return str(value)


def _sequence(values: Sequence[str]) -> str:
    short = [shorten(printable(value), 16) for value in values]
    if len(short) == 2:
        return f"{short[0]}, then {short[1]}"
    if len(short) <= 4:
        return ", ".join(short)
    return f"{short[0]}, {short[1]} … {short[-1]}"


def _merged(labels: list[str]) -> str:
    if len(labels) < 2:
        return labels[0] if labels else ""
    parts = [label.split(", ") for label in labels]
    if len({len(part) for part in parts}) == 1:
        return ", ".join(_ends(column) for column in zip(*parts, strict=True))
    longest = max(parts, key=len)
    return ", ".join(
        part if all(part in other for other in parts) else f"({part})"
        for part in longest
    )


def _ends(values: Sequence[str]) -> str:
    """The first and the last value, merged word by word: `64 → 64` and `256 → 64` give `64/256 → 64`."""
    words = [value.split(" ") for value in values]
    if len({len(word) for word in words}) > 1:
        return f"{values[0]} … {values[-1]}"
    columns = (list(dict.fromkeys(column)) for column in zip(*words, strict=True))
    return " ".join(
        column[0] if len(column) == 1 else _either(column) for column in columns
    )


def _either(column: Sequence[str]) -> str:
    """Alternatives, with common brackets written once: `[64` and `[1` give `[64/1`."""
    first = column[0]
    head = first[0] if first[0] in "[(" else ""
    tail = first[-1] if first[-1] in "])," else ""
    if not all(value.startswith(head) and value.endswith(tail) for value in column):
        head = tail = ""
    inner = [value[len(head) : len(value) - len(tail)] for value in column]
    ends = "/".join(inner) if len(inner) == 2 else f"{inner[0]}…{inner[-1]}"
    return f"{head}{ends}{tail}"


def _joined(*parts: str) -> str:
    return " · ".join(part.strip() for part in parts if part.strip())
