"""What stands at a place of a spec, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Span
from compiler.editing.hints import TypedLayer, sizes, typed_layers
from compiler.editing.keys import KeyFacts, keys_at
from compiler.editing.mentions import Mention
from compiler.editing.survey import Survey
from compiler.ir.typed import Instance
from compiler.op.as_yaml import as_yaml
from compiler.op.op_docs import OpReference, op_reference, signature
from compiler.op.registry import find_op
from compiler.parse.document import MappingNode, ScalarNode, YamlNode
from compiler.parse.path_error import Path

_MOST: Final = 6


@dataclass(frozen=True, slots=True)
class Hover:
    """A text about the characters of a place."""

    span: Span
    text: str


def hover(survey: Survey, line: int, column: int) -> Hover | None:
    """What the name or the key at a place is; None where nothing is known of it."""
    mention = mention_at(survey, line, column)
    if mention is not None:
        text = "\n\n".join(filter(None, _WORDS[mention.of.kind](survey, mention)))
        return Hover(mention.span, text) if text else None
    found = key_at(survey, line, column)
    if found is None:
        return None
    path, key = found
    facts = keys_at(survey.document, path[:-1]).get(key.text)
    if facts is None:
        return None
    return Hover(key.span, key_text(key.text, facts))


def mention_at(survey: Survey, line: int, column: int) -> Mention | None:
    """The name at a place; where several are, the one that is not a declaration by another name."""
    file = survey.source.file
    found = [
        one
        for one in survey.mentions
        if one.span.file == file and _covers(one.span, line, column)
    ]
    return min(found, key=lambda one: _length(one.span), default=None)


def _covers(span: Span, line: int, column: int) -> bool:
    """Whether a place is in a range, or right behind it."""
    return (
        (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)
    )


def _length(span: Span) -> int:
    return span.end_column - span.column


def key_at(survey: Survey, line: int, column: int) -> tuple[Path, ScalarNode] | None:
    """The key at a place, with its path."""
    node: YamlNode = survey.document.root
    path: Path = ()
    while True:
        for step, key, value in _children(node):
            if key is not None and _covers(key.span, line, column):
                return (*path, step), key
            if _covers(value.span, line, column) and not isinstance(value, ScalarNode):
                path, node = (*path, step), value
                break
        else:
            return None


def _children(
    node: YamlNode,
) -> Iterator[tuple[str | int, ScalarNode | None, YamlNode]]:
    if isinstance(node, MappingNode):
        yield from ((key.text, key, value) for key, value in node.entries)
    elif not isinstance(node, ScalarNode):
        yield from ((number, None, item) for number, item in enumerate(node.items))


def key_text(name: str, facts: KeyFacts) -> str:
    """A key in words."""
    head = f"`{name}`" + (f": {facts.takes}" if facts.takes else "")
    return f"{head}\n\n{facts.text}" if facts.text else head


def op_text(name: str) -> str:
    """An op in words: its ports, what it stands for and computes, its arguments."""
    found = find_op(name)
    return "" if found is None else _described(op_reference(found))


def _described(one: OpReference) -> str:
    parts = [_code(signature(one))]
    parts += [f"`{one.torch}`"] if one.torch else []
    parts.append(one.text)
    if one.arguments:
        lines = []
        for item in one.arguments:
            default = (
                "required" if item.default is None else f"default `{item.default}`"
            )
            lines.append(f"- `{item.name}`: {item.takes}; {default}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def argument_text(op: str, name: str) -> str:
    """An argument of an op in words."""
    found = find_op(op)
    for one in op_reference(found).arguments if found else ():
        if one.name == name:
            default = "required" if one.default is None else f"default `{one.default}`"
            return f"`{name}` of `{op}`: {one.takes}; {default}"
    return ""


def _code(text: str, language: str = "") -> str:
    return f"```{language}\n{text}\n```"


# By what a name is of.


def _of_layer(survey: Survey, mention: Mention) -> Iterator[str]:
    of = mention.of
    path = (*of.home, "layers", of.name)
    layer = typed_layers(survey).get(path)
    node = survey.merged.node(path)
    yield f"**{of.name}**: layer{_runs(node)}"
    if layer is not None:
        yield _code("\n".join(_typed(layer)))
        yield from _sizes(layer)
    yield _written(survey, path, "description")
    op = _text(node.get("op")) if isinstance(node, MappingNode) else _text(node)
    found = find_op(op) if op and not op[:1].isupper() and op[0] != "$" else None
    if found is not None:
        yield op_reference(found).summary


def _runs(node: YamlNode | None) -> str:
    """What a layer runs, and how often."""
    if not isinstance(node, MappingNode):
        return f", `{_text(node)}`" if _text(node) else ""
    op, repeat = _text(node.get("op")), node.get("repeat")
    what = f", `{op}`" if op else ", a group" if node.get("layers") else ""
    count = repeat.get("count") if isinstance(repeat, MappingNode) else repeat
    return what + (f" × {_text(count)}" if _text(count) else "")


def _typed(layer: TypedLayer) -> list[str]:
    """Its types: by value, and in the names of the scope where they differ."""
    lines: dict[str, None] = {}
    for instance, node in layer.runs:
        for port, kind in node.without_items.items():
            value, named = str(instance.context.values(kind)), str(kind)
            lines[f"{port}: {value}" + ("" if named == value else f" = {named}")] = None
    shown = list(lines)
    more = [f"and {len(shown) - _MOST} more"] if len(shown) > _MOST else []
    return [*shown[:_MOST], *more]


def _sizes(layer: TypedLayer) -> Iterator[str]:
    lines = []
    for parameters, formula, flops in sizes(layer):
        equal = f" = {formula}" if formula else ""
        if parameters != "0":
            lines.append(f"- parameters: {parameters}{equal}")
        if flops:
            lines.append(f"- FLOPs: {flops}")
    yield "\n".join(list(dict.fromkeys(lines))[:_MOST])


def _of_input(survey: Survey, mention: Mention) -> Iterator[str]:
    of = mention.of
    written = survey.merged.node((*of.home, "inputs", of.name))
    yield f"**{of.name}**: input" + (f" `{_text(written)}`" if _text(written) else "")
    found: dict[str, None] = {}
    for instance in _instances(survey, of.home):
        kind = instance.inputs.get(of.name)
        if kind is not None:
            found[str(instance.context.values(kind))] = None
    if list(found) not in ([], [_text(written)]):
        yield _code("\n".join(list(found)[:_MOST]))


def _of_output(survey: Survey, mention: Mention) -> Iterator[str]:
    of = mention.of
    yield f"**{of.name}**: output"
    found: dict[str, None] = {}
    for instance in _instances(survey, of.home):
        kind = instance.outputs.get(of.name)
        ref = instance.scope.outputs.get(of.name)
        sure = survey.trust.sure(instance)
        if kind is not None and ref is not None and ref.node in sure:
            found[str(instance.context.values(kind))] = None
    if found:
        yield _code("\n".join(list(found)[:_MOST]))


def _of_param(survey: Survey, mention: Mention) -> Iterator[str]:
    of = mention.of
    path = (*of.home, "params", of.name)
    written = survey.merged.node(path)
    default = written.get("default") if isinstance(written, MappingNode) else written
    shown = f", default `{_text(default)}`" if _text(default) else ""
    yield f"**{of.name}**: param{shown}"
    yield _written(survey, path, "description")
    values: dict[str, None] = {}
    for instance in _instances(survey, of.home):
        if of.name in instance.params:
            value = as_yaml(instance.params[of.name])
            values[value] = None
    text = ", ".join(f"`{one}`" for one in list(values)[:_MOST])
    if text and list(values) != [_text(default)]:
        yield f"here: {text}"


def _of_dimension(survey: Survey, mention: Mention) -> Iterator[str]:
    of = mention.of
    yield f"**{of.name}**: dimension"
    bounds = survey.merged.node(("dims", of.name)) if not of.home else None
    if isinstance(bounds, MappingNode):
        items = (f"{key.text} `{_text(value)}`" for key, value in bounds.entries)
        yield ", ".join(items)
    values: dict[str, None] = {}
    for instance in _instances(survey, of.home) if of.home else ():
        if of.name in instance.values:
            value = instance.values[of.name]
            values[as_yaml(value)] = None
    text = ", ".join(f"`{one}`" for one in list(values)[:_MOST])
    yield f"here: {text}" if text and list(values) != [of.name] else ""


def _of_block(survey: Survey, mention: Mention) -> Iterator[str]:
    name = mention.of.name
    scope = survey.graph.blocks.get(name) if survey.graph else None
    yield f"**{name}**: block"
    if scope is not None:
        inputs = ", ".join(f"{k}: {v}" for k, v in scope.inputs.items() if v)
        params = [
            f"{key}: {one.type or one.kind or ''}" + ("" if one.required else "?")
            for key, one in scope.params.items()
        ]
        given = f"params  {', '.join(params)}\n" if params else ""
        yield _code(f"{given}inputs  {inputs}\noutputs {', '.join(scope.declared)}")
        yield scope.description


def _of_op(survey: Survey, mention: Mention) -> Iterator[str]:
    yield op_text(mention.of.name)


def _of_argument(survey: Survey, mention: Mention) -> Iterator[str]:
    (op,) = mention.of.home
    yield argument_text(str(op), mention.of.name)


def _of_port(survey: Survey, mention: Mention) -> Iterator[str]:
    of = mention.of
    if len(of.home) == 1:
        found = find_op(str(of.home[0]))
        for port in op_reference(found).inputs if found else ():
            if port.name == of.name:
                optional = ", optional" * port.optional
                kinds = " or ".join(port.kinds)
                yield f"**{of.name}**: input of `{of.home[0]}`, {kinds}{optional}"
        return
    yield f"**{of.name}**: output of `{of.home[-1]}`"
    layer = typed_layers(survey).get(of.home)
    types: dict[str, None] = {}
    for instance, node in layer.runs if layer else ():
        if (kind := node.outputs.get(of.name)) is not None:
            types[str(instance.context.values(kind))] = None
    if types:
        yield _code("\n".join(list(types)[:_MOST]))


def _of_variant(survey: Survey, mention: Mention) -> Iterator[str]:
    yield f"**{mention.of.name}**: variant"


def _of_network(survey: Survey, mention: Mention) -> Iterator[str]:
    yield f"**{mention.of.name}**: network"
    yield _written(survey, ("networks", mention.of.name), "description")


def _of_file(survey: Survey, mention: Mention) -> Iterator[str]:
    yield f"`{mention.of.name}`"


_WORDS: Final[Mapping[str, Callable[[Survey, Mention], Iterator[str]]]] = {
    "layer": _of_layer,
    "input": _of_input,
    "output": _of_output,
    "param": _of_param,
    "dimension": _of_dimension,
    "block": _of_block,
    "op": _of_op,
    "argument": _of_argument,
    "port": _of_port,
    "variant": _of_variant,
    "network": _of_network,
    "file": _of_file,
}


def _instances(survey: Survey, home: Path) -> Iterator[Instance]:
    """The uses of a scope of the file whose inputs are known; for the file itself all of its networks."""
    typed = survey.typed
    for instance in typed.instances if typed else ():
        place = instance.scope.place
        own = typed is not None and place.document is typed.graph.document
        network = not home and instance.scope.kind == "network"
        if own and (network or place.path == home) and survey.trust.reached(instance):
            yield instance


def _written(survey: Survey, path: Path, key: str) -> str:
    return _text(survey.merged.node((*path, key)))


def _text(node: YamlNode | None) -> str:
    return node.text if isinstance(node, ScalarNode) else ""
