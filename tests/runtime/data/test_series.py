from pathlib import Path

import numpy as np
import pytest
import torch
from statsmodels.datasets import co2, sunspots

from runtime.data.series import SeriesWindows, interpolate
from tests.runtime.data.section import read


def test_series_windows_are_past_and_future() -> None:
    values = torch.arange(20.0)[:, None]
    part = SeriesWindows(values, 10, 16, length=4, horizon=3, season=2)
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
    mean, std = data.metadata["mean"][0], data.metadata["std"][0]
    assert (mean, round(std, 4)) == (39.5, round(float(np.arange(80).std()), 4))
    futures = []
    for part in (data.train, data.held_out):
        batch = part.__getitems__(list(range(len(part))))
        futures.append((batch["future"] * std + mean).round().int())
    assert futures[0].min() == 5 and futures[0].max() == 79
    assert futures[1].min() == 80 and futures[1].max() == 99
    assert len(futures[1]) == 20 - horizon + 1
    assert data.metadata["end"] == [[95.0], [96.0], [97.0], [98.0], [99.0]]


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
    scale = data.metadata["std"][0], data.metadata["mean"][0]
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
    mean, std = torch.tensor(data.metadata["mean"]), torch.tensor(data.metadata["std"])
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
    assert data.metadata["std"] == [1.0]


def test_a_line_of_gaps_is_a_time(tmp_path: Path) -> None:
    options = "{csv: {path: s, columns: [a, b], length: 4}}"
    lines = "a,b\n0,0\n,\n\n2,NA\n3,3\n" + "1,1\n" * 40
    data = read(options, tmp_path, {"s": lines})
    past = data.train.__getitems__([0])["past"][0]
    past = past * torch.tensor(data.metadata["std"]) + torch.tensor(
        data.metadata["mean"]
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
    mean, std = data.metadata["mean"][0], data.metadata["std"][0]
    found = data.train.values[:, 0] * std + mean  # type: ignore[attr-defined]
    assert found[15:18].round(decimals=3).tolist() == [14, 1000, 1001]
