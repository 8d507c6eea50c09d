import math
import re

import pytest

from bench.__main__ import BENCHMARKS, PAGE, main
from bench.flat import flat, gpt2
from bench.growth import passes
from bench.report import (
    MISSED,
    Bar,
    Benchmark,
    Figures,
    page,
    replaced,
    seconds,
    sections,
)
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


def benchmark(title: str, figure: float) -> Benchmark:
    rows = [[title.lower(), "10"], ["longer", "1"]]
    bars = {"one": Bar("the ratio", most=2)}
    return Benchmark(
        title, "How.", ["a", "b"], bars, lambda _: Figures(rows, {"one": figure}), 1
    )


def section(title: str, figure: float) -> str:
    measured = benchmark(title, figure)
    return measured.section(measured.measure(1))


def test_page() -> None:
    shown = page([section("X", 3)])
    assert "| a      |  b |\n| ------ | -: |\n| x      | 10 |" in shown
    assert f"- the ratio, at most 2: 3 {MISSED}" in shown


def test_a_bar_has_two_sides() -> None:
    least, most = Bar("speed", least=15), Bar("cost", most=1.5)
    assert [least.holds(figure) for figure in (14.9, 15, 40)] == [False, True, True]
    assert [most.holds(figure) for figure in (1.4, 1.5, 1.6)] == [True, True, False]
    assert not most.holds(math.nan)


@pytest.mark.parametrize(("figure", "code"), [(2, 0), (2.1, 1)])
def test_a_missed_bar_is_the_exit_code(
    figure: float,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(BENCHMARKS, "copies", benchmark("Copies", figure))
    assert main(["--only", "copies"]) == code
    printed = capsys.readouterr()
    assert "- the ratio, at most 2:" in printed.out
    assert (MISSED in printed.err) == bool(code)


def test_the_page_has_the_bars_of_the_script() -> None:
    shown = sections(PAGE.read_text(encoding="utf-8"))
    assert shown.keys() == {one.title for one in BENCHMARKS.values()}
    for one in BENCHMARKS.values():
        bars = re.findall("^- (.*):", shown[one.title], re.MULTILINE)
        assert bars == [str(bar) for bar in one.bars.values()]


def test_a_section_is_replaced_alone() -> None:
    before = page([section("One", 1), section("Two", 1)])
    after = replaced(before, section("One", 3))
    assert f"2: 3 {MISSED}" in after and after.count("## One") == 1
    assert after[after.index("## Two") :] == before[before.index("## Two") :]
    assert after.partition("## ")[0] == before.partition("## ")[0]
    added = replaced(before, section("Three", 1))
    assert added.startswith(before.rstrip()) and "## Three" in added


def test_seconds() -> None:
    shown = [seconds(value) for value in (61.5, 2.345, 0.0123, 0.0000021, 3e-9)]
    assert shown == ["61.5 s", "2.35 s", "12.3 ms", "2.10 µs", "3 ns"]
