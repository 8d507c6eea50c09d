"""Document -> Document: a recipe becomes the spec of its network, with one variant of its params and task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

import pydantic

from compiler.diagnostics.diagnostic import Report, suggest
from compiler.diagnostics.text import listed, shorten
from compiler.elaborate.relative_file import is_file, relative_file
from compiler.elaborate.shipped_specs import shipped_specs
from compiler.language.recipe import Recipe
from compiler.language.wording import report_all
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    to_data,
)

VARIANT: Final = "recipe"
"""The name of the variant that a recipe becomes."""
SPECS: Final = "specs"
"""The folder, beside that of a recipe, whose specs the recipe may name."""

Parse = Callable[[Path], Document]


def is_recipe(document: Document) -> bool:
    """Whether a file names its network in place of describing one."""
    return isinstance(document.root.get("network"), ScalarNode)


def apply_recipe(document: Document, file: Path, parse: Parse) -> Document:
    """The spec that a recipe names, whose only variant is the recipe; a spec is returned as it is.

    Each node keeps its position, in the file of the spec or in that of the recipe.

    Args:
        document: a spec or a recipe.
        file: its path.
        parse: parses the file of a network.

    Raises:
        SpecError: if the recipe is malformed, or its network or variant does not exist.
    """
    if not is_recipe(document):
        return document
    recipe, report = _checked(document), Report()
    path = _network_file(recipe.network, document, file, report)
    report.raise_if_failed()
    assert path is not None
    spec = parse(path)
    if is_recipe(spec):
        message = f"{recipe.network} is a recipe, and has no network of its own"
        report.error("bad-value", document.locate(("network",)), message)
    variant = _variant(recipe, document, spec, report)
    report.raise_if_failed()
    root = _merged(document.root, spec.root, variant)
    return Document(document.source, root, variant=VARIANT, network=path)


def _checked(document: Document) -> Recipe:
    try:
        return Recipe.model_validate(to_data(document.root))
    except pydantic.ValidationError as error:
        report = Report()
        report_all(report, document, error, Recipe)
        report.raise_if_failed()
        raise


def _network_file(
    written: str, document: Document, file: Path, report: Report
) -> Path | None:
    """The file of the network: in the recipe's folder, or in `specs/` beside it, or a shipped spec."""
    folder, span = file.resolve().parent, document.locate(("network",))
    beside = (folder.parent / SPECS).resolve()
    path = relative_file(written, folder, (folder, beside))
    if path is None:
        message = f"{shorten(written)} is in neither the recipe's folder nor {SPECS}/ beside it"
        help = f"write network: ../{SPECS}/transformer.yaml"
        report.error("import-outside", span, message, help=help)
        return None
    path = path if is_file(path) else _shipped(written)
    if path is None:
        message = f"there is no file {shorten(written)} here"
        report.error("import-not-found", span, message)
    return path


def _shipped(written: str) -> Path | None:
    """`../specs/NAME.yaml` of the shipped specs, which a recipe that was copied from theirs lacks beside it."""
    *above, name = PurePosixPath(written).parts
    path = shipped_specs() / name
    return path if above == ["..", SPECS] and is_file(path) else None


def _variant(
    recipe: Recipe, document: Document, spec: Document, report: Report
) -> MappingNode | None:
    """The variant of the spec that the recipe is based on; None if it is based on none."""
    if recipe.variant is None:
        return None
    variants = spec.root.get("variants")
    names = (
        [key.text for key, _ in variants.entries]
        if isinstance(variants, MappingNode)
        else []
    )
    found = spec.node(("variants", recipe.variant))
    if recipe.variant not in names:
        message = f"{recipe.network} has no variant {recipe.variant}"
        help = suggest(recipe.variant, names) or f"its variants: {listed(names)}"
        span = document.locate(("variant",))
        report.error("unknown-variant", span, message, help=help)
    elif not isinstance(found, MappingNode):
        span = spec.locate(("variants", recipe.variant))
        report.error("bad-type", span, "a variant is a mapping: param, colon, value")
    return found if isinstance(found, MappingNode) else None


def _merged(
    recipe: MappingNode, spec: MappingNode, variant: MappingNode | None
) -> MappingNode:
    """The sections of the spec with the recipe as the only variant, in place of variants and task."""
    entries = {
        key.text: (key, value)
        for one in (variant, recipe.get("params"))
        if isinstance(one, MappingNode)
        for key, value in one.entries
    }
    key, task = recipe.key("task"), recipe.get("task")
    assert key is not None
    assert task is not None
    entries["task"] = (key, task)
    name = ScalarNode(VARIANT, VARIANT, recipe.span)
    whole = MappingNode(tuple(entries.values()), recipe.span)
    section = ScalarNode("variants", "variants", recipe.span)
    kept = [e for e in spec.entries if e[0].text not in ("variants", "task")]
    variants = MappingNode(((name, whole),), recipe.span)
    return MappingNode((*kept, (section, variants)), spec.span)
