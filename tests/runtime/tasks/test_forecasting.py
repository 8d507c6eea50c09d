from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    mean_absolute_error,
    mean_pinball_loss,
    root_mean_squared_error,
)
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import DataError, RequestError, SpecError
from compiler.pipeline import compile_spec
from compiler.tasks.data.csv import Csv
from layergraph.commands.predict import with_files
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.load_data import load
from runtime.data.series import Series, series
from runtime.load import build_networks
from runtime.open_run import LoadedRun
from runtime.tasks.forecasting import ForecastingLearner
from tests.runtime.data.test_series import shops
from tests.runtime.test_generate import FORECASTS, opened

SPEC = """
name: Net
inputs:
  past: float[B, T, COLUMNS]
layers:
  gru: {op: gru, hidden_size: 4}
  last: {op: index, dim: 1, index: -1, in: gru.output}
HEAD
outputs:
  forecast: head
task:
  kind: forecasting
  loss: LOSS
  data: {csv: {path: none.csv, columns: NAMES, length: 5, horizon: HORIZON, season: SEASON}}
"""
FLAT = "  head: {op: linear, out_features: COLUMNS}"
STEPS = """\
  wide: {op: linear, out_features: COLUMNS * HORIZON}
  head: {op: unflatten, dim: 1, sizes: [HORIZON, COLUMNS]}"""
Make = Callable[..., tuple[ForecastingLearner, DataSplits]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A learner, and waves of 40 times, of which the last ten are held out, as its data."""

    def made(
        loss: str = "mse", columns: int = 1, horizon: int = 1, season: int = 4
    ) -> Any:
        names = ["heat", "rain"][:columns]
        text = SPEC.replace("HEAD", FLAT if horizon == 1 else STEPS)
        for word, value in {
            "COLUMNS": columns,
            "NAMES": names,
            "HORIZON": horizon,
            "SEASON": season,
            "LOSS": loss,
        }.items():
            text = text.replace(word, str(value))
        file = tmp_path / "net.yaml"
        file.write_text(text)
        program = compile_spec(file)
        assert program.task is not None
        torch.manual_seed(0)
        networks = build_networks(program)
        data = series(
            [Series(values(columns))],
            options(length=5, horizon=horizon, season=season, columns=names),
            None,  # type: ignore[arg-type]  # there is nothing to blame
        )
        types = program.typed.networks
        learner = ForecastingLearner(program.task, types, networks, data.metadata)
        learner.setup(data)
        return learner, data

    return made


def options(**given: Any) -> Csv:
    named = {"path": "none.csv", "columns": ["heat"], "held_out": 0.25}
    return Csv.model_validate({**named, **given})


def values(columns: int) -> Any:
    times = np.arange(40.0)
    waves = [20 + 5 * np.sin(times), 1000 + 300 * np.cos(times / 2)]
    return np.stack(waves[:columns], 1)


def every(data: DataSplits) -> dict[str, torch.Tensor]:
    return data.held_out.__getitems__(list(range(len(data.held_out))))


def evaluated(
    learner: ForecastingLearner, data: DataSplits, final: bool = True
) -> dict[str, float]:
    rows = torch.arange(len(data.held_out)).split(4)
    batches = [data.held_out.__getitems__(part.tolist()) for part in rows]
    with torch.no_grad():
        return learner.evaluate(batches, final)


@pytest.mark.parametrize(
    ("loss", "function"),
    [("mse", F.mse_loss), ("mae", F.l1_loss), ("huber", F.huber_loss)],
)
def test_the_loss_is_that_of_torch(make: Make, loss: str, function: Any) -> None:
    learner, data = make(loss)
    batch = every(data)
    predicted = learner.network(batch["past"])
    mean = learner.loss("", batch, 0.0) / learner.num_items(batch)
    torch.testing.assert_close(mean, function(predicted, batch["future"][:, 0]))
    found = evaluated(learner, data)["loss"]
    assert found == pytest.approx(float(mean.detach()), rel=1e-5)


@pytest.mark.parametrize("horizon", [1, 3])
def test_errors_are_those_of_sklearn_in_the_units_of_the_series(
    make: Make, horizon: int
) -> None:
    learner, data = make(horizon=horizon)
    found = evaluated(learner, data)
    series = values(1)[:, 0]
    mean, std = series[:30].mean(), series[:30].std()
    starts = range(30, 41 - horizon)
    steps = range(horizon)
    truth = np.array([[series[k + j] for j in steps] for k in starts])
    with torch.no_grad():
        own = learner.network(every(data)["past"]).numpy()
    predicted = {
        "": own.reshape(-1, horizon).astype(float) * std + mean,
        ".last": np.array([[series[k - 1]] * horizon for k in starts]),
        ".seasonal": np.array([[series[k + j - 4] for j in steps] for k in starts]),
    }
    for name, predicted_values in predicted.items():
        pair = truth.ravel(), predicted_values.ravel()
        mae, rmse = mean_absolute_error(*pair), root_mean_squared_error(*pair)
        assert found[f"mae{name}"] == pytest.approx(mae, rel=1e-5)
        assert found[f"rmse{name}"] == pytest.approx(rmse, rel=1e-5)


def test_baselines_are_only_in_the_final_evaluation(make: Make) -> None:
    learner, data = make()
    assert evaluated(learner, data, final=False).keys() == {"loss", "mae", "rmse"}


def test_several_columns_have_errors_and_their_mean(make: Make) -> None:
    learner, data = make(columns=2, horizon=2)
    found = evaluated(learner, data)
    both = [found["heat.mae"], found["rain.mae"]]
    assert both[1] > 20 * both[0]
    assert found["mae"] == pytest.approx(sum(both) / 2)
    squares = [found["heat.rmse"] ** 2, found["rain.rmse"] ** 2]
    assert found["rmse"] == pytest.approx((sum(squares) / 2) ** 0.5)
    assert "heat.mae.last" in found and "rain.rmse.seasonal" in found


def test_training_on_waves_beats_the_baselines(make: Make) -> None:
    learner, data = make()
    optimizer = torch.optim.Adam(learner.network.parameters(), lr=0.03)
    batch = data.train.__getitems__(list(range(len(data.train))))
    for _ in range(150):
        optimizer.zero_grad()
        torch.autograd.backward(learner.loss("", batch, 0.0))
        optimizer.step()
    found = evaluated(learner, data)
    assert found["mae"] < found["mae.last"] / 3
    assert found["rmse"] < found["rmse.seasonal"] / 3


@pytest.mark.parametrize(("columns", "horizon"), [(1, 1), (2, 3)])
def test_samples_are_a_plot(make: Make, columns: int, horizon: int) -> None:
    learner, data = make(columns=columns, horizon=horizon)
    with torch.no_grad():
        ((name, picture),) = learner.samples([every(data)], 7).items()
    assert name == "epoch-007.png"
    assert isinstance(picture, bytes) and picture.startswith(b"\x89PNG")


@pytest.mark.parametrize(("columns", "horizon"), [(1, 1), (2, 3)])
def test_a_csv_file_of_the_past_is_forecast(
    make: Make, tmp_path: Path, columns: int, horizon: int
) -> None:
    learner, _ = make(columns=columns, horizon=horizon)
    (end,) = learner.predict([])
    names = learner.metadata["columns"]
    file = tmp_path / "past.csv"
    # More than the network looks at, and the columns in another order.
    rows = [",".join(map(repr, row[::-1].tolist())) for row in values(columns)[20:]]
    file.write_text("\n".join([",".join(names[::-1]), *rows]) + "\n")
    (found,) = learner.predict([str(file)])
    assert found == {"input": str(file), **end}
    past = torch.tensor(values(columns)[-5:])
    mean, std = learner.scale("mean")[0], learner.scale("std")[0]
    with torch.no_grad():
        predicted = learner.network(((past - mean) / std).float()[None])
    expected = (predicted.double() * std + mean).view(horizon, columns).T.tolist()
    assert list(end["forecast"]) == names
    for name, row in zip(names, expected, strict=True):
        assert end["forecast"][name] == pytest.approx(row)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("heat\n1\n2\n", "has 2 rows, but the network needs 5"),
        ("cold\n1\n2\n", "the file has no column heat"),
        ("heat\n1\nwarm\n", "heat is warm, which is not a finite number"),
        ("", "has no text"),
        (None, "does not exist"),
    ],
)
def test_an_invalid_csv_file_is_refused(
    make: Make, tmp_path: Path, text: str | None, message: str
) -> None:
    learner, _ = make()
    file = tmp_path / "past.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises((RequestError, SpecError), match=message):
        learner.predict([str(file)])


SALES = """
name: Sales
inputs:
  past: float[B, T, 5]
  known: float[B, 3, 3]
  shop: int[B]
layers:
  gru: {op: gru, hidden_size: 4, in: past}
  last: {op: index, dim: 1, index: -1, in: gru.output}
  opened: {op: flatten, in: known}
  which: {op: embedding, num_embeddings: 2, embedding_dim: 4, in: shop}
  all: {op: concat, dim: 1, in: [last, opened, which]}
  wide: {op: linear, out_features: 9}
  head: {op: unflatten, dim: 1, sizes: [3, 1, 3]}
outputs:
  forecast: head
task:
  kind: forecasting
  data:
    csv:
      path: sales.csv
      columns: [sold]
      time: day
      series: shop
      observed: rain
      known: open
      calendar: [weekday]
      length: 7
      horizon: 3
      season: 7
  quantiles: [0.1, 0.5, 0.9]
  ports: {series: shop}
"""


@pytest.fixture
def sales(tmp_path: Path) -> LoadedRun:
    """A run of two shops, whose network is as it was initialised."""
    (tmp_path / "sales.csv").write_text(shops(days=80))
    return opened(tmp_path, SALES)


def loaded(run: LoadedRun) -> DataSplits:
    """The data of a run."""
    document = run.program.typed.graph.document
    section = DataSection(document, run.task.data.name, run.folder.path)
    return load(run.task, section)


def test_quantiles_are_evaluated_as_by_sklearn(sales: LoadedRun) -> None:
    data = loaded(sales)
    sales.learner.setup(data)
    batch = every(data)
    with torch.no_grad():
        forecast = sales.learner.forecast(batch)
        found = sales.learner.evaluate([batch], final=True)
    truth = batch["future"].flatten().numpy()
    losses = [
        mean_pinball_loss(truth, forecast[..., at].flatten().numpy(), alpha=level)
        for at, level in enumerate((0.1, 0.5, 0.9))
    ]
    assert found["loss"] == pytest.approx(2 * np.mean(losses), rel=1e-5)
    low, high = forecast[..., 0].flatten().numpy(), forecast[..., 2].flatten().numpy()
    inside = ((low <= truth) & (truth <= high)).mean()
    assert found["coverage"] == pytest.approx(inside)


def test_errors_of_several_series_are_scaled_by_their_seasons(sales: LoadedRun) -> None:
    data = loaded(sales)
    sales.learner.setup(data)
    with torch.no_grad():
        found = sales.learner.evaluate([every(data)], final=True)
    # Both shops sell more by 1 or 100 each day: by 7 or 700 more than a week before.
    assert found["north.mae.seasonal"] == pytest.approx(7, rel=1e-4)
    assert found["south.mae.seasonal"] == pytest.approx(700, rel=1e-4)
    assert found["mase.seasonal"] == pytest.approx(1, rel=1e-4)
    assert found["mase.last"] == pytest.approx(2 / 7, rel=1e-4)
    assert found["mase.linear"] < 0.05  # a line is linear
    scaled = found["north.mae"] / 7 + found["south.mae"] / 700
    assert found["mase"] == pytest.approx(scaled / 2, rel=1e-4)
    assert sales.task.best_metric == ("mase", "lower")


def test_forecasts_of_several_series_are_a_csv_file(
    sales: LoadedRun, tmp_path: Path
) -> None:
    lines = shops(days=20).splitlines()
    for shop in range(2):
        for day in range(18, 21):  # of the future it is only known when shops are open
            at = 20 * shop + day
            lines[at] = ",".join([*lines[at].split(",")[:2], "", "", "1"])
    file = tmp_path / "past.csv"
    file.write_text("\n".join(lines))
    found = sales.predict(str(file))
    assert [one["series"] for one in found] == ["north", "south"]
    columns = found[1]["forecast"]
    assert list(columns) == ["time", "sold", "sold.0.1", "sold.0.9"]
    assert columns["time"] == [f"2024-02-{day} 00:00:00" for day in (16, 17, 18)]
    shown = with_files(found, tmp_path / "out")
    (path,) = {one["forecast"] for one in shown}
    rows = Path(path).read_text().splitlines()
    assert rows[0] == "series,time,sold,sold.0.1,sold.0.9"
    assert [row.split(",")[0] for row in rows[1:]] == ["north"] * 3 + ["south"] * 3
    file.write_text("\n".join(line for line in lines if not line.endswith(",,,1")))
    with pytest.raises(DataError, match=r"3 lines after the last value, with open"):
        sales.predict(str(file))
    with pytest.raises(RequestError, match="needs a CSV file with open"):
        sales.predict([])


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[0.1, 0.5, 0.9]", "[0.1, 0.9]", "bad-value"),
        ("[0.1, 0.5, 0.9]", "[0.9, 0.5]", "bad-value"),
        ("  quantiles", "  loss: mae\n  quantiles", "bad-value"),
        ("[0.1, 0.5, 0.9]", "[0.5, 0.9]", "task-misfit"),
        ("      time: day\n", "", "missing-key"),
        ("observed: rain", "observed: open", "bad-value"),
        ("      known: open\n", "", "task-misfit"),
        ("      series: shop\n", "", "task-misfit"),
        ("past: float[B, T, 5]", "past: float[B, 6, 5]", "task-misfit"),
    ],
)
def test_a_network_that_does_not_fit_the_series(
    tmp_path: Path, old: str, new: str, code: str
) -> None:
    assert old in SALES
    (tmp_path / "net.yaml").write_text(SALES.replace(old, new))
    with pytest.raises(SpecError) as raised:
        compile_spec(tmp_path / "net.yaml")
    assert code in {one.code for one in raised.value.diagnostics}


MONTHS = """
name: Months
inputs:
  past: float[B, 36, 3]
layers:
  flat: flatten
  wide: {op: linear, out_features: 12}
  head: {op: unflatten, dim: 1, sizes: [12, 1]}
outputs:
  forecast: head
task:
  kind: forecasting
  data: monthly
"""


def test_a_csv_file_for_a_run_of_data_that_is_no_csv_file(tmp_path: Path) -> None:
    (tmp_path / "months").mkdir()
    run = opened(tmp_path / "months", MONTHS)
    months = [f"{2010 + k // 12}-{k % 12 + 1:02}" for k in range(40)]
    lines = [f"sea,{month},{20 + k % 12}" for k, month in enumerate(months)]
    file = tmp_path / "past.csv"
    file.write_text("\n".join(["series,date,value", *lines]))
    (found,) = run.predict(str(file))
    assert found["series"] == "sea" and len(found["forecast"]["value"]) == 12
    assert found["forecast"]["time"][0] == "2013-05-01 00:00:00"
    assert [one["series"] for one in run.predict([])] == ["co2", "sea", "turnover"]
    file.write_text("\n".join(["series,date,value", *lines]).replace("sea", "see"))
    with pytest.raises(DataError, match=r"no series see, but co2, sea"):
        run.predict(str(file))
    (tmp_path / "spots").mkdir()
    scaled = (
        "last: {op: index, dim: 1, index: -1}\n  head: {op: linear, out_features: 1}"
    )
    spec = FORECASTS.replace("last: {op: index, dim: 1, index: -1}", scaled)
    spots = opened(tmp_path / "spots", spec.replace("forecast: last", "forecast: head"))
    file.write_text("sunspots\n" + "".join(f"{k}\n" for k in range(30)))
    (found,) = spots.predict(str(file))
    assert len(found["forecast"]["sunspots"]) == 1
