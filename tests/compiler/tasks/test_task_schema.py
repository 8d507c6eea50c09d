"""Tasks in the JSON Schema: it takes what the compiler takes, and refuses plain mistakes."""

from pathlib import Path
from typing import Any

import pytest

from compiler.tasks.data_set import DataSet
from compiler.tasks.losses import Loss
from compiler.tasks.metrics import Metric
from compiler.tasks.optimizers import Optimizer
from compiler.tasks.schedules import Schedule
from compiler.tasks.task_kinds import task_kinds
from tests.json_schema import schema_errors, the_schema

NET = "name: Net\ninputs: {x: 'float[B, D]'}\nlayers: {a: relu}\n"
MISTAKES = Path("tests/mistakes/task")
BEYOND = {
    "absent_output",
    *("formula", "formula_of_a_misspelt_param", "unknown_param", "batch_size_as_text"),
    *("tokens_without_a_number", "nesterov_without_momentum", "strings_too_short"),
    *("data_of_another_form", "unknown_role", "port_that_is_not_there"),
    *("image_of_another_size", "too_few_classes", "kind_of_tensor", "fixed_batch"),
    *("outputs_without_the_role", "input_that_nothing_feeds", "vocabulary"),
    *("speech_of_other_bands", "logits_of_other_positions"),
    *("transitions_between_other_tags", "vocabulary_without_a_mask"),
    "answer_without_its_end",
    "transcription_without_its_prefix",
    *("one_network_for_two", "two_networks_for_one", "range_of_the_generator"),
    *("cross_entropy_of_negative_values", "of_the_chosen_variant"),
    *("param_called_task", "rate_without_end", "two_ways_to_hold_out"),
    *("captions_of_more_words", "captions_without_a_text_network", "classes_of_pixels"),
    *("five_sides_of_a_box", "boxes_of_another_grid", "scenes_with_masks_for_boxes"),
    *("fewer_pixels_than_the_image", "frames_of_another_number"),
    *("normalized_images_of_a_decoder", "stopping_without_evaluations"),
    *("regression_of_classes", "label_for_a_number", "loss_of_classes"),
    *("too_few_predictions", "columns_of_a_table", "indices_of_categories"),
    *("table_without_a_target", "column_named_twice", "start_patterns"),
    *("losses_of_no_output",),
    *("losses_of_the_main_output", "losses_that_the_data_lacks", "metric_of_labels"),
    *("losses_of_another_size", "best_that_is_not_measured"),
}
"""Mistakes that only the compiler can see: in formulas, between keys, and against networks."""


@pytest.mark.parametrize(
    "task",
    [
        "{kind: classification, data: digits}",
        "{kind: classification, data: {digits: {augment: [{shift: {pixels: 1}}], form: $form}}, seed: seed}",
        "{kind: classification, data: $data, precision: 32, minutes: 2.5}",
        "{kind: language_model, data: {kjv: {tokens: {bpe: 4 * width}}}, epochs: n}",
        "{kind: language_model, data: {text: {path: $file, tokens: characters}}}",
        "{kind: classification, data: mnist, optimizer: adamw, schedule: cosine}",
        "{kind: classification, data: mnist, optimizer: {adam: {betas: [0.5, b]}}}",
        "{kind: classification, data: mnist, optimizer: {sgd: {nesterov: fast}}}",
        "{kind: classification, data: mnist, schedule: {noam: {width: width}}}",
        "{kind: translation, data: verses, schedule: one_cycle, average: 0.999}",
        "{kind: classification, data: mnist, schedule: {warm_restarts: {period: 100, multiply: 2}}}",
        "{kind: classification, data: mnist, schedule: {multi_step: {milestones: [1, n]}}}",
        "{kind: translation, data: verses, decoding: {beam: 4}, ports: {source: x}}",
        "{kind: adversarial, data: digits, generator: {optimizer: {adam: {lr: 1e-4}}}}",
        "{kind: forecasting, data: {csv: {path: a.csv, columns: [level]}}, loss: huber}",
        "{kind: reconstruction, data: digits, early_stopping: {patience: 3}}",
        "{kind: regression, data: {table: {path: a.csv, target: [a, b]}}, loss: mae}",
        "{kind: regression, data: {table: {path: a.csv, target: a}}, loss: {huber: {delta: 2}}}",
        "{kind: multi_label, data: {table: {path: a.csv, labels: [a]}}, best: auroc}",
        "{kind: multi_label, data: digit_rows, metrics: [f1, {auroc: {average: weighted}}]}",
        "{kind: classification, data: mnist, class_weights: {'3': 2}, losses: {aux: {cross_entropy: {weight: 0.3}}}}",
    ],
)
def test_tasks_that_are_valid(task: str) -> None:
    assert schema_errors(f"{NET}task: {task}\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "variants: {big: {width: 8, task: {epochs: 3, optimizer: sgd}}}",
        "variants: {other: {task: {loss: mae, data: co2}}}",
    ],
)
def test_variants_that_are_valid(text: str) -> None:
    assert schema_errors(f"{NET}{text}\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "variants: {big: {task: {epoch: 3}}}",
        "variants: {big: {task: {epochs: 0}}}",
        "variants: {big: {task: 3}}",
    ],
)
def test_variants_that_are_not(text: str) -> None:
    assert schema_errors(f"{NET}{text}\n") != []


@pytest.mark.parametrize(
    "path", sorted(MISTAKES.glob("*.yaml")), ids=lambda path: path.stem
)
def test_mistakes_of_form_are_seen(path: Path) -> None:
    seen = schema_errors(path.read_text(encoding="utf-8"))
    assert bool(seen) == (path.stem not in BEYOND), seen


def test_everything_has_a_definition() -> None:
    for choice in (DataSet, Loss, Metric, Optimizer, Schedule):
        (form,) = _objects(the_schema()["$defs"][f"task.{choice.__name__}"])
        assert form["properties"].keys() == choice.members().keys()
    for kind, model in task_kinds().items():
        assert (
            the_schema()["$defs"][f"task.{kind}"]["properties"]["kind"]["const"] == kind
        )
        told = the_schema()["$defs"][f"task.{kind}"]["properties"]
        assert told.keys() == model.model_fields.keys()
        assert all("description" in form for form in told.values())


def _objects(definition: dict[str, Any]) -> list[dict[str, Any]]:
    return [form for form in definition["anyOf"] if "properties" in form]
