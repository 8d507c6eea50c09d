"""Layout documents (text with optional line breaks), and their rendering.

A group is printed on one line if it fits, together with what follows up to the next
possible break. Otherwise, all its own breaks become newlines, and the groups within it
are decided one by one. This is the algorithm of ruff and Black, after Wadler, "A
prettier printer", 2003. The time is linear in the size of the document.
"""

from __future__ import annotations

from typing import NamedTuple

INDENT = 4


class Line(NamedTuple):
    """A possible break: `flat` if its group is on one line, else a newline."""

    flat: str


class Group(NamedTuple):
    """Content that is printed on one line, or broken at all of its own breaks."""

    content: Doc


class Indent(NamedTuple):
    """Content whose new lines are indented by one level."""

    content: Doc


class IfBroken(NamedTuple):
    """Text that is printed only if the enclosing group is broken."""

    text: str


class Optional(NamedTuple):
    """The expression of a statement, which can be parenthesised to break it.

    `open` breaks only within its own brackets; `inside` is for use in parentheses.
    `open` is chosen if it fits with all its brackets broken, else `inside`. With
    `best`, parentheses are used only if the content then fits; otherwise, `open` is
    chosen.
    """

    open: Doc
    inside: Doc
    best: bool


class Hug(NamedTuple):
    """Content that is broken at its first bracket if it then fits, else parenthesised."""

    content: Doc


class Assignment(NamedTuple):
    """An assignment whose targets can break: `near` is the value if they do not, `far` if they do."""

    targets: Doc
    near: Doc
    far: Doc


Doc = str | list["Doc"] | Line | Group | Indent | IfBroken | Optional | Hug | Assignment

SOFT = Line("")
SPACE = Line(" ")

_Item = tuple[Doc, int, bool]


def parenthesized(content: Doc) -> Doc:
    """Content in parentheses, on one line or on lines of its own."""
    return Group(["(", Indent([SOFT, content]), SOFT, ")"])


def parenthesized_if_broken(content: Doc) -> Doc:
    """Content on one line, or in parentheses on lines of its own."""
    return Group([IfBroken("("), Indent([SOFT, content]), SOFT, IfBroken(")")])


def brackets(
    left: str, items: list[Doc], right: str, comma: bool = True, together: bool = False
) -> Doc:
    """Items in brackets: on one line, or one per line with a trailing comma.

    With `together`, all items may also share one line between the brackets. A single
    item gets no trailing comma: formatters would then keep the brackets broken.
    """
    if not items:
        return left + right
    row: Doc = joined(items, comma)
    inner = Group(row) if together else row
    return Group([left, Indent([SOFT, inner]), SOFT, right])


def joined(items: list[Doc], comma: bool) -> Doc:
    """Items separated by commas; with `comma`, also a trailing comma if several items are broken."""
    parts: list[Doc] = [items[0]]
    for item in items[1:]:
        parts += [",", SPACE, item]
    if comma and len(items) > 1:
        parts.append(IfBroken(","))
    return parts


def flat(doc: Doc) -> str:
    """The document on one line."""
    out: list[str] = []
    pending: list[Doc] = [doc]
    while pending:
        part = pending.pop()
        if type(part) is str:
            out.append(part)
        elif type(part) is list:
            pending.extend(part[::-1])
        elif isinstance(part, Line):
            out.append(part.flat)
        elif isinstance(part, Assignment):
            pending += [part.near, " = ", part.targets]
        elif not isinstance(part, IfBroken):
            pending.append(part[0])
    return "".join(out)


def render(doc: Doc, indent: int, width: int) -> str:
    """The document as text, with lines of at most `width` columns where breaks allow it.

    `indent` is the column of the first line, whose indentation is not printed, and of
    the lines after it.
    """
    line = flat(doc)
    if indent + len(line) <= width:
        return line
    return _Renderer(width, indent).run([(doc, indent, True)])


class _Renderer:
    def __init__(self, width: int, column: int) -> None:
        self.width = width
        self.column = column
        self.out: list[str] = []
        self.stack: list[_Item] = []

    def run(self, items: list[_Item]) -> str:
        self.stack = items
        while self.stack:
            self._step(*self.stack.pop())
        return "".join(self.out)

    def _step(self, doc: Doc, indent: int, broken: bool) -> None:
        match doc:
            case str(text):
                self._text(text)
            case list(parts):
                self.stack.extend((part, indent, broken) for part in reversed(parts))
            case Indent(content):
                self.stack.append((content, indent + INDENT, broken))
            case Line(text):
                self._newline(indent) if broken else self._text(text)
            case IfBroken(text):
                self._text(text if broken else "")
            case Group(content):
                broken = broken and not self._fits((content, indent, False))
                self.stack.append((content, indent, broken))
            case Optional():
                self.stack.append((self._choose(doc, indent, broken), indent, broken))
            case Hug():
                self.stack.append(self._hug(doc, indent, broken))
            case Assignment(left, near, far):
                fits = self._fits(([left, " = ("], indent, False))
                self.stack.append((near if fits else far, indent, broken))
                self.stack.append((" = ", indent, broken))
                self.stack.append((left, indent, not fits))

    def _text(self, text: str) -> None:
        self.out.append(text)
        self.column += len(text)

    def _newline(self, indent: int) -> None:
        self.out.append("\n" + " " * indent)
        self.column = indent

    def _choose(self, doc: Optional, indent: int, broken: bool) -> Doc:
        if not broken or self._fits_open(doc.open, indent):
            return doc.open
        inside: Doc = ["(", Indent([SOFT, doc.inside]), SOFT, ")"]
        if doc.best and not self._fits((inside, indent, True), whole=True):
            return doc.open
        return inside

    def _fits_open(self, doc: Doc, indent: int) -> bool:
        """Whether an open expression fits if all of its brackets are broken.

        Only the text outside the brackets counts: parentheses around the whole would
        hardly give more room to what is inside.
        """
        room = self.width - self.column
        pending = [doc]
        while pending and room >= 0:
            match pending.pop():
                case str(text):
                    room -= len(text)
                case list(parts):
                    pending.extend(reversed(parts))
                case _:
                    is_opened = room >= len("(")
                    room = self.width - indent - len(")") if is_opened else -1
        return room >= 0 and self._fits(("", indent, True), room)

    def _hug(self, doc: Hug, indent: int, broken: bool) -> _Item:
        if not broken or self._fits((doc.content, indent, False)):
            return doc.content, indent, False
        if self._fits((doc.content, indent, True)):
            return doc.content, indent, True
        return ["(", Indent([SOFT, doc.content]), SOFT, ")"], indent, True

    def _fits(self, item: _Item, room: int | None = None, whole: bool = False) -> bool:
        """Whether an item fits, with what follows it up to the first line break.

        With `whole`, all lines of the item must fit, with each of its groups broken.
        """
        room = self.width - self.column if room is None else room
        rest = len(self.stack)
        pending = [item]
        while room >= 0:
            if not pending:
                whole = False
                rest -= 1
                if rest < 0:
                    return True
                pending.append(self.stack[rest])
            doc, indent, broken = pending.pop()
            match doc:
                case str(text):
                    room -= len(text)
                case Line(text) if not broken:
                    room -= len(text)
                case Line() if whole:
                    room = self.width - indent
                case Line():
                    return True
                case IfBroken(text):
                    room -= len(text) if broken else 0
                case _:
                    pending.extend(_measured(doc, indent, broken))
        return False


def _measured(doc: Doc, indent: int, broken: bool) -> list[_Item]:
    """The parts of a document in reverse order, to measure whether it fits."""
    match doc:
        case list(parts):
            return [(part, indent, broken) for part in reversed(parts)]
        case Indent(content):
            return [(content, indent + INDENT, broken)]
        case Optional(best=False) | Hug() if broken:
            return [(["(", SOFT], indent, broken)]
        case Group(content) | Optional(content) | Hug(content) | Assignment(content):
            return [(content, indent, broken)]
        case _:
            return []
