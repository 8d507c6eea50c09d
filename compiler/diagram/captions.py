"""The captions of layers: what a layer runs, how often, and how many parameters it has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

from compiler.diagnostics.text import printable, shorten
from compiler.diagram.copies import copies_label, name_of_pattern
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

_WORD = 4  # letters of a name that stand for a longer word
_FEW = 4  # values, or copies, that are all listed
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
    heading, detail = name, op_label(view, layer, names)
    if name.isdigit():
        heading = op_name
    elif not _says(name, op_name):
        detail = f"{op_name} {detail}"
    detail = _joined(detail, _shared(layer), _optional(view, name))
    return Caption(heading, detail, badge(layer))


def _says(name: str, op: str) -> bool:
    """Whether the name of a layer says which op it is: `relu1`, `drop` for `dropout`, `conv1` for `conv2d`.

    >>> _says("relu1", "relu"), _says("conv", "conv2d"), _says("up", "conv_transpose2d")
    (True, True, False)
    >>> _says("conv", "conv_transpose2d"), _says("norm", "layer_norm")
    (False, False)
    """
    word = name.rstrip("0123456789_")
    rest = op.removeprefix(word)
    return (
        name == op
        or word == op
        or (len(word) >= _WORD and rest != op and "_" not in rest)
    )


def _choice_caption(
    view: ScopeView, layer: LayerView, counter: ParameterCounter
) -> Caption:
    """A layer that is one thing in some instances and another in others."""
    kinds: dict[str, set[int]] = {}
    for instance, typed in layer.active_uses:
        one = typed.target
        group = isinstance(one, Scope) and one.kind == "group"
        kinds.setdefault("group" if group else one.name, set()).add(
            view.number(instance)
        )
    size = parameter_count(layer, counter) if not _shared(layer) else ""
    optional = _optional(view, layer.node.name)
    choice = _choices(view, kinds)
    detail = _joined(choice, _shared(layer), optional, size)
    return Caption(layer.node.name, detail, badge(layer))


def _choices(view: ScopeView, kinds: Mapping[str, Collection[int]]) -> str:
    """What a layer is in which copies, the most frequent first: `Mamba, Attention in every 8th of 32`."""

    def rarity(kind: str) -> int:
        return -sum(view.copies[case] for case in kinds[kind])

    most, *others = sorted(kinds, key=rarity)
    named = (f"{one} {copies_label(view, kinds[one])}" for one in others)
    return ", ".join((most, *named))


def op_label(view: ScopeView, layer: LayerView, names: bool = False) -> str:
    """The label of a layer's op, merged over all runs.

    A part that differs shows its first and last value; a part that only some runs have says in which. With `names`,
    labels that differ are written in the names of the scope instead, if that makes them equal.
    """
    runs: dict[str, set[int]] = {}
    calls: list[LayerCall] = []
    for instance, _, call in layer.calls:
        if call.op is not None:
            label = _label(call, instance.context.apart())
            runs.setdefault(label, set()).add(view.number(instance))
            calls.append(call)
    if names and len(runs) > 1:
        try:
            named = {_label(call, Context()) for call in calls}
        except OpError:  # the label needs the value of a size
            named = set()
        if len(named) == 1:
            return named.pop()
    return _merged(view, runs)


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
        parts.extend(_taken(layer))
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
            op_label(inside, inner),
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


def _taken(layer: LayerView) -> list[str]:
    """Of which copies a list has the outputs, where not of all: `taps of every 3rd`."""
    found: dict[str, None] = {}
    for _, typed in layer.active_uses:
        for name, copies in typed.lists.items():
            if len(copies) < typed.count:
                spans = [range(copy, copy + 1) for copy in copies]
                which = name_of_pattern(spans, typed.count) or _numbered(copies)
                found[f"{name} of {which}"] = None
    return list(found)


def _numbered(copies: Sequence[int]) -> str:
    """`copies 2, 4 and 5`."""
    *others, last = (str(copy + 1) for copy in copies)
    return f"copies {', '.join(others)} and {last}" if others else f"copy {last}"


def _differences(layer: LayerView) -> list[str]:
    """The first two arguments in which the copies of a repeated layer differ.

    Where they differ otherwise in other instances, the first and the last value of all.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for instance, typed in layer.active_uses:
        for key, runs in _argument_runs(instance, typed).items():
            values = [value for value, _ in runs]
            found.setdefault(key, {})[_sequence(key, runs)] = [values[0], values[-1]]
    return [
        next(iter(texts))
        if len(texts) == 1
        else f"{key} {_outermost(list(texts.values()))}"
        for key, texts in found.items()
    ][:2]


def _outermost(ends: Sequence[Sequence[str]]) -> str:
    """The first of the first values, and the last of the last."""
    return _ends([ends[0][0], ends[-1][-1]])


def _argument_runs(
    instance: Instance, typed: TypedNode
) -> dict[str, list[tuple[str, int]]]:
    """The arguments that differ between copies, each with its values and how many copies in a row have them."""
    copies: list[dict[str, str]] = []
    counts: list[int] = []
    for call in typed.calls:
        inner = call.instance
        if inner is not None and inner.scope.kind == "block":
            given = inner.params.items()
            copies.append({key: _value(instance, value) for key, value in given})
        elif call.op is not None:
            arguments = vars(call.op).items()
            copies.append({key: _value(instance, value) for key, value in arguments})
        else:
            continue
        counts.append(call.count)
    found: dict[str, list[tuple[str, int]]] = {}
    for key in copies[0] if copies else ():
        pairs = zip((copy[key] for copy in copies), counts, strict=True)
        runs = [
            (value, sum(count for _, count in group))
            for value, group in groupby(pairs, key=lambda pair: pair[0])
        ]
        if len(runs) > 1:
            found[key] = runs
    return found


def _value(instance: Instance, value: object) -> str:
    """An argument, with sizes as numbers."""
    if isinstance(value, Dim):
        return str(instance.context.value(value))
    if isinstance(value, tuple):
        return f"({', '.join(_value(instance, item) for item in value)})"
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


def _sequence(key: str, runs: Sequence[tuple[str, int]]) -> str:
    """An argument that differs, by runs of copies with one value: `stride 2, then 1`, `full in every 6th`."""
    spans = _spans(runs)
    total = sum(count for _, count in runs)
    short = [shorten(printable(value), 16) for value, _ in runs]
    if spans.keys() == {"True", "False"}:
        held = sum(map(len, spans["True"]))
        return (
            f"{key} in {name_of_pattern(spans['True'], total) or f'{held} of {total}'}"
        )
    if len(short) == 2:
        return f"{key} {short[0]}, then {short[1]}"
    if len(spans) == 2 and (named := _rarer(spans, total)):
        return f"{key} {named}"
    if total <= _FEW:  # a value for each copy
        each = (
            text
            for text, (_, count) in zip(short, runs, strict=True)
            for _ in range(count)
        )
        return f"{key} {', '.join(each)}"
    if len(short) <= _FEW:
        return f"{key} {(', ' if len(short) == total else ', then ').join(short)}"
    if len(spans) < len(runs):
        different = list(dict.fromkeys(short))
        return f"{key} {different[0]} … {different[-1]}"
    return f"{key} {short[0]}, {short[1]} … {short[-1]}"


def _rarer(spans: Mapping[str, Sequence[range]], total: int) -> str:
    """One value and the copies that have the other: `4096, 8192 in every 2nd`; "" if these have no name."""
    patterns = {value: name_of_pattern(found, total) for value, found in spans.items()}
    named = [value for value, pattern in patterns.items() if pattern]
    if not named:
        return ""
    rare = min(named, key=lambda value: len(patterns[value]))
    (often,) = spans.keys() - {rare}
    often_text, rare_text = (shorten(printable(value), 16) for value in (often, rare))
    return f"{often_text}, {rare_text} in {patterns[rare]}"


def _spans(runs: Sequence[tuple[str, int]]) -> dict[str, list[range]]:
    """The copies that have each value."""
    found: dict[str, list[range]] = {}
    start = 0
    for value, count in runs:
        found.setdefault(value, []).append(range(start, start + count))
        start += count
    return found


def _merged(view: ScopeView, runs: Mapping[str, Collection[int]]) -> str:
    """One label for several, given with the cases that have them."""
    if len(runs) < 2:
        return next(iter(runs), "")
    keyed = {label: _parts_by_word(label) for label in runs}
    longest = max(keyed.values(), key=len)
    keys = dict.fromkeys(
        (*longest, *(key for parts in keyed.values() for key in parts))
    )
    found = []
    for key in keys:
        having = [label for label, parts in keyed.items() if key in parts]
        text = _ends(list(dict.fromkeys(keyed[label][key] for label in having)))
        if len(having) < len(runs):
            cases = {case for label in having for case in runs[label]}
            text = f"{text} {copies_label(view, cases) or 'in some'}"
        found.append(text)
    return ", ".join(found)


def _parts_by_word(label: str) -> dict[tuple[str, ...], str]:
    """The parts of a label, each by its words without numbers: `stride 2` by `stride`."""
    found: dict[tuple[str, ...], str] = {}
    for part in _parts(label):
        words = tuple(word for word in part.split() if not any(map(str.isdigit, word)))
        while words in found:
            words = (*words, "")
        found[words] = part
    return found


def _parts(label: str) -> list[str]:
    """The parts of a label between commas; a shape is one part.

    >>> _parts("dim 1 to [64, 2], stride 2")
    ['dim 1 to [64, 2]', 'stride 2']
    """
    parts: list[str] = []
    for piece in label.split(", "):
        inside = bool(parts) and parts[-1].count("[") > parts[-1].count("]")
        if inside:
            parts[-1] += f", {piece}"
        else:
            parts.append(piece)
    return parts


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
