from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError, SpecError
from compiler.pipeline import compile_spec
from runtime.data.data_section import DataSection
from runtime.data.dataset import Batch, DataSplits
from runtime.data.load_data import load
from runtime.load import build_networks
from runtime.tasks.regression import RegressionLearner

SPEC = """
name: Net
inputs:
  numbers: float[B, 2]
  categories: int[B, 1]
layers:
  embedding: {op: embedding, num_embeddings: 4, embedding_dim: 3, in: categories}
  flat: flatten
  joined: {op: concat, dim: 1, in: [numbers, flat]}
  head: {op: linear, out_features: TARGETS}
  SHAPE
outputs: {prediction: last}
task:
  kind: regression
  data: {table: {path: houses.csv, target: NAMES, held_out: 0.25}}
  loss: LOSS
"""
Make = Callable[..., tuple[RegressionLearner, DataSplits]]


def houses() -> str:
    """Forty houses; their price and their age are what is to be predicted."""
    generator = np.random.default_rng(0)
    lines = ["area,rooms,kind,price,age"]
    for number in range(40):
        area, rooms = generator.uniform(50, 150), generator.integers(1, 6)
        kind = ("flat", "house", "hut")[number % 3]
        price = 1000 * area + 5000 * rooms + 20_000 * (kind == "house")
        lines.append(f"{area:.1f},{rooms},{kind},{price:.0f},{number}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(
        targets: str = "price", loss: str = "mse", shape: str = "last: identity"
    ) -> tuple[RegressionLearner, DataSplits]:
        (tmp_path / "houses.csv").write_text(houses())
        count = 2 if "," in targets else 1
        targets = targets if count == 2 else f"{targets}, ignore: age"
        text = SPEC.replace("TARGETS", str(count)).replace("NAMES", targets)
        file = tmp_path / "net.yaml"
        file.write_text(text.replace("LOSS", loss).replace("SHAPE", shape))
        program = compile_spec(file)
        assert program.task is not None
        section = DataSection(program.typed.graph.document, "table", tmp_path)
        data = load(program.task, section)
        torch.manual_seed(0)
        networks = build_networks(program)
        types = program.typed.networks
        learner = RegressionLearner(program.task, types, networks, data.metadata)
        learner.setup(data)
        learner.network.eval()
        return learner, data

    return made


def every(examples: Any) -> Batch:
    batch: Batch = examples.__getitems__(list(range(len(examples))))
    return batch


@torch.no_grad()
def evaluated(
    learner: RegressionLearner, data: DataSplits, final: bool = True
) -> dict[str, float]:
    rows = torch.arange(len(data.held_out)).split(4)
    batches = [data.held_out.__getitems__(part.tolist()) for part in rows]
    return learner.evaluate(batches, final)


@pytest.mark.parametrize(
    ("loss", "function"),
    [
        ("mse", F.mse_loss),
        ("mae", F.l1_loss),
        ("{huber: {delta: 0.5}}", lambda a, b: F.huber_loss(a, b, delta=0.5)),
        ("{mse: {weight: 3}}", lambda a, b: 3 * F.mse_loss(a, b)),
    ],
)
def test_the_loss_is_that_of_torch(make: Make, loss: str, function: Any) -> None:
    for targets in ("price", "[price, age]"):
        learner, data = make(targets, loss)
        batch = every(data.held_out)
        output = learner.network(batch["numbers"], batch["categories"])
        mean = learner.loss("", batch, 0.0) / learner.num_items(batch)
        torch.testing.assert_close(mean, function(output, batch["target"]))
        found = evaluated(learner, data)["loss"]
        assert found == pytest.approx(float(mean.detach()), rel=1e-5)


def test_targets_are_standardised_by_the_training_part(make: Make) -> None:
    learner, data = make("[price, age]")
    target = every(data.train)["target"].double()
    torch.testing.assert_close(
        target.mean(0), torch.zeros(2).double(), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(target.std(0, correction=0), torch.ones(2).double())
    ages = learner.unscale(target, [0, 1])[:, 1]
    assert sorted(ages.round().int().tolist()) == sorted(
        set(ages.round().int().tolist())
    )
    assert float((ages - ages.round()).abs().max()) < 1e-4


@pytest.mark.parametrize("shape", ["last: identity", "last: {op: squeeze, dim: 1}"])
def test_metrics_are_those_of_sklearn_in_the_units_of_the_target(
    make: Make, shape: str
) -> None:
    learner, data = make(shape=shape)
    found = evaluated(learner, data)
    batch = every(data.held_out)
    with torch.no_grad():
        output = learner.network(batch["numbers"], batch["categories"]).flatten()
    (scale,) = learner.scales
    true = batch["target"][:, 0].double().numpy() * scale.std + scale.mean
    own = output.double().numpy() * scale.std + scale.mean
    fitted = LinearRegression()
    train = every(data.train)
    one_hot = [F.one_hot(part["categories"][:, 0], 4) for part in (train, batch)]
    inputs = [
        torch.cat([part["numbers"], hot], 1).double().numpy()
        for part, hot in zip((train, batch), one_hot, strict=True)
    ]
    fitted.fit(inputs[0], train["target"][:, 0].numpy())
    predicted = {
        "": own,
        ".mean": np.full_like(own, scale.mean),
        ".linear": fitted.predict(inputs[1]) * scale.std + scale.mean,
    }
    for name, values in predicted.items():
        assert found[f"mae{name}"] == pytest.approx(
            mean_absolute_error(true, values), rel=1e-4
        )
        assert found[f"rmse{name}"] == pytest.approx(
            root_mean_squared_error(true, values), rel=1e-4
        )
        assert found[f"r2{name}"] == pytest.approx(r2_score(true, values), rel=1e-4)
    assert found["mae.linear"] < found["mae.mean"]
    assert found["mae.boosting"] < found["mae.mean"]


def test_several_targets_have_metrics_and_their_mean(make: Make) -> None:
    learner, data = make("[price, age]")
    found = evaluated(learner, data)
    for metric in ("mae", "rmse", "r2", "mae.linear"):
        both = [found[f"price.{metric}"], found[f"age.{metric}"]]
        assert found[metric] == pytest.approx(sum(both) / 2)


def test_baselines_are_only_in_the_final_evaluation(make: Make) -> None:
    learner, data = make()
    found = evaluated(learner, data, final=False)
    assert found.keys() == {"loss", "mae", "rmse", "r2"}


def test_numbers_that_are_all_the_same_have_an_r2_of_0(make: Make) -> None:
    from runtime.tasks.output_metrics import number_metrics

    found = number_metrics(torch.zeros(3, 1), torch.ones(3, 1))
    assert found["r2"].tolist() == [0.0]


def test_the_plot_is_a_picture(make: Make) -> None:
    learner, data = make("[price, age]")
    assert learner.plots() == {}
    evaluated(learner, data)
    assert learner.plots()["predicted.png"].startswith(b"\x89PNG")


def test_training_beats_the_mean(make: Make) -> None:
    learner, data = make()
    optimizer = torch.optim.Adam(learner.network.parameters(), lr=0.05)
    batch = every(data.train)
    for _ in range(200):
        optimizer.zero_grad()
        torch.autograd.backward(learner.loss("", batch, 0.0))
        optimizer.step()
    found = evaluated(learner, data)
    assert found["r2"] > 0.99
    assert found["mae"] < found["mae.mean"] / 5


# Predictions for files and rows of the user's.


def test_lines_of_a_file_and_rows_are_predicted(make: Make, tmp_path: Path) -> None:
    learner, _ = make("[price, age]")
    file = tmp_path / "mine.csv"
    # The columns in another order, more of them, a decimal comma, and a category that is new.
    file.write_text("note;kind;rooms;area\nx;house;3;80,5\ny;palace;;100\n")
    found = learner.predict([str(file)])
    assert [one["line"] for one in found] == [2, 3]
    rows = learner.predict(
        [{"area": 80.5, "rooms": 3, "kind": "house"}, {"area": 100.0, "kind": "other"}]
    )
    for one, other in zip(found, rows, strict=True):
        assert one["price"] == pytest.approx(other["price"])
        assert one["age"] == pytest.approx(other["age"])
    (area, rooms) = learner.columns.numbers
    scaled = [[(80.5 - area.mean) / area.std, (3 - rooms.mean) / rooms.std]]
    with torch.no_grad():
        output = learner.network(torch.tensor(scaled), torch.tensor([[2]]))
    expected = learner.unscale(output, [0, 1])[0].tolist()
    assert [rows[0]["price"], rows[0]["age"]] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"surface": 3.0}, "no columns surface, but area, rooms, kind"),
        ({"area": "large"}, "area must be a number, and is 'large'"),
    ],
)
def test_an_invalid_row(make: Make, row: dict[str, Any], message: str) -> None:
    learner, _ = make()
    with pytest.raises(RequestError, match=message):
        learner.predict([row])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("area,rooms\n80,3\n", "the file has no column kind"),
        ("area,rooms,kind\nlarge,3,hut\n", "area is large, which is not a finite"),
    ],
)
def test_an_invalid_file(make: Make, tmp_path: Path, text: str, message: str) -> None:
    learner, _ = make()
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises((RequestError, SpecError), match=message):
        learner.predict([str(tmp_path / "mine.csv")])
