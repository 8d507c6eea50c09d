"""docs/tasks.md: the reference of tasks, data sets, optimizers and schedules as a page.

`python -m compiler.reporting.tasks_page` regenerates it.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import indent
from typing import get_args, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from compiler.diagnostics.text import either
from compiler.language.choice import Choice
from compiler.op.arg_docs import Argument, keys_of, takes
from compiler.op.as_yaml import as_yaml
from compiler.op.docstrings import descriptions, summary
from compiler.reporting.tasks_text import (
    AUGMENTATIONS,
    DATA,
    HEAD,
    LOSSES,
    METRICS,
    PLUGINS,
    RUNS,
    SCHEDULES,
    START,
)
from compiler.tasks.augmentations import Augmentation
from compiler.tasks.data_facts import Form
from compiler.tasks.data_set import DataSet, TokenizerFile
from compiler.tasks.losses import Loss
from compiler.tasks.metrics import Metric
from compiler.tasks.optimizers import Optimizer
from compiler.tasks.roles import Role
from compiler.tasks.schedules import Schedule
from compiler.tasks.task import Task
from compiler.tasks.task_kinds import task_kinds

PAGE = Path("docs/tasks.md")
_MAPPINGS = {
    "ports": "a mapping from roles to ports",
    "losses": "a mapping from outputs to [losses](#losses)",
}
"""What keys take that are mappings from names of the spec."""
_SEVERAL = {"loss": "losses"}
"""The plurals that do not end with s alone."""


def tasks_page() -> str:
    """The page, in Markdown."""
    parts = [HEAD, *_common(), START]
    parts += ["## Kinds\n", *(part for kind in task_kinds() for part in _kind(kind))]
    parts += [DATA, _table(described(TokenizerFile), "key"), *_data_sets()]
    parts += [AUGMENTATIONS, *_things(Augmentation.members())]
    parts += [LOSSES, *_things(Loss.members())]
    parts += [METRICS, *_things(Metric.members())]
    parts += ["## Optimizers\n", *_things(Optimizer.members(), "adamw")]
    parts += [SCHEDULES, *_things(Schedule.members(), "constant")]
    return "\n".join([*parts, PLUGINS, RUNS])


def described(
    model: type[BaseModel], without: Container[str] = ()
) -> Iterator[Argument]:
    """The keys of a declaration, in order; a default of "" is none.

    >>> from compiler.tasks.schedules import ExponentialSchedule
    >>> [one.takes for one in described(ExponentialSchedule)]
    ['an integer of at least 0', 'a number above 0']
    """
    texts, kinds = descriptions(model), get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        if name not in without:
            words = takes(kinds[name], _of_model, null=False)
            words = _MAPPINGS.get(name, words)
            yield Argument(name, words, _default(field), texts.get(name, ""))


def _of_model(model: type[BaseModel]) -> str:
    """The words for what is chosen by name, with a link to all there are; or for a mapping."""
    if model is TokenizerFile:
        return "a [published tokenizer](#data-sets)"
    if not issubclass(model, Choice):
        return keys_of(model)
    article = "an" if model.noun[0] in "aeiou" else "a"
    return f"{article} [{model.noun}](#{_SEVERAL.get(model.noun, f'{model.noun}s').replace(' ', '-')})"


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Choice):
        return value.name
    if isinstance(value, BaseModel):
        return as_yaml(value.model_dump(exclude_defaults=True))
    return "" if value is None else as_yaml(value)


def _common() -> Iterator[str]:
    yield "## Options of all tasks\n"
    yield _table(described(Task), "key")
    yield from _parts(Task)


def _kind(kind: str) -> Iterator[str]:
    model = task_kinds()[kind]
    yield f"### {kind}\n"
    yield f"{summary(model)}\n"
    yield f"```yaml\ntask:\n{indent(model.example, '  ')}```\n"
    better = "highest" if model.better == "higher" else "lowest"
    yield (
        f"Data: {either(model.forms)}. "
        f"The best weights are those with the {better} `{model.metric}`.\n"
    )
    yield _roles(model.roles)
    own = list(described(model, without=Task.model_fields))
    if own:
        yield _table(own, "key")
    yield from _parts(model, without=Task.model_fields)


def parts(
    model: type[BaseModel], without: Container[str] = ()
) -> dict[type[BaseModel], list[str]]:
    """The nested mappings of a declaration, each with its keys."""
    found: dict[type[BaseModel], list[str]] = {}
    for name, field in model.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            inside = isinstance(kind, type) and issubclass(kind, BaseModel)
            if inside and not issubclass(kind, Choice) and name not in without:
                found.setdefault(kind, []).append(f"`{name}`")
    return found


def _parts(model: type[BaseModel], without: Container[str] = ()) -> Iterator[str]:
    for part, names in parts(model, without).items():
        yield f"{' and '.join(names)}: {_lower(summary(part))}\n"
        yield _table(described(part), "key")


def _roles(roles: Iterable[Role]) -> str:
    lines = ["| role | port | type | description |", "|---|---|---|---|"]
    for role in roles:
        article = "an optional" if role.optional else "an"
        network = f" of `{role.network}`" if role.network else ""
        who = f"{article} {role.side}{network}"
        lines.append(f"| `{role.name}` | {who} | `{role.type}` | {role.text} |")
    return "\n".join([*lines, ""])


def _data_sets() -> Iterator[str]:
    lines = ["| form of examples | data sets |", "|---|---|"]
    known = DataSet.members()
    for form in get_args(Form):
        names = (name for name, one in known.items() if form in one.forms)
        links = ", ".join(f"[`{name}`](#{name})" for name in names)
        lines.append(f"| {form} | {links} |")
    yield "\n".join([*lines, ""])
    for name, model in known.items():
        yield f"### {name}\n"
        yield f"{_about(model)}\n"
        yield _table(_own_first(model), "option")


def _own_first(model: type[BaseModel]) -> list[Argument]:
    """The options of a data set; those that others have, too, come last."""
    own = vars(model).get("__annotations__", {})
    return sorted(described(model), key=lambda one: one.name not in own)


def _about(model: type[BaseModel]) -> str:
    """What its file says of a data set, and its class beyond whose options these are."""
    docstring = (sys.modules[model.__module__].__doc__ or "").strip()
    _, _, more = " ".join(summary(model).split()).partition(". ")
    return f"{docstring} {more}".strip()


def _things(found: Mapping[str, type[BaseModel]], default: str = "") -> Iterator[str]:
    """Augmentations, optimizers or schedules: a table of names, arguments with their defaults, and what each is."""
    lines = ["| name | arguments | description |", "|---|---|---|"]
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
        for one in described(model)
    )


def _table(fields: Iterable[Argument], head: str) -> str:
    lines = [f"| {head} | type | default | description |", "|---|---|---|---|"]
    for one in fields:
        default = f"`{one.default}`" if one.default else "none"
        default = "required" if one.default is None else default
        text = one.text.replace("|", "\\|")
        lines.append(f"| `{one.name}` | {one.takes} | {default} | {text} |")
    return "\n".join([*lines, ""])


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


if __name__ == "__main__":
    PAGE.write_text(tasks_page(), encoding="utf-8")
