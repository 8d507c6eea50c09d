"""Files that cannot be read, and texts, pairs, labelled texts and strings that are wrong."""

from __future__ import annotations

import gzip

from tests.runtime.data.error_case import Case

TEXT = "{text: {path: t, length: 4}}"
PAIRS = "{pairs: {path: p}}"
LABELLED = "{labelled_text: {path: l}}"
NUMBERED = "{labelled_text: {path: l, classes: 3}}"

CASES = [
    # Files.
    Case("no file", TEXT, {}, "data-not-found", "t", ("does not exist", "folder")),
    Case("an absolute path", "{text: {path: /no/t}}", {}, "data-not-found", "/no/t"),
    Case("a folder", TEXT, {"t/": ""}, "data-unreadable", "t", ("is a folder",)),
    Case(
        "a file on the way",
        "{text: {path: t/u}}",
        {"t": "a"},
        "data-not-found",
        "t/u",
    ),
    Case("no path", '{text: {path: ""}}', {}, "data-unreadable", '""', ("a folder",)),
    Case(
        "a path that is too long",
        f"{{text: {{path: {'t' * 300}}}}}",
        {},
        "data-unreadable",
        "t" * 300,
        ("name too long",),
    ),
    Case(
        "nobody's home",
        "{text: {path: ~nobody-there/t}}",
        {},
        "data-unreadable",
        "~nobody-there/t",
    ),
    Case(
        "broken gzip",
        TEXT,
        {"t": gzip.compress(b"abc" * 100, mtime=0)[:20]},
        "data-unreadable",
        "t",
        ("cannot be read",),
    ),
    Case(
        "gzip with a wrong method",
        TEXT,
        {"t": b"\x1f\x8b\x01" + bytes(20)},
        "data-unreadable",
        "t",
    ),
    # Text.
    Case("an empty text", TEXT, {"t": ""}, "data-empty", "t", ("no text",)),
    Case("only blanks", TEXT, {"t": "\n \r\n"}, "data-empty", "t"),
    Case("only a mark", TEXT, {"t": "\ufeff"}, "data-empty", "t"),
    Case("a short text", TEXT, {"t": "abc def g"}, "data-empty", "t", ("too short",)),
    Case(
        "too little held out",
        "{text: {path: t, held_out: 0.01}}",
        {"t": "a" * 999},
        "data-empty",
        "t",
        ("evaluate with", "held_out"),
    ),
    Case(
        "a validation file that is too short",
        "{text: {path: t, validation: v}}",
        {"t": "a" * 999, "v": "a"},
        "data-empty",
        "v",
        ("v is too short", "evaluate with"),
    ),
    Case(
        "a test file that is not there",
        "{text: {path: t, test: u}}",
        {"t": "a" * 9999},
        "data-not-found",
        "u",
    ),
    Case(
        "a label that training does not have",
        "{labelled_text: {path: t, validation: v}}",
        {"t": "good\ta\nbad\tb\ngood\tc\nbad\td\n", "v": "good\ta\n\ngod\tb\n"},
        "data-label",
        "v:3:1",
        ("the label god is not in the training file", "good"),
    ),
    Case(
        "test pairs that are too long",
        "{pairs: {path: t, test: u, words: 2}}",
        {"t": "a\tb\n" * 20, "u": "a a a\tb\n"},
        "data-empty",
        "u",
        ("at most 2 words",),
    ),
    Case(
        "Latin-1",
        TEXT,
        {"t": "ab\r\nc é".encode("latin-1")},
        "data-not-utf8",
        "t:2:3",
        ("0xe9", "UTF-8"),
    ),
    Case(
        "Latin-1 behind a mark",
        TEXT,
        {"t": b"\xef\xbb\xbf\xc3\xa9\xff"},
        "data-not-utf8",
        "t:1:2",
    ),
    Case(
        "UTF-16",
        TEXT,
        {"t": "ab".encode("utf-16")},
        "data-not-utf8",
        "t:1:1",
        ("UTF-16",),
    ),
    # Pairs.
    Case(
        "no tab",
        PAIRS,
        {"p": "a\tb\n\nc d\n"},
        "data-format",
        "p:3:1",
        ("the source, a tab and the target", "no tab"),
    ),
    Case(
        "two tabs", PAIRS, {"p": "a\tb\tc\n"}, "data-format", "p:1:1", ("2 tabs", "cut")
    ),
    Case(
        "no target",
        PAIRS,
        {"p": "\ufeffa\tb\nab\t \n"},
        "data-format",
        "p:2:4",
        ("the target is empty",),
    ),
    Case("no source", PAIRS, {"p": "a\tb\n\tb\n"}, "data-format", "p:2:1"),
    Case("one pair", PAIRS, {"p": "a\tb\n"}, "data-empty", "p", ("too few pairs",)),
    Case(
        "long pairs",
        "{pairs: {path: p, words: 2}}",
        {"p": "a\tb\n" + "a b c\td\n" * 9},
        "data-empty",
        "p",
        ("1 of 10 pairs have at most 2 words",),
    ),
    Case("pairs that are binary", PAIRS, {"p": b"\0\xff"}, "data-not-utf8", "p:1:1"),
    # Labelled text.
    Case(
        "a label that is too large",
        NUMBERED,
        {"l": "0\ta\n3\tb\n"},
        "data-label",
        "l:2:1",
        ("the label 3 is not in 0 to 2",),
    ),
    Case("a label below 0", NUMBERED, {"l": "0\ta\n-1\tb\n"}, "data-label", "l:2:1"),
    Case(
        "a label that is no number",
        NUMBERED,
        {"l": "good\ta\n"},
        "data-label",
        "l:1:1",
        ("the label good is not a number",),
    ),
    Case(
        "a label that is a digit elsewhere",
        NUMBERED,
        {"l": "²\ta"},
        "data-label",
        "l:1:1",
    ),
    Case(
        "a very long label", NUMBERED, {"l": f"{'9' * 9999}\ta"}, "data-label", "l:1:1"
    ),
    Case(
        "a line with the names of columns",
        LABELLED,
        {"l": "sort\tremark\n" + "a\tone\nb\ttwo\n" * 3},
        "data-label",
        "l:1:1",
        ("the label sort is in this line only", "names of the columns"),
    ),
    Case(
        "labels and texts in each other's column",
        LABELLED,
        {"l": "".join(f"text {i}\ta\n" for i in range(6))},
        "data-label",
        "l:1:1",
        ("6 labels in 6 lines", "the label, a tab and the text"),
    ),
    Case("no label", LABELLED, {"l": "x\ta\n \tb\n"}, "data-format", "l:2:1"),
    Case(
        "no text",
        LABELLED,
        {"l": "x\ta\nx\t\n"},
        "data-format",
        "l:2:3",
        ("the text is",),
    ),
    Case("one of each label", LABELLED, {"l": "x\ta\ny\tb\n"}, "data-empty", "l"),
    # Strings.
    Case(
        "too few strings",
        "{strings: {symbols: 2, longest: 4, held_out: 20}}",
        {},
        "data-empty",
        "20",
        ("only 24 strings",),
    ),
    # Lines with the names of columns.
    Case(
        "the names of the columns of pairs",
        PAIRS,
        {"p": "English\tSpanish\na\tb\n"},
        "data-format",
        "p:1:1",
        ("names of the columns", "remove it"),
    ),
    Case(
        "a spreadsheet",
        TEXT,
        {"t": b"PK\x03\x04\x14\xff" + bytes(20)},
        "data-not-utf8",
        "t:1:1",
        ("is not text", "export it"),
    ),
    # Dialogues.
    Case(
        "a list of dialogues",
        "{dialogues: {path: d}}",
        {"d": '[{"messages": []}, 3]'},
        "data-format",
        "d:1:1",
        ("a list of several",),
    ),
    # Speech.
    Case(
        "a recording that is not there",
        "{speech: {path: s}}",
        {"s": "a.wav\tone\n"},
        "data-unreadable",
        "s:1:1",
        ("a.wav cannot be used: No such file", "relative to"),
    ),
]
