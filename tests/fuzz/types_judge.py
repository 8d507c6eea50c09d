"""Specs whose classes are compared with inference on types, at many values of the params: `--types`.

A class is validated for the values that the spec was compiled with. Here it is validated for others that its
constructor takes: a difference is a param that should be fixed. No module runs, so that it takes a tenth of the
time; what the compiler and its validator get wrong together is for `judge` to find.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from compiler.diagnostics.diagnostic import SpecError
from compiler.infer.engine import Earlier
from compiler.infer.error_sink import TrialFailed
from compiler.infer.infer import infer
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
    return next(_failing(program, random.Random(seed)), Outcome(OK))


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


def _others(
    typed: TypedGraph, values: Mapping[str, Any], rng: random.Random
) -> Iterator[tuple[dict[str, Any], TypedGraph]]:
    """Settings that compile: each param alone, then several together."""
    spec = typed.graph.spec.model_copy(update={"expect": Expect()})
    graph, earlier = replace(typed.graph, spec=spec), Earlier()
    for number in range(SETTINGS):
        chosen = [*values][number : number + 1]
        if not chosen:
            chosen = [name for name in values if rng.random() < 0.6]
        settings = {name: _drawn(rng, values[name]) for name in chosen}
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
        return rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 12, value + 1, 2 * value, value])
    if isinstance(value, tuple) and rng.random() < 0.6:
        return tuple(rng.choice([3, 4, 5, 6, 8]) for _ in range(rng.choice([1, 2, 3])))
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
