"""Series that are wrong."""

from __future__ import annotations

from tests.runtime.data.error_case import Case

SERIES = "{csv: {path: c, columns: [load], length: 4}}"
LONG = "load\n" + "1\n" * 40

CASES = [
    Case(
        "no header",
        SERIES,
        {"c": "\n1,2\n3,4\n"},
        "data-format",
        "c:2:1",
        ("must have the names of the columns",),
    ),
    Case(
        "another column",
        "{csv: {path: c, columns: [loda]}}",
        {"c": "time,load\n1,2\n"},
        "data-format",
        "[loda]",
        ("no column loda", "did you mean `load`?"),
    ),
    Case(
        "no such column",
        "{csv: {path: c, columns: [zz]}}",
        {"c": "time,load\n1,2\n"},
        "data-format",
        "[zz]",
        ("the columns are time, load",),
    ),
    Case(
        "semicolons",
        SERIES,
        {"c": "time;load\n0;1,5\n1;much\n"},
        "data-format",
        "c:3:3",
        ("load is much",),
    ),
    Case("a column twice", SERIES, {"c": "load,load\n1,2\n"}, "data-format", "[load]"),
    Case(
        "text for a number",
        SERIES,
        {"c": "time,load\n0,1\n1,much\n"},
        "data-format",
        "c:3:3",
        ("load is much",),
    ),
    Case("infinity", SERIES, {"c": "load\n1e999\n"}, "data-format", "c:2:1"),
    Case("an underscore", SERIES, {"c": "load\n1_0\n"}, "data-format", "c:2:1"),
    Case(
        "a ragged line",
        SERIES,
        {"c": "time,load\n0,1\n1\n"},
        "data-format",
        "c:3:1",
        ("1 value", "2"),
    ),
    Case("an open quote", SERIES, {"c": 'load\n"1\n2\n'}, "data-format", "c:2:1"),
    Case(
        "a huge field", SERIES, {"c": "load\n" + "1" * 140_000}, "data-format", "c:2:1"
    ),
    Case(
        "nothing but gaps", SERIES, {"c": "t,load\n" + "1,\n" * 40}, "data-empty", "c"
    ),
    Case("a header alone", SERIES, {"c": "load\n"}, "data-empty", "c"),
    Case(
        "a short series",
        SERIES,
        {"c": "load\n" + "1\n" * 5},
        "data-empty",
        "c",
        ("too short: 4 of its 5 values are for training", "need 5"),
    ),
    Case(
        "a season longer than the series",
        "{csv: {path: c, columns: [load], length: 4, season: 50}}",
        {"c": LONG},
        "data-empty",
        "c",
        ("need 51",),
    ),
    Case(
        "a test series that is too short",
        "{csv: {path: c, columns: [a], length: 4, test: d}}",
        {"c": "a\n" + "1\n" * 40, "d": "a\n1\n2\n"},
        "data-empty",
        "d",
        ("the series is too short",),
    ),
    Case(
        "too little held out",
        "{csv: {path: c, columns: [load], length: 4, horizon: 9}}",
        {"c": LONG},
        "data-empty",
        "c",
        ("8 of its 40 values are held out",),
    ),
    Case(
        "a long past",
        "{sunspots: {length: 300}}",
        {},
        "data-empty",
        "sunspots",
        ("247 of its 309",),
    ),
    Case(
        "no date",
        "{csv: {path: c, columns: [load], time: day, length: 4}}",
        {"c": "day,load\n2024-01-01,1\n2.1.2024,2\n"},
        "data-format",
        "c:3:1",
        ("day is 2.1.2024, which is not a date", "2024-03-31"),
    ),
    Case(
        "a date that is missing",
        "{csv: {path: c, columns: [load], time: day, length: 4}}",
        {
            "c": "day,load\n"
            + "".join(f"2024-01-{day:02},1\n" for day in range(1, 30) if day != 17)
        },
        "data-format",
        "c:18:1",
        ("is out of step with 2024-01-16", "a line for every time"),
    ),
    Case(
        "dates out of order",
        "{csv: {path: c, columns: [load], time: day, length: 4}}",
        {"c": "day,load\n2024-01-01,1\n2024-01-02,1\n2024-01-02,1\n"},
        "data-format",
        "c:4:1",
        ("not after",),
    ),
    Case(
        "a validation series that training does not have",
        "{csv: {path: c, validation: v, columns: [load], series: shop, length: 4}}",
        {
            "c": "shop,load\n" + "a,1\na,2\n" * 20,
            "v": "shop,load\n" + "b,1\n" * 20,
        },
        "data-label",
        "v",
        ("the series b is not among those to train on",),
    ),
]
