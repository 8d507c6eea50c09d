"""The reference of the tasks: docs/tasks.md is what the declarations say."""

from typing import Any

import pytest
from pydantic import BaseModel

from compiler.diagnostics.source import Source
from compiler.parse.document import to_data
from compiler.parse.parse import parse
from compiler.reporting.fields_text import fields_text
from compiler.reporting.tasks_page import PAGE, PARTS, tasks_page
from compiler.reporting.tasks_text import EXAMPLES, FORMS
from compiler.tasks.choices import Choice, choices
from compiler.tasks.datasets import DataSet
from compiler.tasks.field_docs import summary
from compiler.tasks.schedules import ScheduleChoice
from compiler.tasks.task import EarlyStopping, Task
from compiler.tasks.task_kinds import task_kinds

MODELS = (
    *task_kinds().values(),
    *choices(DataSet).values(),
    *choices(ScheduleChoice).values(),
    *(part for parts in PARTS.values() for _, part in parts),
    EarlyStopping,
)


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == tasks_page(), "run `make docs`"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_told(model: type[BaseModel]) -> None:
    assert summary(model)
    assert all(one.text for one in fields_text(model))


def test_mappings_inside_a_task_have_tables() -> None:
    told = {part for parts in PARTS.values() for _, part in parts}
    inside = {
        model
        for task in task_kinds().values()
        for one in task.model_fields.values()
        for model in _models(one.annotation)
    }
    assert inside == {*told, EarlyStopping}


def _models(annotation: Any) -> list[type[BaseModel]]:
    found = [annotation, *getattr(annotation, "__args__", ())]
    models = [
        one for one in found if isinstance(one, type) and issubclass(one, BaseModel)
    ]
    return [model for model in models if not issubclass(model, Choice)]


@pytest.mark.parametrize("kind", task_kinds())
def test_the_example_of_a_kind_is_one(kind: str) -> None:
    given = to_data(parse(Source("a.yaml", EXAMPLES[kind])).root)["task"]
    task = task_kinds()[kind].model_validate(given)
    assert isinstance(task, Task)
    assert task.facts().form in task.forms


OPTIONS: dict[str, dict[str, Any]] = {
    "csv": {"path": "a.csv", "columns": ["level"]},
    "idx": {"images": "a", "labels": "b"},
    "image_folder": {"path": "a", "size": 8},
    "labelled_text": {"path": "a.tsv"},
    "pairs": {"path": "a.tsv"},
    "text": {"path": "a.txt"},
}


def test_forms_of_data() -> None:
    found = {(_form(name), name) for name in choices(DataSet)}
    found.add((_form("digits", form="sequences"), "digits"))
    assert found == {(form, name) for form, names in FORMS.items() for name in names}
    assert EXAMPLES.keys() == task_kinds().keys()


def _form(name: str, **options: Any) -> str:
    given = {name: {**OPTIONS.get(name, {}), **options}}
    form: str = DataSet.model_validate(given).chosen.facts().form
    return form


def takes(model: type[BaseModel]) -> dict[str, str]:
    return {one.name: one.takes for one in fields_text(model)}


def test_fields_in_words() -> None:
    task = takes(task_kinds()["classification"])
    assert task["data"] == "a [data set](#data-sets)"
    assert task["optimizer"] == "an [optimizer](#optimizers)"
    assert task["epochs"] == "an integer of at least 1"
    assert task["minutes"] == "a number above 0"
    assert task["label_smoothing"] == "a number from 0 to below 1"
    assert task["ports"] == "a mapping from roles to ports"
    assert task["precision"] == "32, 64, 16-mixed or bf16-mixed"
    text = takes(choices(DataSet)["text"])
    assert text["tokens"] == "characters or `{bpe: n}` or `{words: n}`"
    assert takes(choices(DataSet)["csv"])["columns"] == "a list of texts"
    strings = takes(choices(DataSet)["strings"])
    assert strings["longest"] == "an integer from 1 to 10,000"
