from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from statsmodels.datasets import co2, sunspots

from runtime.data.dates import Step, read_date
from runtime.data.series import SeriesWindows, WindowSizes, interpolate
from tests.runtime.data.section import read


def test_series_windows_are_past_and_future() -> None:
    values = torch.arange(20.0)[:, None]
    sizes = WindowSizes(length=4, horizon=3, season=2)
    part = SeriesWindows([values], [(10, 16)], sizes)
    assert len(part) == 4
    batch = part.__getitems__([0, 3])
    assert batch["past"][..., 0].tolist() == [[6, 7, 8, 9], [9, 10, 11, 12]]
    assert batch["future"][..., 0].tolist() == [[10, 11, 12], [13, 14, 15]]
    # Of the third time, a season before is not known yet: two seasons before is.
    assert batch["seasonal"][..., 0].tolist() == [[8, 9, 8], [11, 12, 11]]


@pytest.mark.parametrize("horizon", [1, 3])
def test_no_future_is_in_both_parts(tmp_path: Path, horizon: int) -> None:
    lines = "x\n" + "\n".join(map(str, range(100)))
    options = (
        f"{{csv: {{path: s, columns: [x], length: 5, horizon: {horizon}, season: 7}}}}"
    )
    data = read(options, tmp_path, {"s": lines})
    mean, std = (
        data.metadata["series"][0]["mean"][0],
        data.metadata["series"][0]["std"][0],
    )
    assert (mean, round(std, 4)) == (39.5, round(float(np.arange(80).std()), 4))
    futures = []
    for part in (data.train, data.held_out):
        batch = part.__getitems__(list(range(len(part))))
        futures.append((batch["future"] * std + mean).round().int())
    assert futures[0].min() == 5 and futures[0].max() == 79
    assert futures[1].min() == 80 and futures[1].max() == 99
    assert len(futures[1]) == 20 - horizon + 1
    assert data.metadata["series"][0]["end"] == [[95.0], [96.0], [97.0], [98.0], [99.0]]


def test_interpolation_equals_that_of_pandas() -> None:
    data = co2.load_pandas().data["co2"].reset_index(drop=True)
    assert data.isna().sum() == 59
    expected = data.interpolate(method="linear", limit_direction="both").to_numpy()
    np.testing.assert_allclose(
        interpolate(data.to_numpy()[:, None])[:, 0], expected, rtol=1e-12
    )


def test_interpolation_repeats_the_ends() -> None:
    assert interpolate(np.array([[np.nan, 1, np.nan, 3, np.nan]]).T)[:, 0].tolist() == [
        1,
        1,
        2,
        3,
        3,
    ]


def test_co2_with_the_values_of_last_year() -> None:
    data = read("co2")
    assert len(data.held_out) == round(2284 * 0.2) and data.metadata["season"] == 52
    batch = data.held_out.__getitems__([60])
    earlier = data.held_out.__getitems__([8])
    assert torch.equal(batch["seasonal"], earlier["future"])
    assert torch.equal(batch["past"][:, 0], earlier["future"][:, 0])


def test_sunspots() -> None:
    data = read("sunspots")
    years = sunspots.load_pandas().data["SUNACTIVITY"].to_numpy()
    assert len(data.held_out) == round(309 * 0.2)
    assert len(data.train) == 247 - 22
    assert data.facts.features == 1
    last = data.held_out.__getitems__([61])
    scale = data.metadata["series"][0]["std"][0], data.metadata["series"][0]["mean"][0]
    assert last["past"].shape == (1, 22, 1)
    np.testing.assert_allclose(
        last["past"][0, :, 0] * scale[0] + scale[1], years[-23:-1], atol=1e-3
    )
    assert float(last["future"]) * scale[0] + scale[1] == pytest.approx(years[-1])
    assert "seasonal" not in data.train.__getitems__([0])


CSV = 'time,"load, kW",temp\r\n' + "".join(
    f"{i},{i * i},{'' if i == 2 else -i}\r\n" for i in range(60)
)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv(tmp_path: Path, mark: str) -> None:
    options = '{csv: {path: s.csv, columns: ["load, kW", temp], length: 4}}'
    data = read(options, tmp_path, {"s.csv": mark + CSV + "\r\n"})
    batch = data.train.__getitems__([0])
    mean, std = (
        torch.tensor(data.metadata["series"][0]["mean"]),
        torch.tensor(data.metadata["series"][0]["std"]),
    )
    past = batch["past"][0] * std + mean
    torch.testing.assert_close(
        past[:, 0], torch.tensor([0.0, 1, 4, 9]), atol=1e-3, rtol=0
    )
    torch.testing.assert_close(past[:, 1], -torch.arange(4.0), atol=1e-3, rtol=0)
    assert data.metadata["columns"] == ["load, kW", "temp"] and data.facts.features == 2


def test_a_constant_column_is_zero(tmp_path: Path) -> None:
    options = "{csv: {path: s, columns: [x], length: 4}}"
    data = read(options, tmp_path, {"s": "x\n" + "3\n" * 60})
    assert not data.train.__getitems__([0, 1])["past"].any()
    assert data.metadata["series"][0]["std"] == [1.0]


def test_a_line_of_gaps_is_a_time(tmp_path: Path) -> None:
    options = "{csv: {path: s, columns: [a, b], length: 4}}"
    lines = "a,b\n0,0\n,\n\n2,NA\n3,3\n" + "1,1\n" * 40
    data = read(options, tmp_path, {"s": lines})
    past = data.train.__getitems__([0])["past"][0]
    past = past * torch.tensor(data.metadata["series"][0]["std"]) + torch.tensor(
        data.metadata["series"][0]["mean"]
    )
    torch.testing.assert_close(past, torch.arange(4.0)[:, None].expand(4, 2))


def test_blanks_of_the_training_part_do_not_read_the_held_out_part(
    tmp_path: Path,
) -> None:
    values = [*range(15), "", 1000, "", 1002, 1003]
    text = "time,value\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values))
    data = read(
        "{csv: {path: s.csv, columns: [value], length: 2, horizon: 2, held_out: 0.2}}",
        tmp_path,
        {"s.csv": text},
    )
    mean, std = (
        data.metadata["series"][0]["mean"][0],
        data.metadata["series"][0]["std"][0],
    )
    found = data.train.values[:, 0] * std + mean  # type: ignore[attr-defined]
    assert found[15:18].round(decimals=3).tolist() == [14, 1000, 1001]


SHOPS = (
    "{csv: {path: s, columns: [sold], time: day, series: shop, known: open, observed: rain, "
    "calendar: [weekday], OPTIONS}}"
)


def shops(days: int = 60, gap: str = "") -> str:
    """Sales of two shops, of which one sells a hundred times as much as the other, one day after the other."""
    lines = ["day,shop,sold,rain,open"]
    first = date(2024, 1, 30)
    for shop, factor in (("north", 1), ("south", 100)):
        for number in range(days):
            day = first + timedelta(days=number)
            sold = factor * (number + 1)
            lines.append(f"{day},{shop},{sold},{number % 3},{number % 7 < 5:d}")
    return "\n".join(line for line in lines if not gap or gap not in line) + "\n"


def test_several_series_with_covariates(tmp_path: Path) -> None:
    options = SHOPS.replace(
        "OPTIONS", "length: 5, horizon: 3, season: 7, held_out: 0.2"
    )
    data = read(options, tmp_path, {"s": shops()})
    assert (data.facts.features, data.facts.known, data.facts.series) == (5, 3, 2)
    north, south = data.metadata["series"]
    # Each is standardised by its own first 48 days.
    assert (north["mean"][0], south["mean"][0]) == (24.5, 2450.0)
    assert south["std"][0] == pytest.approx(100 * north["std"][0])
    assert (north["error"], south["error"]) == ([7.0], [700.0])
    batch = data.held_out.__getitems__(list(range(len(data.held_out))))
    assert len(data.train) == 2 * (48 - 5 - 3 + 1)
    assert batch["series"].tolist() == [0] * 10 + [1] * 10
    for number, scale in enumerate((north, south)):
        rows = batch["series"] == number
        days = torch.arange(49.0, 59.0)[:, None]
        factor = (1, 100)[number]
        sold = batch["future"][rows, :, 0] * scale["std"][0] + scale["mean"][0]
        torch.testing.assert_close(
            sold, factor * (days + torch.arange(3)), rtol=1e-4, atol=1e-2
        )
        past = batch["past"][rows, :, 0] * scale["std"][0] + scale["mean"][0]
        torch.testing.assert_close(
            past, factor * (days + torch.arange(-5, 0)), rtol=1e-4, atol=1e-2
        )
        opened = batch["known"][rows, :, 0] * scale["std"][2] + scale["mean"][2]
        number_of_day = (days - 1 + torch.arange(3)).long() % 7
        assert torch.equal(opened.round().bool(), number_of_day < 5)


def test_a_series_never_reads_its_held_out_part_nor_another_series(
    tmp_path: Path,
) -> None:
    options = SHOPS.replace("OPTIONS", "length: 5, horizon: 3, held_out: 0.2")
    before = read(options, tmp_path, {"s": shops()})
    lines = shops().splitlines()
    for number in [*range(49, 61), *range(109, 121)]:  # of both series, the last days
        lines[number] = ",".join([*lines[number].split(",")[:2], "9999,9999,0"])
    after = read(options, tmp_path, {"s": "\n".join(lines)})
    every = list(range(len(before.train)))
    one, other = before.train.__getitems__(every), after.train.__getitems__(every)
    assert all(torch.equal(one[role], other[role]) for role in one)


def test_a_calendar_comes_round(tmp_path: Path) -> None:
    options = SHOPS.replace("OPTIONS", "length: 14, horizon: 1, held_out: 0")
    data = read(options, tmp_path, {"s": shops()})
    past = data.train.__getitems__([0])["past"][0, :, -2:]
    torch.testing.assert_close(past[:7], past[7:])
    assert len({tuple(row.tolist()) for row in past[:7]}) == 7


@pytest.mark.parametrize(
    ("first", "last", "step"),
    [
        ("2023-11-30", "2024-02-29", {"months": 1, "day": 31}),
        ("2023-11-15", "2024-02-15", {"months": 1, "day": 15}),
        ("1999", "2002", {"months": 12}),
        ("2024-02-27 23:30", "2024-02-28 01:00", {"seconds": 1800.0}),
    ],
)
def test_dates_go_on(first: str, last: str, step: dict[str, float]) -> None:
    start, end = read_date(first), read_date(last)
    assert start is not None and end is not None
    made = Step(**step)  # type: ignore[arg-type]
    dates = [start, *made.after(start, 3)]
    assert dates[-1] == end and Step.of(dates) == made
    assert Step.of([*dates[:2], *dates[3:]]) in (1, 2)


def test_monthly_series_end_where_their_sources_end() -> None:
    data = read("monthly")
    ends = {one["name"]: one["date"][:7] for one in data.metadata["series"]}
    assert ends == {"co2": "2001-12", "sea": "2010-12", "turnover": "2016-05"}
    assert data.facts == read("{monthly: {held_out: 0}}").facts
