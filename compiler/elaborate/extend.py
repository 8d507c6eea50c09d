"""Document -> Document: a spec that extends another becomes that one, with what it changes by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, KeysView, Mapping
from pathlib import Path, PurePath, PurePosixPath
from typing import Final, TypeGuard

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import shorten
from compiler.elaborate.apply_recipe import is_recipe
from compiler.elaborate.place_layers import Entry, place_layers
from compiler.elaborate.relative_file import is_file, relative_file
from compiler.elaborate.shipped_specs import shipped_specs
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)

Parse = Callable[[Path], Document]

KEY: Final = "extends"
BY_NAME: Final = {
    "params": "param",
    "variants": "variant",
    "dims": "dimension",
    "inputs": "input",
    "layers": "layer",
    "outputs": "output",
    "networks": "network",
    "blocks": "block",
    "import": "import",
    "expect": "expectation",
    "init": "initialisation",
    "checkpoint": "key of checkpoint",
    "task": "key of task",
}
"""The sections whose entries are replaced one by one, and what an entry is called."""
_NOTHING: Final = MappingNode((), Span("", 1, 1, 1, 1))


def extend(document: Document, root: Path, parse: Parse, limits: Limits) -> Document:
    """The spec that a file extends, with the entries of the file in place of those of the same names.

    Each node keeps its position, in the file in which it is written. A file that extends none is returned as it is.

    Args:
        document: a spec, or a file of blocks.
        root: the folder, absolute and without links, in whose tree bases must be.
        parse: parses a file.
        limits: how many files may extend one another, and how large the result may be.

    Raises:
        SpecError: if a base is missing, outside of the tree or one of the files that extend it, or if an entry is
            dropped that the base does not have.
    """
    chain = _chain(document, root, parse, limits)
    whole = chain.pop()
    while chain:
        whole = _Merge(whole, chain.pop()).document()
    if whole.bases:
        _charge(whole, limits)
    return whole


def _chain(
    document: Document, root: Path, parse: Parse, limits: Limits
) -> list[Document]:
    """A file, the one that it extends, the one that this extends, and so on."""
    chain, files = [document], [_path(document)]
    while chain[-1].root.key(KEY) is not None and not is_recipe(chain[-1]):
        own, report = chain[-1], Report()
        span = own.locate((KEY,))
        file = _base_file(own, root, report)
        if file in files:
            names = " → ".join(one.name for one in (*files[files.index(file) :], file))
            message = f"these files extend one another: {names}"
            report.error("import-cycle", span, message)
        elif len(chain) > limits.extends:
            message = (
                f"a spec extends {limits.extends} others at most, one by way of another"
            )
            report.error("too-large", span, message)
        report.raise_if_failed()
        assert file is not None
        base = parse(file)
        if is_recipe(base):
            message = f"{file.name} is a recipe, and has no network of its own"
            help = "extend the spec that the recipe names"
            report.error("bad-value", span, message, help=help)
        report.raise_if_failed()
        chain.append(base)
        files.append(file)
    return chain


def _path(document: Document) -> Path:
    return Path(document.source.file).resolve()


def _base_file(document: Document, root: Path, report: Report) -> Path | None:
    """The file that a document extends: in the tree of its folder, or a shipped spec."""
    node, span = document.root.get(KEY), document.locate((KEY,))
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
        message = "`extends` is the path of a spec"
        report.error("bad-type", span, message, help="write extends: gpt2.yaml")
        return None
    written, home = node.value, _path(document)
    tree = root if home.is_relative_to(root) else shipped_specs()
    path = relative_file(written, home.parent, (tree,))
    if path is None:
        message = f"{shorten(written)} lies outside of the spec's folder"
        help = "extend a spec in the folder of this one, or one that comes with LayerGraph: gpt2.yaml"
        report.error("import-outside", span, message, help=help)
        return None
    path = path if is_file(path) else _shipped(written)
    if path is None:
        message = f"there is no file {shorten(written)} here"
        names = [one.name for one in shipped_specs().glob("*.yaml")]
        help = report.like(written, sorted(names))
        report.error("import-not-found", span, message, help=help)
    return path


def _shipped(written: str) -> Path | None:
    """`NAME.yaml` of the shipped specs, which a spec elsewhere does not have beside it."""
    path = shipped_specs() / written
    alone = len(PurePosixPath(written).parts) == 1
    return path if alone and is_file(path) else None


class _Merge:
    """A base, with the entries of the file that extends it."""

    def __init__(self, base: Document, own: Document) -> None:
        self.base, self.own, self.report = base, own, Report()
        self.file = PurePath(base.source.file).name
        self.dropped = dict(base.dropped)

    def document(self) -> Document:
        """The whole.

        Raises:
            SpecError: with all that cannot be dropped or placed.
        """
        root = self._root()
        self.report.raise_if_failed()
        bases = (self.base.source.file, *self.base.bases)
        return Document(self.own.source, root, bases=bases, dropped=self.dropped)

    def _root(self) -> MappingNode:
        """The sections by name; the layers last, as inputs may be among those that they come after."""
        base = self.base.root.entries
        entries = {key.text: (key, self._kept(key.text, value)) for key, value in base}
        own = sorted(self.own.root.entries, key=lambda one: one[0].text == "layers")
        for key, value in own:
            if _is_null(value):
                self._drop((key.text,), key, value, entries)
                continue
            below = entries[key.text][1] if key.text in entries else None
            entries[key.text] = key, self._section(key, below, value, entries)
            self.dropped.pop((key.text,), None)
        placed = _placed(entries, self.base.root, self.own.root)
        return MappingNode(tuple(placed), self.own.root.span)

    def _kept(self, name: str, section: YamlNode) -> YamlNode:
        """A section of the base, without blocks that the file imports, and imports that it has blocks in place of."""
        other = {"blocks": "import", "import": "blocks"}.get(name, "")
        given = _names(self.own.root.get(other)) - _names(self.own.root.get(name))
        if not given or not isinstance(section, MappingNode):
            return section
        kept = [entry for entry in section.entries if entry[0].text not in given]
        return MappingNode(tuple(kept), section.span)

    def _section(
        self,
        key: ScalarNode,
        base: YamlNode | None,
        own: YamlNode,
        around: Mapping[str, Entry],
    ) -> YamlNode:
        """What the file writes, in a section of names with the entries of the base that it says nothing of."""
        name = key.text
        if name not in BY_NAME or not isinstance(own, MappingNode):
            return own
        if name == "layers" and isinstance(base, SequenceNode):
            message = f"the layers of {self.file} are a list, and have no names"
            help = "write a list, which replaces them all"
            self.report.error("bad-type", key.span, message, help=help)
        if name == "outputs" and isinstance(base, SequenceNode):
            base = _named_outputs(base)
        below = base if isinstance(base, MappingNode) else _NOTHING
        entries = {one.text: (one, value) for one, value in below.entries}
        for one, value in own.entries:
            if _is_null(value):
                self._drop((name, one.text), one, value, entries)
            else:
                entries[one.text] = one, value
                self.dropped.pop((name, one.text), None)
        if name == "layers":
            inputs = _names(around["inputs"][1]) if "inputs" in around else {}
            placed = place_layers(entries, own, inputs, self.report)
            return MappingNode(tuple(placed), own.span)
        return MappingNode(tuple(_placed(entries, below, own)), own.span)

    def _drop(
        self,
        path: tuple[str, ...],
        key: ScalarNode,
        value: ScalarNode,
        entries: dict[str, Entry],
    ) -> None:
        """Leave out the entry of the base that the file has as `null`."""
        name = key.text
        if not value.text:
            message = f"`{shorten(name)}` is empty"
            help = f"write {shorten(name)}: null to drop it"
            self.report.error("bad-type", key.span, message, help=help)
        elif name in entries:
            _, whole = entries.pop(name)
            self.dropped[path] = value.span
            below = _names(whole) if not path[1:] else ()
            self.dropped |= {(name, one): value.span for one in below}
        else:
            what = BY_NAME[path[0]] if path[1:] else "key"
            message = f"{self.file} has no {what} {shorten(name)} to drop"
            help = self.report.like(name, entries)
            if path[0] == "blocks" and name in _names(self.base.root.get("import")):
                help = f"it is imported: write import: {{{name}: null}}"
            self.report.error("unknown-key", key.span, message, help=help)


def _is_null(node: YamlNode) -> TypeGuard[ScalarNode]:
    return isinstance(node, ScalarNode) and node.value is None


def _names(section: YamlNode | None) -> KeysView[str]:
    """The names in a section."""
    entries = section.entries if isinstance(section, MappingNode) else ()
    return dict.fromkeys(key.text for key, _ in entries).keys()


def _named_outputs(outputs: SequenceNode) -> MappingNode:
    """A list of outputs as a mapping: each has the name of its layer."""
    entries: list[Entry] = []
    for item in outputs.items:
        if isinstance(item, ScalarNode):
            name = item.text.partition(".")[0]
            entries.append((ScalarNode(name, name, item.span), item))
    return MappingNode(tuple(entries), outputs.span)


def _placed(
    entries: Mapping[str, Entry], base: MappingNode, own: MappingNode
) -> Iterator[Entry]:
    """Entries in the order of the base; a new one before the next of the file that the base has, else at the end."""
    before: dict[str, list[str]] = {}
    new: list[str] = []
    there = _names(base)
    for name in _names(own):
        if name not in entries:
            continue
        if name in there:
            before[name], new = new, []
        else:
            new.append(name)
    for name in there:
        if name in entries:
            yield from (entries[one] for one in (*before.get(name, ()), name))
    yield from (entries[one] for one in new)


def _charge(document: Document, limits: Limits) -> None:
    """Check that a spec is no larger, with what it extends, than one file may be.

    Raises:
        SpecError: if it is.
    """
    values = characters = 0
    pending: list[YamlNode] = [document.root]
    while pending:
        node = pending.pop()
        values += 1
        if isinstance(node, MappingNode):
            values += len(node.entries)
            pending += [value for _, value in node.entries]
        elif isinstance(node, SequenceNode):
            pending += node.items
        else:
            characters += len(node.text)
    report = Report()
    span = document.locate((KEY,))
    for count, most, what in (
        (values, limits.nodes, "values"),
        (characters, limits.characters, "characters in values"),
    ):
        if count > most:
            message = f"with what it extends, the file has more than {most:,} {what}"
            report.error("too-large", span, message)
    report.raise_if_failed()
