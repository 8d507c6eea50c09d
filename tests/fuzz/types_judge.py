"""Specs whose classes are compared with inference on types, at many values of the params: `--types`.

A class is validated for the values that the spec was compiled with. Here it is validated for others that its
constructor takes: a difference is a param that should be fixed. Then constructors get values, on the meta device:
what does not compile they must refuse with a ValueError, else they have the parameters that are counted. No module
runs, so that it takes a tenth of the time; what the compiler and its validator get wrong together `judge` may find.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import nn

from compiler.diagnostics.diagnostic import SpecError
from compiler.infer.engine import Earlier
from compiler.infer.error_sink import TrialFailed
from compiler.infer.infer import infer
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Graph
from compiler.ir.typed import Instance, TypedGraph
from compiler.language.spec import Expect
from compiler.lower.class_ir import ClassIR
from compiler.lower.compare_code import Invalid
from compiler.lower.evaluate_code import Unknown, value_of
from compiler.lower.lower import proven
from compiler.lower.parted import Parted, Unwritten
from compiler.lower.validate import Validator
from compiler.pipeline import compile_spec
from compiler.program import Program
from runtime.load import accepted_params, load_program
from runtime.verify import arguments_at, concerns
from tests.fuzz.judge import DIFFERENCE, EXCEPTION, OK, REFUSED, Outcome
from tests.fuzz.specs import spec_of, text_of

SETTINGS = 8
"""The values of the params that are tried for each spec."""


def judge_types(seed: int) -> tuple[int, Outcome]:
    """What comes of the spec of a seed, with values drawn by the seed."""
    return seed, judge(text_of(spec_of(seed)), seed)


def judge(text: str, seed: int) -> Outcome:
    """Compile a spec, and compare its classes with inference at other values of their arguments."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            program = compile_spec(path)
        except SpecError as error:
            return Outcome(REFUSED, error.diagnostics[0].code)
        try:
            assert program.python
        except SpecError as error:
            said = error.diagnostics[0].message
            return Outcome(EXCEPTION, f"build: {said}", said)
    rng = random.Random(seed)
    found = chain(_failing(program, rng), _accepting(program, rng))
    return next(found, Outcome(OK))


def _failing(program: Program, rng: random.Random) -> Iterator[Outcome]:
    """What goes wrong at other values."""
    classes, constructors = proven(program.typed)
    validator = Validator({id(ir.plan): ir for ir in classes}, constructors)
    networks = {
        name: next(ir for ir in classes if instance.inferred in ir.plan.uses)
        for name, instance in program.typed.networks.items()
    }
    taken = {n for ir in networks.values() for n in constructors.of(ir.plan).params}
    values = {n: v for n, v in program.typed.params.items() if n in taken}
    for settings, typed in _others(program.typed, values, rng):
        for name, ir in networks.items():
            if reason := _difference(validator, ir, typed.networks[name]):
                yield Outcome(DIFFERENCE, "constructor", f"{settings}: {reason}")


def _accepting(program: Program, rng: random.Random) -> Iterator[Outcome]:
    """Where a constructor takes values that do not compile, raises another error, or has other parameters."""
    networks, own = load_program(program), program.typed.networks
    taken = {name for one in own for name in accepted_params(networks[one], own[one])}
    values = {n: v for n, v in program.typed.params.items() if n in taken}
    graph = _unexpecting(program.typed)
    for settings in _settings(values, rng):
        typed = infer(graph, "", settings)
        for name, instance in own.items():
            accepted = accepted_params(networks[name], instance)
            if not settings.keys() <= accepted.keys():
                continue
            refused = [one for one in typed.diagnostics if concerns(one, instance)]
            said = refused[0].message if refused else ""
            module: nn.Module | None = None
            try:
                with torch.device("meta"):
                    module = networks[name](
                        **arguments_at(networks[name], instance, settings)
                    )
            except ValueError:
                continue
            except Exception as error:  # noqa: BLE001
                text = (
                    f"{settings}: {error!r}, where inference says: {said or 'nothing'}"
                )
                yield Outcome(EXCEPTION, f"constructor: {type(error).__name__}", text)
                continue
            if refused:
                code = refused[0].code
                yield Outcome(DIFFERENCE, f"accepted: {code}", f"{settings}: {said}")
            elif not typed.failed:
                counted = ParameterCounter().instance(typed.networks[name])
                number = sum(one.numel() for one in module.parameters())
                if number != counted:
                    text = f"{settings}: {number} parameters, {counted} are counted"
                    yield Outcome(DIFFERENCE, "constructor: parameters", text)


def _unexpecting(typed: TypedGraph) -> Graph:
    """The graph without what its spec expects of the params that it has."""
    spec = typed.graph.spec.model_copy(update={"expect": Expect()})
    return replace(typed.graph, spec=spec)


def _settings(
    values: Mapping[str, Any], rng: random.Random
) -> Iterator[dict[str, Any]]:
    """Each param alone, then several together."""
    for number in range(SETTINGS):
        chosen = [*values][number : number + 1]
        if not chosen:
            chosen = [name for name in values if rng.random() < 0.6]
        yield {name: _drawn(rng, values[name]) for name in chosen}


def _others(
    typed: TypedGraph, values: Mapping[str, Any], rng: random.Random
) -> Iterator[tuple[dict[str, Any], TypedGraph]]:
    """Settings that compile: each param alone, then several together."""
    graph, earlier = _unexpecting(typed), Earlier()
    for settings in _settings(values, rng):
        try:
            found = infer(graph, "", settings, trial=True, earlier=earlier)
        except (SpecError, TrialFailed):
            continue
        if not found.failed:
            yield settings, found


def _drawn(rng: random.Random, value: Any) -> Any:
    """Another value of a param, or the same."""
    if isinstance(value, bool):
        return rng.random() < 0.5
    if isinstance(value, int):
        near = [value + 1, value - 1, 2 * value, value]
        return rng.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, *near])
    if isinstance(value, float):
        return rng.choice([0.0, 0.25, 0.5, 1.0, 2.0, -1.0, value])
    if isinstance(value, tuple) and value and rng.random() < 0.7:
        length = rng.choice([0, 1, 2, 3, 4, len(value), len(value), len(value)])
        if isinstance(value[0], bool) or not isinstance(value[0], int):
            return tuple(_drawn(rng, rng.choice(value)) for _ in range(length))
        return tuple(rng.choice([0, 1, 2, 3, 4, 5, 6, 8]) for _ in range(length))
    return value


def _difference(validator: Validator, ir: ClassIR, use: Instance) -> str:
    """What a class does not do at other values, "" where it does it or its constructor refuses them."""
    if any(_holds(test, use) for test, _ in ir.demands):
        return ""
    try:
        validator.check(ir, use)
    except (Invalid, Parted, Unwritten) as error:
        return str(error)
    return ""


def _holds(test: Any, use: Instance) -> bool:
    try:
        return bool(value_of(test, use.inferred))
    except Unknown:
        return False
