"""The task of a program: of the spec, its variant and the caller, and what becomes of it."""

from pathlib import Path
from typing import Any

import pytest

from compiler import SpecError, compile_spec
from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.source import Source
from compiler.fmt.expand import expand
from compiler.fmt.format_spec import format_spec
from compiler.fmt.write_spec import write_spec
from compiler.program import Program
from compiler.tasks.kinds.classification import Classification
from layergraph.overrides import compile_chosen

SPEC = """
name: Net
params: {classes: 10, scale: 4, betas: [0.8, 0.9], data: {type: str, default: digits}}
variants:
  long: {scale: 8, task: {epochs: 50 * scale, optimizer: {adam: {eps: 1e-6}}}}
  other: {task: {data: mnist}}
inputs: {image: "float[B, 1, 8, 8]"}
layers: {flat: flatten, fc: {op: linear, out_features: classes}}
outputs: {logits: fc}
task:
  kind: classification
  data: $data
  epochs: 2 * scale
  optimizer: {adamw: {lr: scale / 1000, betas: $betas}}
  schedule: {cosine: {warmup: 5}}
"""


def chosen(folder: Path, variant: str = "", *sets: str, spec: str = SPEC) -> Program:
    file = folder / "net.yaml"
    file.write_text(spec, encoding="utf-8")
    return compile_chosen(file, variant, sets, limits=Limits())


def task(folder: Path, variant: str = "", *sets: str) -> Classification:
    found = chosen(folder, variant, *sets).task
    assert isinstance(found, Classification)
    return found


def test_formulas_and_params(tmp_path: Path) -> None:
    found = task(tmp_path)
    assert (found.epochs, found.data.name) == (8, "digits")
    assert found.optimizer.lr == pytest.approx(0.004)
    assert found.optimizer.betas == (0.8, 0.9)
    assert found.schedule.warmup == 5
    assert found.batch_size == 64


def test_settings_of_params_reach_the_task(tmp_path: Path) -> None:
    assert task(tmp_path, "", "scale=3").epochs == 6


def test_a_variant_replaces_keys_whole(tmp_path: Path) -> None:
    found = task(tmp_path, "long")
    assert found.epochs == 400
    assert found.optimizer.name == "adam"
    assert found.optimizer.model_dump(exclude_defaults=True) == {"eps": 1e-6}
    assert found.schedule.warmup == 5


def test_the_caller_changes_single_values(tmp_path: Path) -> None:
    sets = ("task.epochs=scale", "task.optimizer.adam.lr=0.5", "task.seed=7")
    found = task(tmp_path, "long", *sets)
    assert (found.epochs, found.seed) == (8, 7)
    given = {"lr": 0.5, "eps": 1e-6}
    assert found.optimizer.model_dump(exclude_defaults=True) == given


def test_another_name_replaces_the_choice(tmp_path: Path) -> None:
    found = task(
        tmp_path, "", "task.optimizer.sgd.lr=1", "task.optimizer.sgd.momentum=0.5"
    )
    assert found.optimizer.name == "sgd"
    assert (found.optimizer.lr, found.optimizer.momentum) == (1, 0.5)
    assert task(tmp_path, "", "task.schedule=constant").schedule.name == "constant"


def test_a_wrong_setting_is_shown_where_it_was_said(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        task(tmp_path, "", "task.epochs=-1")
    (found,) = [one for one in caught.value.diagnostics if one.severity == "error"]
    assert found.code == "bad-value"
    assert found.span.file == "--set task.epochs"


def test_a_setting_without_a_path(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"task\.epochs=3"):
        chosen(tmp_path, "", "task.=3")


def test_variants_that_are_not_asked_for_may_need_other_networks(
    tmp_path: Path,
) -> None:
    assert chosen(tmp_path).check() == ()
    with pytest.raises(SpecError, match="28, 28"):
        chosen(tmp_path, "other")


def test_a_variant_alone_may_have_a_task(tmp_path: Path) -> None:
    whole = "{kind: classification, data: digits, epochs: scale}"
    spec = SPEC[: SPEC.index("task:\n")].replace("{data: mnist}", whole)
    spec = spec.replace(
        ", task: {epochs: 50 * scale, optimizer: {adam: {eps: 1e-6}}}", ""
    )
    assert chosen(tmp_path, spec=spec).task is None
    found = chosen(tmp_path, "other", spec=spec).task
    assert found is not None
    assert found.epochs == 4


@pytest.mark.parametrize("variant", ["", "long"])
def test_expanded(variant: str, tmp_path: Path) -> None:
    program = chosen(tmp_path, variant, "task.batch_size=9")
    text = write_spec(expand(program.typed, program.task_node))
    assert format_spec(Source("a.yaml", text)) == text
    again = chosen(tmp_path, spec=text)
    assert again.task == program.task
    assert again.python == program.python
    assert "\n\ntask:\n  kind: classification\n" in text


def test_expanded_before_the_blocks(tmp_path: Path) -> None:
    block = "blocks: {Twice: {inputs: {x: 'float[B, D]'}, layers: [relu, relu]}}\n"
    spec = SPEC.replace("fc: {", "twice: Twice, fc: {") + block
    program = chosen(tmp_path, "long", spec=spec)
    text = write_spec(expand(program.typed, program.task_node))
    keys = [line for line in text.splitlines() if line and line[0] != " "]
    assert keys[-2:] == ["task:", "blocks:"]
    assert chosen(tmp_path, spec=text).task == program.task


def test_no_task_is_expanded_to_none(tmp_path: Path) -> None:
    program = compile_spec("specs/gpt2.yaml")
    assert program.task is None
    assert program.task_node is None


def test_fmt_gives_a_task_a_line_for_each_key() -> None:
    text = "name: A\ntask: {kind: classification, data: {digits: {fold: 1}}} # why\n"
    once = format_spec(Source("a.yaml", text))
    assert once == (
        "name: A\ntask:  # why\n  kind: classification\n  data: {digits: {fold: 1}}\n"
    )
    assert format_spec(Source("a.yaml", once)) == once


LONG = "x" * 60_000
DEEP = "[" * 60 + "]" * 60
HOSTILE: list[dict[str, Any]] = [
    {"kind": LONG},
    {"kind": DEEP},
    {"kind": "$" + LONG},
    {"data": LONG},
    {"data": f"{{{LONG}: 3}}"},
    {"data": f"{{digits: {{{LONG}: 3}}}}"},
    {"data": f"{{digits: {DEEP}}}"},
    {"data": f"{{digits: {{form: {LONG}}}}}"},
    {"epochs": LONG},
    {"epochs": "(" * 5_000 + ")" * 5_000},
    {"epochs": " * ".join(["9223372036854775807"] * 100)},
    {"epochs": DEEP},
    {"optimizer": f"{{adam: {{betas: {DEEP}}}}}"},
    {"optimizer": "{sgd: {lr: 1e308 * 1e308}}"},
    {"schedule": f"{{multi_step: {{milestones: [{'x, ' * 20_000}1]}}}}"},
    {"ports": f"{{{', '.join(f'p{n}: x' for n in range(20_000))}}}"},
    {"ports": f"{{logits: {LONG}}}"},
    {"__class__": "{__init__: 1}"},
    {"seed": 2**32},
    {"batch_size": "{0: {a: b}}"},
]


@pytest.mark.parametrize("keys", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_task_is_answered(keys: dict[str, Any], tmp_path: Path) -> None:
    given = {"kind": "classification", "data": "digits", **keys}
    written = "".join(f"  {key}: {value}\n" for key, value in given.items())
    spec = SPEC[: SPEC.index("task:\n")] + "task:\n" + written
    with pytest.raises(SpecError) as caught:
        chosen(tmp_path, spec=spec)
    errors = [one for one in caught.value.diagnostics if one.severity == "error"]
    assert 1 <= len(errors) <= 101
    assert all(len(one.message) < 300 and len(one.help) < 600 for one in errors)


@pytest.mark.parametrize(
    "key", ["epochs", "batch_size", "accumulate", "evaluate_every"]
)
def test_huge_numbers_are_numbers(key: str, tmp_path: Path) -> None:
    found = task(tmp_path, "", f"task.{key}={10**18}")
    assert getattr(found, key) == 10**18
