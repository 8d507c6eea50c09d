"""The files that an editor has open, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import quote

from pygls.uris import from_fs_path, to_fs_path, uri_scheme

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import SpecError
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.read_source import read_source
from compiler.diagnostics.source import Source
from compiler.editing.looks_like_spec import looks_like_spec, may_become_spec
from compiler.editing.survey import Survey

_NOWHERE = Path("/nowhere")
"""The folder of texts that are no files, beside which there are none."""
_Stamp = tuple[int, ...] | str | None


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A text in an editor, of one version."""

    uri: str
    path: Path
    text: str
    version: int | None


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """A survey, and the state of the files that it read."""

    survey: Survey
    stamps: Mapping[Path, _Stamp]


class OpenFiles:
    """The open files. What is known of one is made again when its text or that of a file that it names changes."""

    def __init__(self, patterns: tuple[str, ...] = ()) -> None:
        self.patterns = patterns
        """Of the files that are specs, whatever is in them."""
        self._files: dict[str, OpenFile] = {}
        self._known: dict[str, _Known] = {}

    def put(self, uri: str, text: str, version: int | None) -> None:
        """Open a file, or change its text."""
        self._files[uri] = OpenFile(uri, path_of(uri), text, version)

    def close(self, uri: str) -> None:
        """Close a file."""
        self._files.pop(uri, None)
        self._known.pop(uri, None)

    def forget(self) -> None:
        """Forget what was known: files were changed outside of the editor."""
        self._known.clear()

    def file(self, uri: str) -> OpenFile | None:
        """An open file."""
        return self._files.get(uri)

    def uris(self) -> tuple[str, ...]:
        """All open files."""
        return tuple(self._files)

    def is_spec(self, uri: str) -> bool:
        """Whether an open file is a spec or a recipe: by the patterns, or by a look at its keys."""
        file = self._files.get(uri)
        return file is not None and (self._chosen(file) or looks_like_spec(file.text))

    def may_become_spec(self, uri: str) -> bool:
        """Whether an open file could become one."""
        file = self._files.get(uri)
        return file is not None and (self._chosen(file) or may_become_spec(file.text))

    def _chosen(self, file: OpenFile) -> bool:
        path = file.path.as_posix()
        return any(
            fnmatchcase(path, one) or fnmatchcase(path, f"*/{one}")
            for one in self.patterns
        )

    def survey(self, uri: str) -> Survey:
        """What is known of the text that a file has now."""
        file = self._files[uri]
        known = self._known.get(uri)
        if known is not None and self._is_current(file, known):
            return known.survey
        others = {one.path: one.text for one in self._files.values() if one.uri != uri}
        texts = {_resolved(path): text for path, text in others.items()}
        survey = Survey(file.path, file.text, texts, Limits())
        read = [Path(name) for name in survey.sources if name != str(file.path)]
        stamps = {path: self._stamp(path) for path in read}
        self._known[uri] = _Known(survey, stamps)
        return survey

    def is_current(self, uri: str) -> bool:
        """Whether what is known of a file is of its present text, and of that of the files that it names."""
        known = self._known.get(uri)
        return known is not None and self._is_current(self._files[uri], known)

    def _is_current(self, file: OpenFile, known: _Known) -> bool:
        if known.survey.text != file.text:
            return False
        if known.survey.lacks_file:  # it may be there by now
            return False
        return all(self._stamp(path) == old for path, old in known.stamps.items())

    def _stamp(self, path: Path) -> _Stamp:
        """The text of a file that is open; else what changes when it is written."""
        path = _resolved(path)
        for file in self._files.values():
            if _resolved(file.path) == path:
                return file.text
        try:
            found = path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def uri_of(self, name: str) -> str:
        """The URI of a file by its name in places; that by which it is open, if it is."""
        path = _resolved(Path(name))
        for file in self._files.values():
            if _resolved(file.path) == path:
                return file.uri
        return from_fs_path(str(path)) or path.as_uri()

    def source_of(self, name: str) -> Source:
        """The text of a file that a survey has read."""
        path = _resolved(Path(name))
        for file in self._files.values():
            if _resolved(file.path) == path:
                return Source(name, file.text)
        try:
            return read_source(Path(name), Limits().bytes)
        except SpecError:
            return Source(name, "")

    def other_surveys(self, uri: str) -> Iterator[tuple[str, Survey]]:
        """What is known of the other specs that are open."""
        for other in self.uris():
            if other != uri and self.is_spec(other):
                yield other, self.survey(other)


def path_of(uri: str) -> Path:
    """The path of a file; of a text that is none, one in a folder that does not exist."""
    path = to_fs_path(uri) if uri_scheme(uri) == "file" else None
    return Path(path) if path else _NOWHERE / f"{quote(uri, safe='')[-80:]}.yaml"


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path
