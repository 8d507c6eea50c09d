from bench.flat import flat, gpt2
from bench.growth import passes
from bench.report import Claim, Result, page, replaced, seconds
from compiler import compile_spec
from compiler.diagnostics.limits import UNLIMITED


def test_every_pass_is_timed() -> None:
    times = passes(flat(40))
    assert list(times) == [
        "parse",
        "check",
        "elaborate",
        "infer",
        "measure",
        "lower",
        "print",
    ]


def test_copies_that_are_equal_are_one_run(tmp_path) -> None:
    file = tmp_path / "gpt2.yaml"
    file.write_text(gpt2(1_000, "0.0 if i == 0 else dropout"))
    network = compile_spec(file, limits=UNLIMITED).typed.networks[""]
    runs = network.nodes["h"].calls
    assert [(run.counter, run.count) for run in runs] == [(0, 1), (1, 999)]


def test_page() -> None:
    claim = Claim("it is fast", "2.0 times", False)
    result = Result(
        "Title", "How.", ["a", "b"], [["x", "10"], ["longer", "1"]], [claim]
    )
    shown = page([result])
    assert "| a      |  b |\n| ------ | -: |\n| x      | 10 |" in shown
    assert "- it is fast: 2.0 times (it does not hold)" in shown


def test_a_section_is_replaced_alone() -> None:
    first, second = (
        Result(title, "How.", ["a"], [[title.lower()]]) for title in ("One", "Two")
    )
    before = page([first, second])
    after = replaced(before, Result("One", "Anew.", ["a"], [["other"]]))
    assert "| other |" in after and "| one |" not in after
    assert after[after.index("## Two") :] == before[before.index("## Two") :]
    assert after.partition("## ")[0] == before.partition("## ")[0]
    added = replaced(before, Result("Three", "How.", ["a"], [["x"]]))
    assert added.startswith(before.rstrip()) and "## Three" in added


def test_seconds() -> None:
    shown = [seconds(value) for value in (61.5, 2.345, 0.0123, 0.0000021, 3e-9)]
    assert shown == ["61.5 s", "2.35 s", "12.3 ms", "2.10 µs", "3 ns"]
