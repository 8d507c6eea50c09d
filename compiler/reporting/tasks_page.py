"""docs/tasks.md: the reference of tasks, data sets, optimizers and schedules as a page.

`python -m compiler.reporting.tasks_page` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from compiler.diagnostics.text import either
from compiler.reporting.fields_text import FieldText, fields_text
from compiler.reporting.tasks_text import DATA, EXAMPLES, FORMS, HEAD, RUNS, SCHEDULES
from compiler.tasks.choices import choices
from compiler.tasks.datasets import DataSet
from compiler.tasks.field_docs import summary
from compiler.tasks.kinds.adversarial import NetworkTraining
from compiler.tasks.kinds.translation import Decoding
from compiler.tasks.optimizers import Optimizer
from compiler.tasks.roles import Role
from compiler.tasks.schedules import ScheduleChoice
from compiler.tasks.task import EarlyStopping, Task
from compiler.tasks.task_kinds import task_kinds

PAGE = Path("docs/tasks.md")
PARTS: Final[dict[str, tuple[tuple[str, type[BaseModel]], ...]]] = {
    "adversarial": (("`generator` and `discriminator`", NetworkTraining),),
    "translation": (("`decoding`", Decoding),),
}
"""Of a kind of task, the keys that hold mappings of their own."""


def tasks_page() -> str:
    """The page, in Markdown."""
    parts = [HEAD, *_common()]
    parts += ["## Kinds\n", *(part for kind in task_kinds() for part in _kind(kind))]
    parts += [DATA, *_data_sets()]
    parts += ["## Optimizers\n", *_things(choices(Optimizer), "adamw")]
    parts += [SCHEDULES, *_things(choices(ScheduleChoice), "constant")]
    return "\n".join([*parts, RUNS])


def _common() -> Iterator[str]:
    yield "## What all tasks have\n"
    yield _table(fields_text(Task), "key")
    yield f"`early_stopping`: {_lower(summary(EarlyStopping))}\n"
    yield _table(fields_text(EarlyStopping), "key")


def _kind(kind: str) -> Iterator[str]:
    model = task_kinds()[kind]
    yield f"### {kind}\n"
    yield f"{summary(model)}\n"
    yield f"```yaml\n{EXAMPLES[kind]}```\n"
    better = "highest" if model.better == "higher" else "lowest"
    yield (
        f"It learns from {either(model.forms)}. "
        f"The best weights are those with the {better} `{model.metric}`.\n"
    )
    yield _roles(model.roles)
    own = list(fields_text(model, without=Task.model_fields))
    if own:
        yield _table(own, "key")
    for title, part in PARTS.get(kind, ()):
        yield f"{title}: {_lower(summary(part))}\n"
        yield _table(fields_text(part), "key")


def _roles(roles: Iterable[Role]) -> str:
    lines = ["| role | played by | type | what it is |", "|---|---|---|---|"]
    for role in roles:
        article = "an optional" if role.optional else "an"
        network = f" of `{role.network}`" if role.network else ""
        who = f"{article} {role.side}{network}"
        lines.append(f"| `{role.name}` | {who} | `{role.type}` | {role.text} |")
    return "\n".join([*lines, ""])


def _data_sets() -> Iterator[str]:
    lines = ["| they hold | data sets |", "|---|---|"]
    for form, names in FORMS.items():
        links = ", ".join(f"[`{name}`](#{name})" for name in names)
        lines.append(f"| {form} | {links} |")
    yield "\n".join([*lines, ""])
    for name, model in choices(DataSet).items():
        yield f"### {name}\n"
        yield f"{_about(model)}\n"
        yield _table(fields_text(model), "option")


def _about(model: type[BaseModel]) -> str:
    """What its file says of a data set, and its class beyond whose options these are."""
    told = (sys.modules[model.__module__].__doc__ or "").strip()
    _, _, more = " ".join(summary(model).split()).partition(". ")
    return f"{told} {more}".strip()


def _things(found: Mapping[str, type[BaseModel]], default: str) -> Iterator[str]:
    """Optimizers or schedules: a table of names, arguments with their defaults, and what each is."""
    lines = ["| name | arguments | what it is |", "|---|---|---|"]
    for name, model in found.items():
        shown = f"`{name}`{' (the default)' if name == default else ''}"
        text = " ".join(summary(model).split())
        lines.append(f"| {shown} | {_arguments(model)} | {text} |")
    yield "\n".join([*lines, ""])


def _arguments(model: type[BaseModel]) -> str:
    return ", ".join(
        f"`{one.name}` (required)"
        if one.default is None
        else f"`{one.name}: {one.default}`"
        for one in fields_text(model)
    )


def _table(fields: Iterable[FieldText], head: str) -> str:
    lines = [f"| {head} | takes | left out | meaning |", "|---|---|---|---|"]
    for one in fields:
        default = f"`{one.default}`" if one.default else "nothing"
        default = "required" if one.default is None else default
        text = one.text.replace("|", "\\|")
        lines.append(f"| `{one.name}` | {one.takes} | {default} | {text} |")
    return "\n".join([*lines, ""])


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


if __name__ == "__main__":
    PAGE.write_text(tasks_page(), encoding="utf-8")
