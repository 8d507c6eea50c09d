"""Unit -> Unit: read and check the files that blocks are imported from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from compiler.diagnostics.diagnostic import Report, SpecError
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import listed
from compiler.elaborate.relative_file import is_file, relative_file
from compiler.elaborate.shipped_specs import shipped_specs
from compiler.ir.graph import Unit

Read = Callable[[Path], Unit]


def link(unit: Unit, file: Path, read: Read) -> Unit:
    """Find the file of every imported block, and of those that these import.

    Args:
        unit: a spec without its imports.
        file: path of the spec; imports must be in its folder tree.
        read: parses and checks a file.

    Raises:
        SpecError: where a file or a block is missing, lies outside the tree, or files import one another in a circle.
    """
    linker = _Linker(file.resolve().parent, read)
    linked = linker.unit(unit, file.resolve(), ())
    linker.report.raise_if_failed()
    return linked


class _Linker:
    def __init__(self, root: Path, read: Read) -> None:
        self.root, self.read = root, read
        self.blocks = shipped_specs() / "blocks"
        self.report = Report()
        self._units: dict[Path, Unit | None] = {}

    def unit(self, unit: Unit, file: Path, above: tuple[Path, ...]) -> Unit:
        """A file with the units of its imports. `above` are the files that lead to it."""
        spec, document = unit.spec, unit.document
        imports: dict[str, Unit] = {}
        for block, written in spec.imports.items():
            span = document.locate(("import", block))
            if block in spec.blocks:
                key = document.locate(("import", block), key=True)
                message = f"{block} is a block of this file, too"
                own = document.locate(("blocks", block), key=True)
                related = ((own, "the block of this file"),)
                self.report.error("duplicate-name", key, message, related=related)
            path = self._path(written, Path(span.file).resolve(), span)
            other = (
                self._other(path, span, (*above, file)) if path is not None else None
            )
            if other is not None and self._has(other, block, written, span):
                imports[block] = other
        linked = self._units[file] = Unit(spec, document, imports)
        return linked

    def _path(self, written: str, file: Path, span: Span) -> Path | None:
        path = relative_file(written, file.parent, (self._tree(file),))
        if path is None:
            help = "an import is a relative path that stays in the folder of the spec"
            self.report.error(
                "import-outside",
                span,
                f"{written} lies outside of the spec's folder",
                help=help,
            )
            return None
        path = path if is_file(path) else self._shipped(PurePosixPath(written))
        if path is None:
            self.report.error(
                "import-not-found", span, f"there is no file {written} here"
            )
        return path

    def _tree(self, file: Path) -> Path:
        """The folder whose files a file may import."""
        return self.root if file.is_relative_to(self.root) else self.blocks.parent

    def _shipped(self, relative: PurePosixPath) -> Path | None:
        """`blocks/NAME.yaml` of the shipped specs, which a spec that was copied from there lacks beside it."""
        path = (self.blocks.parent / relative).resolve()
        named = relative.parts[:1] == (self.blocks.name,)
        inside = named and path.is_relative_to(self.blocks)
        return path if inside and is_file(path) else None

    def _other(self, path: Path, span: Span, above: tuple[Path, ...]) -> Unit | None:
        if path in above:
            names = " → ".join(
                item.name for item in (*above[above.index(path) :], path)
            )
            self.report.error(
                "import-cycle", span, f"these files import one another: {names}"
            )
            return None
        if path not in self._units:
            self._units[path] = None
            try:
                unit = self.read(path)
            except SpecError as error:
                for diagnostic in error.diagnostics:
                    self.report.add(diagnostic)
                return None
            self.unit(unit, path, above)
        return self._units[path]

    def _has(self, other: Unit, block: str, written: str, span: Span) -> bool:
        known = {**other.spec.blocks, **other.imports}
        if block not in known:
            help = self.report.like(block, known) or f"its blocks are {listed(known)}"
            self.report.error(
                "import-not-found", span, f"{written} has no block {block}", help=help
            )
        return block in known
