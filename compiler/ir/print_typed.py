"""A typed graph as text: every instance once, with its values and the types of its layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from compiler.diagnostics.text import listed
from compiler.ir.columns import as_text, entries, in_columns, section, written
from compiler.ir.print_graph import refs_text, target_name
from compiler.ir.typed import (
    Instance,
    LayerCall,
    TypedGraph,
    TypedNode,
    walk_instances,
)
from compiler.op.context import Context
from compiler.op.op import Shape, arguments
from compiler.symbolic.dims import TOO_LONG, Dim
from compiler.symbolic.domain import Constraint
from compiler.symbolic.tensor import TensorType, shape_text


def print_typed(typed: TypedGraph) -> str:
    """The values of the params, the symbols, and every instance under a number, the networks first."""
    roots = {**typed.networks}
    for name, ways in typed.bare.items():
        roots[f"{name} without optional inputs"] = ways[0]
        roots |= {f"{name} without {listed(one.absent)}": one for one in ways[1:]}
    printer = _Printer(roots.values())
    lines = [f"typed graph {typed.graph.spec.name}"]
    params = ((name, f"= {written(value)}") for name, value in typed.params.items())
    lines += section("params", params)
    domain = next((one.context.domain for one in roots.values()), None)
    known = domain.constraints.items() if domain else ()
    lines += section("symbols", ((str(symbol), _range(one)) for symbol, one in known))
    networks = ((name or "the network", printer.number(i)) for name, i in roots.items())
    lines += section("networks", networks)
    for instance in printer.numbers:
        lines += ("", *printer.instance(instance))
    lines += ("", *map(str, typed.diagnostics)) if typed.diagnostics else ()
    return as_text(lines)


class _Printer:
    """Prints instances that refer to one another by number: `#2`."""

    def __init__(self, roots: Iterable[Instance]) -> None:
        self.numbers = {one: n for n, one in enumerate(_instances(roots), start=1)}

    def number(self, instance: Instance) -> str:
        return f"#{self.numbers[instance]}"

    def instance(self, instance: Instance) -> Iterator[str]:
        scope, context = instance.scope, instance.context
        yield f"{self.number(instance)} {scope.kind} {scope.name}  at {scope.place.span(key=True).at}"
        if scope.kind != "group":
            params = instance.params.items()
            yield from section("params", ((k, f"= {written(v)}") for k, v in params))
        sizes = context.hints.items()
        yield from section("sizes", ((str(symbol), f"= {v}") for symbol, v in sizes))
        yield from section("inputs", _types(context, instance.inputs))
        layers = list(self._layers(instance))
        yield from ("  layers", *(f"    {line}" for line in layers)) if layers else ()
        yield from section("outputs", _types(context, instance.outputs))

    def _layers(self, instance: Instance) -> Iterator[str]:
        for node in instance.nodes.values():
            yield from self._layer(instance, node)
        missing = [n for n in instance.scope.nodes if n not in instance.nodes]
        yield from (f"{name} could not be inferred" for name in missing)

    def _layer(self, instance: Instance, node: TypedNode) -> Iterator[str]:
        context = instance.context
        call = f"{target_name(node.target)}({refs_text(node.inputs)})"
        yield f"{node.node.name} = {call}{_keys(node)}"
        rows = [("->", *row) for row in _types(context, node.outputs)]
        yield from (f"  {line}" for line in in_columns(rows))
        for run in node.calls:
            yield from (f"  {line}" for line in self._run(node, run, "runs"))
        for run in node.idle:
            yield from (f"  {line}" for line in self._run(node, run, "is built for"))
        for run in node.speculative:
            yield from (f"  {line}" for line in self._run(node, run, "could run"))

    def _run(self, node: TypedNode, run: LayerCall, verb: str) -> Iterator[str]:
        what = f"{verb} {self._target(run)}"
        if node.node.layer.repeat is not None:
            first, last = run.counter, run.counter + run.count - 1
            copies = f"copies {first} to {last}" if last > first else f"copy {first}"
            what = f"{copies}: {what}"
        yield what
        inputs = ", ".join(
            f"{port} {_given(kind)}" for port, kind in run.inputs.items()
        )
        parts = {
            "on": inputs,
            "where": entries({str(k): v for k, v in run.binding.items()}, " = "),
            "weights": _tensors(run.weights),
            "buffers": _tensors(run.buffers),
            "FLOPs": _flops(run.flops),
        }
        yield from (f"  {name} {text}" for name, text in parts.items() if text)

    def _target(self, run: LayerCall) -> str:
        if run.instance is not None:
            return self.number(run.instance)
        if run.op is None:
            return ""
        values = {name: getattr(run.op, name) for name in arguments(type(run.op))}
        return f"{run.op.name}({entries(values)})"


def _instances(roots: Iterable[Instance]) -> list[Instance]:
    """Every instance once: the networks, what they run, and what they could run."""
    networks = list(roots)
    found = dict.fromkeys([*networks, *walk_instances(networks)])
    pending = list(found)
    for instance in pending:
        runs = (run for node in instance.nodes.values() for run in node.speculative)
        more = walk_instances(run.instance for run in runs if run.instance is not None)
        new = [one for one in more if one not in found]
        found |= dict.fromkeys(new)
        pending += new
    return list(found)


def _keys(node: TypedNode) -> str:
    parts = []
    if not node.active:
        parts.append("off")
    if node.scan is not None:
        scan = node.scan
        states = entries({name: str(kind) for name, kind in scan.carry.items()}, ": ")
        parts.append(f"along {scan.length} of {entries(scan.axes)}, carries {states}")
    if node.ties:
        parts.append(f"tied {entries(node.ties, ': ')}")
    if node.node.shared:
        parts.append(f"shares {node.node.shared}")
    return f"  {'; '.join(parts)}" if parts else ""


def _types(
    context: Context, types: Mapping[str, TensorType | None]
) -> Iterator[tuple[str, ...]]:
    """Types in the names of the scope, and by value where that differs."""
    for port, kind in types.items():
        if kind is None:
            yield port, "absent"
            continue
        text, value = str(kind), str(context.values(kind))
        yield port, text, *([f"= {value}"] if value != text else [])


def _given(kind: TensorType | tuple[TensorType, ...] | None) -> str:
    if isinstance(kind, tuple):
        return f"[{', '.join(map(str, kind))}]"
    return "absent" if kind is None else str(kind)


def _tensors(tensors: Mapping[str, Shape]) -> str:
    shown = (f"{name}{shape_text(shape)}" for name, shape in tensors.items())
    return ", ".join(shown)


def _range(constraint: Constraint) -> str:
    most = "" if constraint.max is None else f" to {constraint.max}"
    step = constraint.multiple_of
    multiple = f", a multiple of {step}" if step != 1 else ""
    return f"from {constraint.min}{most}{multiple}"


def _flops(flops: Dim | None) -> str:
    if flops is None:
        return TOO_LONG
    return "" if flops == Dim.of(0) else str(flops)
