"""Check that networks fit a task: ports are matched to roles, and their types are checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from compiler.diagnostics.diagnostic import Report, suggest
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import listed, shorten
from compiler.ir.graph import Ref, Scope
from compiler.ir.typed import Instance, TypedGraph, TypedNode
from compiler.parse.document import Document
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import Kind, TensorType

FREE: Final = "free"
"""A size that differs from batch to batch: it must be a symbol."""
Wanted = int | None | Literal["free"]
"""A size: this one, any, or one that is free."""


class PortCheck:
    """Checks what a task requires of networks; errors are reported at their places."""

    def __init__(
        self,
        typed: TypedGraph,
        task: Document,
        ports: Mapping[str, str],
        kind: str,
        report: Report,
    ) -> None:
        self.typed, self.kind, self.ports = typed, kind, ports
        self.holds = ""
        """What the data holds, for whoever wonders why a port must have its type."""
        self._task, self._report = task, report

    def report(
        self,
        code: str,
        path: tuple[str | int, ...],
        message: str,
        label: str = "",
        help: str = "",
        key: bool = False,
    ) -> None:
        """Report an error at a path in the task."""
        span = self._task.locate(("task", *path), key=key)
        self._report.error(code, span, message, label=label, help=help)

    def warn(self, code: str, span: Span, message: str, help: str = "") -> None:
        """Report a warning at a path in the task."""
        self._report.warning(code, span, message, help=help)

    def network(self, name: str = "") -> Instance | None:
        """The network of a name, or the only one; reports if it does not exist."""
        networks = self.typed.networks
        if name in networks:
            return networks[name]
        several = f"this file has {listed(networks)}"
        wanted = f"a network {name}" if name else "one network"
        help = f"write networks: {{{name}: ...}}" if "" in networks else several
        self.report("task-misfit", ("kind",), f"{self.kind} needs {wanted}", help=help)
        return None

    def input(
        self, net: Instance, role: str, kind: Kind, sizes: Sequence[Wanted]
    ) -> str:
        """The input with a role, if it has this type; otherwise "", and an error is reported."""
        return self._port(net, "inputs", role, kind, sizes)

    def output(
        self, net: Instance, role: str, kind: Kind, sizes: Sequence[Wanted]
    ) -> str:
        """The output with a role, if it has this type; otherwise "", and an error is reported."""
        return self._port(net, "outputs", role, kind, sizes)

    def fed(self, net: Instance, roles: Sequence[str]) -> None:
        """Report inputs of a network that have no role."""
        used = {bound(net.scope.inputs, role, self.ports) for role in roles}
        for name in net.scope.inputs:
            if name not in used:
                message = f"{self.kind} has nothing to give to the input {name}"
                self._at(net, "inputs", name, message, f"it feeds {listed(roles)}")

    def tokens(
        self,
        net: Instance,
        port: str,
        vocab: int | None,
        source: str,
        what: str = "tokens",
    ) -> None:
        """Report embeddings of an input that have no vector for some of its tokens, or what else is embedded."""
        for node, rows in embeddings(net, port) if vocab is not None else ():
            self.size(node, rows, vocab or 0, source, what)

    def size(
        self, node: TypedNode, rows: int, vocab: int, source: str, what: str = "tokens"
    ) -> None:
        """Compare the number of rows of an embedding with the size of the vocabulary."""
        span = node.node.place.span()
        if rows < vocab:
            message = f"{source} has {vocab} {what}, and the embedding {rows} vectors"
            help = f"give it num_embeddings: {vocab}"
            self._report.error("vocabulary-mismatch", span, message, help=help)

    def _port(
        self,
        net: Instance,
        side: Literal["inputs", "outputs"],
        role: str,
        kind: Kind,
        sizes: Sequence[Wanted],
    ) -> str:
        types = net.inputs if side == "inputs" else net.outputs
        name = bound(types, role, self.ports)
        if side == "outputs" and name not in types and self.lacks(net, name):
            return ""
        if name not in types:
            self._absent(role, side[:-1], types)
            return ""
        found = types[name]
        if found is None or _agrees(net, found, kind, sizes):
            return name
        message = f"{self.kind} needs {role} to be {_type_text(kind, sizes)}"
        label = f"{name} is {net.context.values(found)}"
        self._at(net, side, name, message, label, self.holds)
        return ""

    def lacks(self, net: Instance, port: str) -> bool:
        """Whether a network has an output that is absent; that is reported."""
        if port not in net.scope.outputs or port in net.outputs:
            return False
        source = net.scope.outputs[port].node
        message = f"{self.kind} needs the output {port}, and it is absent"
        label = f"{source} has no value here"
        help = (
            "set the params so that its layer runs, or leave the output out of the task"
        )
        self._at(net, "outputs", port, message, label, help)
        return True

    def _absent(self, role: str, side: str, ports: Iterable[str]) -> None:
        have = f"the {side}s are {listed(ports)}"
        if role in self.ports:
            message = f"there is no {side} {shorten(self.ports[role])}"
            help = suggest(self.ports[role], ports) or have
            self.report("task-misfit", ("ports", role), message, help=help)
            return
        message = f"{self.kind} needs an {side} for its {role}"
        help = f"{have}: write ports: {{{role}: ...}}"
        self.report("task-misfit", ("kind",), message, help=help)

    def _at(
        self,
        net: Instance,
        side: str,
        name: str,
        message: str,
        label: str,
        help: str = "",
    ) -> None:
        place = net.scope.place
        span = (
            place.at(side, name).span()
            if place.document.node((*place.path, side, name))
            else None
        )
        if span is None and side == "outputs" and name in net.scope.outputs:
            layer = net.scope.nodes.get(net.scope.outputs[name].node)
            span = layer.place.span(key=True) if layer else None
        span = span or place.span()
        self._report.error("task-misfit", span, message, label=label, help=help)


def bound(ports: Mapping[str, object], role: str, chosen: Mapping[str, str]) -> str:
    """The port with a role: by `ports`, by its name, or the only port."""
    if role in chosen:
        return chosen[role]
    if role in ports:
        return role
    others = [name for name in ports if name not in chosen.values()]
    return others[0] if len(others) == 1 else ""


def _agrees(
    net: Instance, found: TensorType, kind: Kind, sizes: Sequence[Wanted]
) -> bool:
    if found.kind != kind or found.rank != len(sizes):
        return False
    values = (net.context.value(size) for size in found.shape)
    return all(map(_fits, values, sizes, [net] * len(sizes)))


def _fits(size: Dim, wanted: Wanted, net: Instance) -> bool:
    if wanted is None:
        return True
    if wanted == FREE:
        return size.constant is None
    if size.constant is not None:
        return size.constant == wanted
    symbol, domain = size.alone, net.context.domain
    return symbol is None or domain.constraint(symbol).admits(wanted)


def _type_text(kind: Kind, sizes: Sequence[Wanted]) -> str:
    letters = iter(("B", "T"))
    shown = [
        next(letters) if size == FREE else "*" if size is None else str(size)
        for size in sizes
    ]
    return f"{kind}[{', '.join(shown)}]"


def embeddings(net: Instance, port: str) -> Iterator[tuple[TypedNode, int]]:
    """The embeddings that look up an input of a scope, and how many vectors each has."""
    for node in net.nodes.values():
        if not node.calls or not _reads(node, port):
            continue
        call = node.calls[0]
        if call.op is not None and call.op.name == "embedding":
            weights = (*call.weights.values(), *call.buffers.values())
            tables = [shape for shape in weights if len(shape) == 2]
            sizes = [net.context.value(shape[0]).constant or 0 for shape in tables]
            rows = max(sizes, default=None)  # a parametrization has other tensors, too
            yield from [(node, rows)] if rows is not None else ()
        elif call.instance is not None and isinstance(node.target, Scope):
            for inner, ref in node.inputs.items():
                if isinstance(ref, Ref) and ref.node == port:
                    yield from embeddings(call.instance, inner)


def _reads(node: TypedNode, port: str) -> bool:
    refs = node.inputs.values()
    return any(isinstance(ref, Ref) and ref.node == port for ref in refs)
