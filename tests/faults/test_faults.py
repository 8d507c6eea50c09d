"""Specs that once went wrong, each with what must come at its top.

The first line says what the spec is for; each other line of the comment is a check, and all of them must hold:

    # verified                           it compiles, every result is made of it, and `verify` finds nothing
    # verified | error[bad-tie]          that, or this error (of any code without brackets)
    # error[bad-value] at "0.0"          an error whose place is that text; `near` is the line that has it
    # error[...] at "x" without "when"   whose message and help do not say that; `warning` alike
    # weights: a.weight a.bias           the names of the state_dict
    # shape a.weight: 16 24              the shape of one tensor
    # std a.weight: 0.9 1.1              its deviation when it is new lies between
    # parameters: 28                     how many are learned, of module and summary
    # type output: float[B, 3]           the type of an output (alternatives by |), in values if all are known
    # equals: m.l(x) + x                 what the module m gives for its inputs
    # runs in: float64 bfloat16          without a RuntimeError
    # same with n=3                      the constructor with this value is what is compiled with it,
    #                                    or refuses it, or has no such argument and says so
    # refused with n=0                   by check, and by the constructor with a ValueError

After `weights`, `shape`, `equals` may stand `with on=true`: the constructor's, and that of the spec compiled so.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn
from torch.nn import functional

from compiler import Diagnostic, Program, SpecError, compile_spec
from runtime.compare_module import ModuleComparison
from runtime.interpret import Interpreter
from runtime.load import constructor_arguments, load_program
from runtime.samples import random_inputs, sample_sizes
from tests.fuzz.judge import OK, Effort, judge

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
CHECKS = [
    pytest.param(path, line[2:], id=f"{path.stem}: {line[2:]}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for line in path.read_text(encoding="utf-8").split("\nname:")[0].splitlines()[1:]
    if line.startswith("# ")
]
_WITH = re.compile(r"(?P<what>.*?) with (?P<name>\w+)=(?P<value>[^:]+)(?P<rest>:.*)?$")


@pytest.mark.parametrize(("path", "line"), CHECKS)
def test_fault(path: Path, line: str) -> None:
    settings: dict[str, Any] = {}
    if (match := _WITH.match(line)) and not line.startswith("equals:"):
        settings = {match["name"]: yaml.safe_load(match["value"])}
        line = match["what"] + (match["rest"] or "")
    word = re.split(r"[\s:\[]", line)[0]
    rest = line.removeprefix(word).strip(" :")
    if word in ("error", "warning"):
        assert reported(path, word, rest) == "", diagnostics(path)
    elif word == "verified":
        verified(path, rest)
    elif word in ("same", "refused"):
        {"same": same, "refused": refused}[word](path, settings)
    else:
        for module, program in modules(path, settings):
            CHECK[word](module, program, rest)


def diagnostics(path: Path, **settings: Any) -> tuple[Diagnostic, ...]:
    try:
        return compile_spec(path, settings=settings).check()
    except SpecError as error:
        return error.diagnostics


def reported(path: Path, severity: str, line: str) -> str:
    """What is missing of a diagnostic; nothing where it is there."""
    match = re.fullmatch(r'(?:\[(.*?)\])? ?(at|near) "(.*?)"(?: without "(.*)")?', line)
    assert match, line
    code, how, text, without = match.groups()
    body = path.read_text(encoding="utf-8")
    start = body.index(text, body.index("\nname:"))
    row = body.count("\n", 0, start) + 1
    column = start - body.rindex("\n", 0, start)
    for one in diagnostics(path):
        place = one.span.line == row and (how == "near" or one.span.column == column)
        said = f"{one.message} {one.help}"
        if one.severity == severity and code in (None, one.code) and place:
            return f"says {without}" if without and without in said else ""
    return f"there is no {severity} at {row}:{column}"


def verified(path: Path, alternative: str) -> None:
    found = diagnostics(path)
    errors = [one.code for one in found if one.severity == "error"]
    if errors and alternative:
        code = re.search(r"\[(.*)\]", alternative)
        assert code is None or errors[0] == code[1], found
        return
    outcome = judge(
        path.read_text(encoding="utf-8"), effort=Effort(lines=False, compile_every=2)
    )
    assert outcome.kind == OK, f"{outcome.cause}: {outcome.detail}"


def modules(path: Path, settings: Mapping[str, Any]) -> list[tuple[nn.Module, Program]]:
    """The module as it is compiled, with these settings; and where there are some, by the constructor."""
    program = compile_spec(path)
    other = compile_spec(path, settings=dict(settings))
    torch.manual_seed(0)
    kind, (instance,) = load_program(other)[""], other.typed.networks.values()
    found = [(kind(**constructor_arguments(kind, instance)), other)]
    if settings:
        values = {
            k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()
        }
        named = load_program(program)[""]
        if set(values) <= set(inspect.signature(named).parameters):
            found.append((named(**values), other))
        else:  # the class is for the compiled values alone, and says so
            assert all(f"for {name} = " in (named.__doc__ or "") for name in values)
    return found


def same(path: Path, settings: Mapping[str, Any]) -> None:
    """Both are what the interpreter is, or the constructor refuses."""
    try:
        found = modules(path, settings)
    except ValueError:
        return
    for module, program in found:
        (instance,) = program.typed.networks.values()

        def interpreter(
            dtype: torch.dtype, seed: int, program: Program = program
        ) -> Interpreter:
            return Interpreter(program.typed, dtype=dtype, seed=seed)

        comparison = ModuleComparison({"": module}, interpreter)
        assert comparison.compare_state() == {}
        for sizes in sample_sizes(instance):
            assert comparison.compare_pass(instance, sizes) == {}


def refused(path: Path, settings: Mapping[str, Any]) -> None:
    assert any(one.severity == "error" for one in diagnostics(path, **settings))
    with pytest.raises(ValueError, match=r"\w"):
        load_program(compile_spec(path))[""](**settings)


def weights(module: nn.Module, program: Program, names: str) -> None:
    assert [*module.state_dict()] == names.split()


def shape(module: nn.Module, program: Program, line: str) -> None:
    name, _, sizes = line.partition(": ")
    assert [*module.state_dict()[name].shape] == [*map(int, sizes.split())]


def std(module: nn.Module, program: Program, line: str) -> None:
    name, _, bounds = line.partition(": ")
    least, most = map(float, bounds.split())
    assert least <= module.state_dict()[name].std() <= most


def parameters(module: nn.Module, program: Program, number: str) -> None:
    assert sum(p.numel() for p in module.parameters()) == int(number)
    assert program.summary.networks[""].size.parameters == int(number)


def type_of(module: nn.Module, program: Program, line: str) -> None:
    name, _, wanted = line.partition(": ")
    (instance,) = program.typed.networks.values()
    named = instance.outputs[name]
    values = instance.context.values(named)
    known = all(size.constant is not None for size in values.shape)
    assert str(values if known else named) in wanted.split(" | ")


def equals(module: nn.Module, program: Program, line: str) -> None:
    (instance,) = program.typed.networks.values()
    for sizes in sample_sizes(instance):
        inputs = random_inputs(instance, sizes, 3, torch.float64)
        module.double().eval()
        text = line
        if where := re.match(r"where (\w+) = (.*?): (.*)", line):
            inputs[where[1]] = evaluated(where[2], inputs, module)
            text = where[3]
        wanted = evaluated(text, inputs, module)
        torch.testing.assert_close(module(*inputs.values()), wanted)


def evaluated(text: str, inputs: Mapping[str, Any], module: nn.Module) -> Any:
    names = {**inputs, "m": module, "torch": torch, "F": functional}
    return eval(text, names)  # noqa: S307 - of the files beside this one


def runs(module: nn.Module, program: Program, line: str) -> None:
    (instance,) = program.typed.networks.values()
    for name in line.removeprefix("in: ").split():
        dtype = getattr(torch, name)
        inputs = random_inputs(instance, next(sample_sizes(instance)), 3, dtype)
        assert module.to(dtype)(*inputs.values()).dtype == dtype


CHECK = {
    "weights": weights,
    "shape": shape,
    "std": std,
    "parameters": parameters,
    "type": type_of,
    "equals": equals,
    "runs": runs,
}


@pytest.mark.parametrize("limit", [10, 300, 10_000])
def test_an_answer_depends_on_the_input_alone(limit: int) -> None:
    """The same spec under the same limits: in a new process, and where it has been compiled before."""
    lines = (
        "from compiler import Limits, SpecError, compile_spec",
        "def tried(limit):",
        "    try: compile_spec('specs/unet.yaml', limits=Limits(proofs=limit)); return 'ok'",
        "    except SpecError as error: return error.diagnostics[0].code",
        f"first = tried({limit})",
        "compile_spec('specs/unet.yaml')",
        f"print(first, tried({limit}))",
    )
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    first, again = done.stdout.split()
    assert first == again
