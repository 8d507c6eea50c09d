"""The reference of the tasks: docs/tasks.md is what the declarations say."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from compiler.diagnostics.source import Source
from compiler.op.docstrings import summary
from compiler.parse.document import to_data
from compiler.parse.parse import parse
from compiler.pipeline import compile_spec
from compiler.reporting.tasks_page import PAGE, described, parts, tasks_page
from compiler.reporting.tasks_text import LOSSES
from compiler.tasks.data_set import DataSet
from compiler.tasks.schedules import Schedule
from compiler.tasks.task_kinds import task_kinds

MODELS = (
    *task_kinds().values(),
    *DataSet.members().values(),
    *Schedule.members().values(),
    *(part for kind in task_kinds().values() for part in parts(kind)),
)


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == tasks_page(), "run `make docs`"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_told(model: type[BaseModel]) -> None:
    assert summary(model)
    assert all(one.text for one in described(model))


def test_mappings_inside_a_task_have_tables() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "`early_stopping`: " in page
    assert "`generator` and `discriminator`: " in page
    assert "`decoding`: " in page


@pytest.mark.parametrize("kind", task_kinds())
def test_the_example_of_a_kind_is_one(kind: str) -> None:
    model = task_kinds()[kind]
    task = model.model_validate(to_data(parse(Source("a.yaml", model.example)).root))
    assert task.facts().form in task.forms


OPTIONS: dict[str, dict[str, Any]] = {
    "conll": {"path": "a.conll"},
    "dialogues": {"path": "a.jsonl"},
    "csv": {"path": "a.csv", "columns": ["level"]},
    "idx": {"images": "a", "labels": "b"},
    "image_folder": {"path": "a", "size": 8},
    "labelled_text": {"path": "a.tsv"},
    "mask_folder": {"path": "a", "size": 8},
    "pairs": {"path": "a.tsv"},
    "squad": {"path": "a.json"},
    "box_folder": {"path": "a.json", "size": 8},
    "video_folder": {"path": "a", "size": 8},
    "captioned_images": {"path": "a.tsv", "size": 8},
    "speech": {"path": "a.tsv"},
    "table": {"path": "a.csv", "target": "level"},
    "text_table": {"path": "a.csv", "text": "review", "labels": ["a", "b"]},
    "image_table": {"path": "a.csv", "image": "file", "size": 8, "label": "a"},
    "text": {"path": "a.txt"},
}


@pytest.mark.parametrize("name", DataSet.members())
def test_forms_of_data(name: str) -> None:
    model = DataSet.members()[name]
    options = OPTIONS.get(name, {})
    several = [{}] if len(model.forms) == 1 else [{"form": one} for one in model.forms]
    found = [model.model_validate({**options, **one}).facts().form for one in several]
    assert tuple(found) == model.forms


def takes(model: type[BaseModel]) -> dict[str, str]:
    return {one.name: one.takes for one in described(model)}


def test_fields_in_words() -> None:
    task = takes(task_kinds()["classification"])
    assert task["data"] == "a [data set](#data-sets)"
    assert task["optimizer"] == "an [optimizer](#optimizers)"
    assert task["epochs"] == "an integer of at least 1"
    assert task["minutes"] == "a number above 0"
    assert task["label_smoothing"] == "a number from 0 to below 1"
    assert task["ports"] == "a mapping from roles to ports"
    assert task["precision"] == "32, 64, 16-mixed or bf16-mixed"
    text = takes(DataSet.members()["text"])
    published = "a [published tokenizer](#data-sets)"
    assert (
        text["tokens"] == f"characters or `{{bpe: n}}` or `{{words: n}}` or {published}"
    )
    assert takes(DataSet.members()["csv"])["columns"] == "a list of texts"
    strings = takes(DataSet.members()["strings"])
    assert strings["longest"] == "an integer from 1 to 10,000"


def test_the_example_of_several_outputs_compiles(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", LOSSES, re.DOTALL)
    (tmp_path / "net.yaml").write_text(text, encoding="utf-8")
    assert compile_spec(tmp_path / "net.yaml").check() == ()
