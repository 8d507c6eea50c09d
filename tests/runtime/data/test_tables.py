"""Tables: numbers and categories of CSV files and of scikit-learn."""

from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes

from runtime.data.dataset import Batch, DataSplits
from tests.runtime.data.section import read

PEOPLE = """\
age,town,income,healthy
30,Bonn,1000,yes
40,Rome,2000,no
50,Bonn,,yes
60,,4000,no
70,Oslo,5000,yes
80,Rome,6000,no
"""


def all_of(data: DataSplits) -> tuple[Batch, Batch]:
    train, held_out = (
        part.__getitems__(list(range(len(part))))
        for part in (data.train, data.held_out)
    )
    return train, held_out


def people(folder: Path, options: str, text: str = PEOPLE) -> DataSplits:
    return read(f"{{table: {{path: p.csv, {options}}}}}", folder, {"p.csv": text})


def test_numbers_and_categories_are_told_apart(tmp_path: Path) -> None:
    data = people(tmp_path, "target: age, held_out: 0.34")
    assert [one["name"] for one in data.metadata["numbers"]] == ["income"]
    names = [one["name"] for one in data.metadata["categories"]]
    assert names == ["town", "healthy"]
    assert (data.facts.numbers, data.facts.categories) == (1, 2)
    assert data.facts.targets == ("age",) and data.facts.answers == ("numbers",)
    train, held_out = all_of(data)
    assert train["numbers"].shape == (4, 1) and held_out["categories"].shape == (2, 2)
    assert train["target"].shape == (4, 1) and train["target"].dtype == torch.float32


def test_categories_are_indices_of_one_embedding(tmp_path: Path) -> None:
    data = people(tmp_path, "target: age, held_out: 0.34")
    town, healthy = data.metadata["categories"]
    first = len(town["values"]) + 1
    assert data.facts.vocab == first + len(healthy["values"]) + 1
    rows = torch.cat([part["categories"] for part in all_of(data)])
    assert int(rows[:, 0].max()) < first <= int(rows[:, 1].min())
    ages = sorted(
        zip(
            torch.cat([part["target"] for part in all_of(data)])[:, 0].tolist(),
            rows.tolist(),
            strict=True,
        )
    )
    lines = [line.split(",") for line in PEOPLE.splitlines()[1:]]
    for (_, (one, two)), line in zip(ages, lines, strict=True):
        known = line[1] in town["values"]
        assert one == (1 + town["values"].index(line[1]) if known else 0)
        assert two == first + 1 + healthy["values"].index(line[3])


def test_what_the_training_part_lacks_has_an_index_of_its_own(tmp_path: Path) -> None:
    text = "town,price\n" + "Bonn,1\n" * 5 + "Rome,2\n" * 5
    data = people(tmp_path, "target: price", text)
    known = data.metadata["categories"][0]["values"]
    assert known == ["Bonn", "Rome"]
    data = people(tmp_path, "target: price, rare: 6", text)
    assert data.metadata["categories"][0]["values"] == []
    assert set(all_of(data)[0]["categories"].flatten().tolist()) == {0}


def test_blanks_are_the_mean_and_a_category(tmp_path: Path) -> None:
    data = people(tmp_path, "target: age, held_out: 0.0")
    train, _ = all_of(data)
    row = train["target"][:, 0].argsort()
    assert float(train["numbers"][row[2], 0]) == 0.0
    assert "" in data.metadata["categories"][0]["values"]
    scale = data.metadata["numbers"][0]
    assert scale["mean"] == pytest.approx(3600)


def test_a_class_and_labels(tmp_path: Path) -> None:
    data = people(tmp_path, "label: healthy, held_out: 0.34")
    assert data.metadata["classes"] == ["no", "yes"]
    assert data.facts.class_names == ("no", "yes") and data.facts.classes == 2
    train, held_out = all_of(data)
    assert sorted(held_out["label"].tolist()) == [0, 1]
    data = people(tmp_path, "labels: healthy, target: age, ignore: town")
    train, held_out = all_of(data)
    assert data.facts.answers == ("numbers", "labels") and data.facts.categories == 0
    assert set(train["labels"].flatten().tolist()) <= {0.0, 1.0}
    assert train.keys() == {"numbers", "target", "labels"}


@pytest.mark.parametrize(
    "text",
    [
        PEOPLE.replace(",", ";"),
        PEOPLE.replace(",", "\t"),
        PEOPLE.replace("\n", "\r\n"),
        "\ufeff" + PEOPLE,
        PEOPLE.replace(",", ";").replace("1000", "1000,0").replace("2000", "2000,00"),
    ],
)
def test_other_ways_to_write_the_same(tmp_path: Path, text: str) -> None:
    expected = people(tmp_path, "target: age")
    found = people(tmp_path, "target: age", text)
    assert found.metadata == expected.metadata
    for one, other in zip(all_of(found), all_of(expected), strict=True):
        assert all(torch.equal(one[role], other[role]) for role in other)


def test_latin_1(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_bytes(b"stadt,age\n" + "Köln,1\n".encode("latin-1") * 8)
    data = read("{table: {path: p.csv, target: age, encoding: latin-1}}", tmp_path)
    assert data.metadata["categories"][0]["values"] == ["Köln"]


def test_numbers_that_are_categories(tmp_path: Path) -> None:
    data = people(tmp_path, "target: age, categories: income")
    assert data.facts.numbers == 0
    assert "numbers" not in all_of(data)[0]


def test_parts_in_files_of_their_own(tmp_path: Path) -> None:
    held = "income,town,healthy,age\n2000,Paris,no,20\n,Rome,yes,30\n"
    files = {"p.csv": PEOPLE, "v.csv": held, "t.csv": held.replace(",20", ",21")}
    options = "path: p.csv, validation: v.csv, test: t.csv, target: age"
    data = read(f"{{table: {{{options}}}}}", tmp_path, files)
    train, held_out = all_of(data)
    assert len(train["target"]) == 6 and data.test is not None
    scale = data.metadata["targets"][0]
    ages = held_out["target"][:, 0].double() * scale["std"] + scale["mean"]
    assert ages.round().tolist() == [20, 30]
    assert int(held_out["categories"][0, 0]) == 0  # the training part lacks Paris
    assert float(held_out["numbers"][1, 0]) == 0.0


def test_folds_have_no_line_in_common(tmp_path: Path) -> None:
    parts = [
        people(tmp_path, f"target: age, held_out: 0.5, fold: {fold}") for fold in (0, 1)
    ]
    scales = [part.metadata["targets"][0] for part in parts]
    ages = [
        (all_of(part)[1]["target"][:, 0].double() * scale["std"] + scale["mean"])
        for part, scale in zip(parts, scales, strict=True)
    ]
    assert sorted(torch.cat(ages).round().tolist()) == [30, 40, 50, 60, 70, 80]


def test_diabetes_is_that_of_sklearn() -> None:
    data = read("diabetes")
    train, held_out = all_of(data)
    scale = data.metadata["targets"][0]
    values = torch.cat([train["target"], held_out["target"]])[:, 0].double()
    found = sorted((values * scale["std"] + scale["mean"]).round().tolist())
    assert found == sorted(load_diabetes().target.tolist())
    assert train["numbers"].shape[1] == data.facts.numbers == 9
    assert set(train["categories"].flatten().tolist()) == {1, 2}
    assert data.facts.vocab == 3


def test_breast_cancer_is_that_of_sklearn() -> None:
    data = read("breast_cancer")
    train, held_out = all_of(data)
    assert len(train["label"]) + len(held_out["label"]) == 569
    assert int(train["label"].sum() + held_out["label"].sum()) == int(
        load_breast_cancer().target.sum()
    )
    assert data.metadata["classes"] == ["malignant", "benign"]
    mean = train["numbers"].double().mean(0)
    torch.testing.assert_close(mean, torch.zeros(30).double(), atol=1e-5, rtol=0)
