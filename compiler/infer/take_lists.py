"""Lists of tensors at the inputs of layers: whole, where a port takes many, or an item for each copy."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from compiler.dataclass import replace
from compiler.diagnostics.diagnostic import InstancePath
from compiler.infer.engine import Engine, Skip
from compiler.infer.instances import InstanceBuilder
from compiler.infer.repeats import uses_counter
from compiler.infer.resolved_layer import ResolvedLayer
from compiler.infer.stacks import named_count
from compiler.ir.graph import Node, Place, Ref, Scope
from compiler.ir.typed import TypedNode, item_port
from compiler.language.layers import Repeat
from compiler.op.context import Listed
from compiler.op.errors import OpError


class ListInputs:
    """The lists that the layers of one instance take; `path` leads to it, for diagnostics."""

    def __init__(
        self, engine: Engine, instance: InstanceBuilder, path: InstancePath
    ) -> None:
        self.engine, self.instance, self.path = engine, instance, path
        self.report = engine.report

    def with_items(self, layer: ResolvedLayer) -> ResolvedLayer:
        """The layer with the items of the lists that it takes: at ports that take many, and one for each copy."""
        apart = {
            port
            for port, ref in layer.refs.items()
            if isinstance(ref, Ref) and layer.repeated and self.copies_of(ref)
        }
        refs = {
            port: ref
            if isinstance(ref, Ref) and port not in apart
            else self._items_of(layer.node, ref if isinstance(ref, tuple) else (ref,))
            for port, ref in layer.refs.items()
        }
        repeat = layer.node.layer.repeat
        if repeat is not None and repeat.reverse:
            self._check_reverse(layer.node, apart)
            refs |= {port: _reversed(refs[port]) for port in apart}
        if not apart and refs == layer.refs:
            return layer
        return replace(layer, refs=refs, each=frozenset(apart))

    def _check_reverse(self, node: Node, each: Collection[str]) -> None:
        """What is reversed is a list that goes item by item."""
        if not each:
            message = "`reverse` is for a list that goes item by item, and this layer takes none"
            span = node.place.at("repeat").span("reverse", key=True)
            self.report.error("bad-repeat", span, message, path=self.path.to(node.name))

    def _items_of(self, node: Node, refs: tuple[Ref, ...]) -> tuple[Ref, ...]:
        found: list[Ref] = []
        for ref in refs:
            copies = self.copies_of(ref)
            if copies is None:
                found.append(ref)
                continue
            self.engine.charge_run(items=len(copies))
            ports = (item_port(ref.port, n) for n in range(len(copies)))
            found += (Ref(ref.node, port, ref.path, of_list=True) for port in ports)
        most = self.engine.limits.inputs
        if len(found) > max(most, len(refs)):
            message = f"a layer has more than {most:,} inputs"
            error = OpError("too-large", message)
            raise self.engine.skip(self.instance, node, error, self.path.to(node.name))
        return tuple(found)

    def taken_whole(self, layer: ResolvedLayer) -> Iterator[Listed]:
        """The lists that a layer takes whole, each of as many items as a param says."""
        for refs in layer.refs.values():
            for first, ref in enumerate(refs if isinstance(refs, tuple) else ()):
                name, number = ref.item or ("", 0)
                if not ref.of_list or number:
                    continue
                source = self.instance.nodes[ref.node]
                repeat = source.node.layer.repeat
                if repeat is not None and self._are_alike(source):
                    count = named_count(repeat.count, self.instance)
                    yield Listed(first, len(source.lists[name]), count)

    def _are_alike(self, source: TypedNode) -> bool:
        """Whether a list has an item of each copy, and the numbers of the copies change no type, however many."""
        repeat, target = source.node.layer.repeat, source.target
        assert repeat is not None
        if repeat.at is not None:
            return False
        counted = {
            key: value
            for key, value in source.arguments.items()
            if uses_counter(target, {key: value})
        }
        if not isinstance(target, Scope) or target.kind == "group":
            return not uses_counter(target, source.arguments)
        values = self.engine.facts.value_params.of(target)
        runs = [call.instance for call in source.calls if call.instance is not None]
        return all(
            key in values and all(isinstance(one.params[key], float) for one in runs)
            for key in counted
        )

    def check_each(self, layer: ResolvedLayer, count: int) -> None:
        """A list that goes item by item has one for each copy, and is nothing that could be passed on."""
        node = layer.node
        repeat = node.layer.repeat
        if layer.each and repeat is not None and not layer.refs.keys() - layer.each:
            self._check_kept(node, repeat)
        for port in layer.each:
            items = layer.refs[port]
            assert isinstance(items, tuple)
            (name, _), path = items[0].item or ("", 0), self.path.to(node.name)
            text = f"{items[0].node}.{name}"
            message = help = ""
            if count and len(items) != count:
                copies = f"{count} cop{'y' if count == 1 else 'ies'}"
                message = (
                    f"{text} has {len(items)} items for {copies}: each takes its own"
                )
            elif (
                node.layer.when is not None
                and node.otherwise is None
                and port == next(iter(layer.refs))
            ):
                message = (
                    f"where `when` is false, {text} would be passed on, which is a list"
                )
                help = "name the value that takes its place: else: x"
            if message:
                span = node.place.document.locate(items[0].path)
                self.report.error("bad-list", span, message, help=help, path=path)
                raise Skip

    def _check_kept(self, node: Node, repeat: Repeat) -> None:
        """What copies give that take nothing but items of lists, and so are no chain, is in a list."""
        if not repeat.collect and not repeat.stack:
            message = "each copy takes an item, and only what the last one gives would be used"
            help = "name the list of what they give: collect: outputs"
            span, path = node.place.at("repeat").span(), self.path.to(node.name)
            self.report.error("bad-repeat", span, message, help=help, path=path)

    def copies_of(self, ref: Ref) -> tuple[int, ...] | None:
        """The copies that the items of a list are of; None for what is no list."""
        source = self.instance.nodes.get(ref.node)
        return None if source is None else source.lists.get(ref.port)

    def is_unnamed(self, ref: Ref) -> bool:
        """Whether a value is an output of copies that are no chain, of which each gives its own."""
        source = self.instance.nodes.get(ref.node)
        repeat = source.node.layer.repeat if source is not None else None
        if source is None or repeat is None or not source.calls or source.routed:
            return False
        if repeat.chained and (not source.each or source.inputs.keys() - source.each):
            return False
        return (ref.port or next(iter(source.outputs))) in source.of_copy

    def check_list(
        self, place: Place, source: TypedNode, ref: Ref, path: InstancePath
    ) -> bool:
        """Report a list where one tensor is needed, and an item that is not there."""
        span = place.document.locate(ref.path)
        if self.is_unnamed(ref):
            names = [*source.lists, *(set(source.outputs) & _stacks(source.node))]
            message = f"the copies of {ref.node} are no chain, and each gives its own"
            help = f"name what they give: {ref.node}.{next(iter(names), 'outputs')}"
            self.report.error("bad-list", span, message, help=help, path=path)
            return True
        copies = source.lists.get(ref.port)
        if copies is not None:
            message = f"{ref} is a list of {len(copies)}, and one tensor is needed here"
            joined = f"{{op: concat, dim: 1, in: {ref}}}"
            help = f"name an item, {ref}.0, or join them: {joined}; copies of a layer take an item each"
            self.report.error("bad-list", span, message, help=help, path=path)
            return True
        name, number = ref.item or ("", 0)
        copies = source.lists.get(name)
        if copies is None:
            return False
        message = f"{ref.node}.{name} has {len(copies)} items, and no item {number}"
        help = "items are counted from 0"
        self.report.error("bad-list", span, message, help=help, path=path)
        return True


def _reversed(refs: Ref | tuple[Ref, ...]) -> tuple[Ref, ...]:
    assert isinstance(refs, tuple)
    return refs[::-1]


def _stacks(node: Node) -> set[str]:
    """The names of what a layer stacks."""
    return set() if node.layer.repeat is None else set(node.layer.repeat.stack)
