"""Tables that are wrong."""

from __future__ import annotations

from tests.runtime.data.error_case import Case

PRICE = "{table: {path: c, target: price}}"
KIND = "{table: {path: c, label: kind}}"
FLAGS = "{table: {path: c, labels: [new]}}"

CASES = [
    Case(
        "another target",
        "{table: {path: c, target: prize}}",
        {"c": "area,price\n1,2\n"},
        "data-format",
        "prize",
        ("no column prize", "did you mean `price`?"),
    ),
    Case("no lines", PRICE, {"c": "area,price\n"}, "data-empty", "c"),
    Case(
        "a target without numbers",
        PRICE,
        {"c": "area,price\n1,2\n1,cheap\n"},
        "data-format",
        "c:3:3",
        ("price is cheap",),
    ),
    Case(
        "a blank target",
        PRICE,
        {"c": "area;price\n1;2\n1;\n"},
        "data-label",
        "c:3:3",
        ("price is blank", "remove the line"),
    ),
    Case(
        "a blank class",
        KIND,
        {"c": "area,kind\n1,a\n1,b\n2,\n3,a\n"},
        "data-label",
        "c:4:3",
        ("kind is blank",),
    ),
    Case(
        "classes that are numbers",
        KIND,
        {"c": "area,kind\n" + "".join(f"1,{n}\n" for n in range(9))},
        "data-label",
        "kind",
        ("9 different values in 9 lines", "target: kind"),
    ),
    Case(
        "one class",
        KIND,
        {"c": "area,kind\n1,a\n2,a\n3,a\n"},
        "data-label",
        "kind",
        ("kind has one value in 3 lines",),
    ),
    Case(
        "a label that is neither",
        FLAGS,
        {"c": "area,new\n1,yes\n2,maybe\n"},
        "data-label",
        "c:3:3",
        ("new is maybe, not 1 or 0", "true or false"),
    ),
    Case(
        "a class that the training file lacks",
        "{table: {path: c, validation: v, label: kind}}",
        {"c": "area,kind\n1,a\n2,b\n3,a\n", "v": "kind,area\nc,2\n"},
        "data-label",
        "v:2:1",
        ("the class c is not in the training file", "it has a, b"),
    ),
    Case(
        "a column that the test file lacks",
        "{table: {path: c, test: v, target: price}}",
        {"c": "area,price\n1,2\n2,3\n", "v": "price\n2\n"},
        "data-format",
        "v,",
        ("no column area",),
    ),
    Case(
        "a number that is none",
        PRICE,
        {"c": "area,price\n1,1\n2,2\n3x,3\n4,4\n"},
        "data-format",
        "c:4:1",
        ("area is 3x", "most of its values are numbers", "categories: [area]"),
    ),
    Case(
        "a blank column",
        PRICE,
        {"c": "a,area,price\n1,,2\n2,,3\n"},
        "data-empty",
        "c:1:3",
        ("area has no values", "ignore: [area]"),
    ),
    Case(
        "names",
        PRICE,
        {"c": "name,price\n" + "".join(f"n{n},{n}\n" for n in range(30))},
        "data-format",
        "c:1:1",
        ("30 different values in 30 lines", "ignore: [name]"),
    ),
    Case(
        "a column twice",
        PRICE,
        {"c": "area,area,price\n1,2,3\n"},
        "data-format",
        "c:1:1",
        ("several columns named area",),
    ),
    Case(
        "nothing to learn from",
        PRICE,
        {"c": "price\n1\n2\n"},
        "data-empty",
        "c",
        ("no columns besides",),
    ),
    Case(
        "an unknown column of categories",
        "{table: {path: c, target: price, categories: [are]}}",
        {"c": "area,price\n1,2\n"},
        "data-format",
        "[are]",
        ("did you mean `area`?",),
    ),
    Case(
        "a ragged line of a table",
        PRICE,
        {"c": "area,price\n1,2\n1\n"},
        "data-format",
        "c:3:1",
        ("1 value",),
    ),
    Case(
        "Latin-1",
        PRICE,
        {"c": "städte,price\nZürich,2\n".encode("latin-1")},
        "data-not-utf8",
        "c:1:3",
        ("in Latin-1 the word is städte", "save the file as UTF-8"),
    ),
]
