"""The words in a diagram: what a layer is, how often it runs, how much it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from compiler.diagnostics.text import printable, shorten
from compiler.diagram.drawing import Caption
from compiler.diagram.folding import listed
from compiler.diagram.views import Frame, Layer
from compiler.infer.call_op import op_inputs
from compiler.ir.counts import Counter
from compiler.ir.graph import OpParam, Scope
from compiler.ir.typed import Call, Instance, TypedNode
from compiler.op.context import Context
from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim

_UNITS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))


def amount(number: int) -> str:
    """A number of parameters in three digits.

    >>> amount(7_087_872), amount(124_439_808), amount(640)
    ('7.09 M', '124 M', '640')
    """
    for unit, letter in _UNITS:
        if number >= unit * 0.9995:
            value = number / unit
            places = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{places}f} {letter}"
    return str(number)


def layer_text(
    frame: Frame, name: str, counter: Counter, names: bool = False
) -> Caption:
    """What stands in the box of a layer or of a folded block, or over an opened one."""
    layer = frame.layer(name)
    if layer.scope is not None:
        return _scope_text(layer, layer.scope, counter, name in frame.children)
    op = layer.target
    kind = op.name if op is not None else _chosen(layer)
    heading, words = name, f"{kind} {op_label(layer, names)}"
    if name.isdigit() or name == kind:
        heading, words = kind, op_label(layer, names)
    return Caption(
        heading, _joined(words, _shared(layer), _optional(layer)), badge(layer)
    )


def op_label(layer: Layer, names: bool = False) -> str:
    """The label of the op, in what is common to all runs.

    A part that differs shows the first and the last of its values, one that is not
    everywhere stands in brackets. With `names`, labels that differ are in those of the
    scope instead, where they can be.
    """
    runs = [
        (instance.context, call)
        for instance, _, call in layer.calls
        if call.op is not None
    ]
    found = dict.fromkeys(_label(call, context) for context, call in runs)
    if names and len(found) > 1:
        try:
            named = {_label(call, Context()) for _, call in runs}
        except OpError:  # it has to know a size
            named = set()
        if len(named) == 1:
            return named.pop()
    return _merged(list(found))


def _label(call: Call, context: Context) -> str:
    assert call.op is not None
    inputs = op_inputs(type(call.op), call.inputs)
    return call.op.label(context, tuple(call.outputs.values()), **inputs)


def badge(layer: Layer) -> str:
    """How often a layer runs: `× 12`, `× 3 · stride 2, then 1`, `along T, reversed`."""
    said = layer.node.layer
    parts = []
    if said.repeat is not None:
        counts = list(dict.fromkeys(typed.count for _, typed in layer.running))
        parts.append(f"× {', '.join(f'{count:,}' for count in counts[:4])}")
        if len(counts) > 4:
            parts[-1] += ", …"
        if said.repeat.share:
            parts[-1] += ", shared weights"
        parts.extend(_differences(layer))
    scans = [typed.scan for _, typed in layer.running if typed.scan is not None]
    if scans:
        parts.append(f"along {scans[0].length}{', reversed' * said.reverse}")
    return " · ".join(parts)


def parameters(layer: Layer, counter: Counter) -> str:
    """How many parameters a layer holds, with all its copies; "" for none."""
    counts = [counter.node(instance, typed) for instance, typed in layer.running]
    least, most = min(counts, default=0), max(counts, default=0)
    if not most:
        return ""
    if amount(least) == amount(most):
        return amount(most)
    return f"{amount(least)} … {amount(most)}"


def total(instances: Iterable[Instance], counter: Counter) -> int:
    """The parameters of several networks."""
    return sum(counter.instance(instance) for instance in instances)


def _scope_text(layer: Layer, scope: Scope, counter: Counter, opened: bool) -> Caption:
    kind = "" if scope.kind == "group" else scope.name
    heading = layer.node.name
    if heading.isdigit():
        heading, kind = kind or "layers", ""
    if opened:
        return Caption(
            heading, _joined(kind, _shared(layer), _optional(layer)), badge(layer)
        )
    lines = _list(layer, scope) if listed(scope) else ()
    size = parameters(layer, counter) if not _shared(layer) else ""
    words = _joined(kind, _shared(layer), _optional(layer), size)
    return Caption(heading, words, badge(layer), lines)


def _list(layer: Layer, scope: Scope) -> tuple[str, ...]:
    """The layers of a short list, one a line."""
    inside = Frame(scope, layer.instances())
    lines = []
    for name in scope.nodes:
        inner = inside.layer(name)
        if inner.off or inner.target is None or isinstance(inner.target, Scope):
            continue
        words = [inner.target.name, op_label(inner), badge(inner), _optional(inner)]
        lines.append(" ".join(word for word in words if word))
    return tuple(lines)


def _chosen(layer: Layer) -> str:
    """The op that a param should have chosen."""
    target = layer.node.target
    return f"${target.param}" if isinstance(target, OpParam) else ""


def _shared(layer: Layer) -> str:
    return f"weights of {layer.node.shared}" if layer.node.shared else ""


def _optional(layer: Layer) -> str:
    """In how many copies an optional layer runs."""
    if not layer.optional:
        return ""
    there, copies = layer.share
    return f"in {there:,} of {copies:,}" if copies else "optional"


def _differences(layer: Layer) -> list[str]:
    """In what the copies of a repeated layer differ."""
    found: dict[str, None] = {}
    for instance, typed in layer.running:
        found |= dict.fromkeys(_between(instance, typed))
    return list(found)[:2]


def _between(instance: Instance, typed: TypedNode) -> list[str]:
    copies: list[dict[str, str]] = []
    for call in typed.calls:
        inner = call.instance
        if inner is not None and inner.scope.kind == "block":
            copies.append({key: str(value) for key, value in inner.params.items()})
        elif call.op is not None:
            found = vars(call.op).items()
            copies.append({key: _value(instance, value) for key, value in found})
    words = []
    for key in copies[0] if copies else ():
        values = [value for value, _ in groupby(copy[key] for copy in copies)]
        if len(values) > 1:
            words.append(f"{key} {_sequence(values)}")
    return words


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
    """`64 → 64` and `256 → 64`: `64/256 → 64`."""
    words = [value.split(" ") for value in values]
    if len({len(word) for word in words}) > 1:
        return f"{values[0]} … {values[-1]}"
    columns = (list(dict.fromkeys(column)) for column in zip(*words, strict=True))
    return " ".join(
        column[0] if len(column) == 1 else _either(column) for column in columns
    )


def _either(column: Sequence[str]) -> str:
    """`[64` and `[1`: `[64/1`; brackets that are common to all stand once."""
    first = column[0]
    head = first[0] if first[0] in "[(" else ""
    tail = first[-1] if first[-1] in "])," else ""
    if not all(value.startswith(head) and value.endswith(tail) for value in column):
        head = tail = ""
    inner = [value[len(head) : len(value) - len(tail)] for value in column]
    ends = "/".join(inner) if len(inner) == 2 else f"{inner[0]}…{inner[-1]}"
    return f"{head}{ends}{tail}"


def _joined(*words: str) -> str:
    return " · ".join(word.strip() for word in words if word.strip())
