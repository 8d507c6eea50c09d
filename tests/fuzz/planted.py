"""Faults planted in lowering, and what notices each: `python -m tests.fuzz.planted --out build/planted.txt`.

Each fault of `planted.yaml` is a change to one file of compiler/lower. It is planted in a process of its own, and specs
are compiled until one is noticed: refused, as validation finds the class wrong; without a param that its constructor
took, as probes find the class wrong at other values; different from the interpreter in `verify`; an exception; or
compiled where no code is right for all uses of a block.
Only specs that run the changed lines are compiled, cheap ones first, and only those whose code the fault changes are
verified.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import multiprocessing
import random
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import torch
import yaml

from tests.soundness_page import write_section

ROOT = Path(__file__).parents[2]
FAULTS = Path(__file__).with_name("planted.yaml")
SEEDS = range(300)
"""The random specs: what the fuzzer compiles in a minute or two."""
COMPILE_SECONDS, VERIFY_SECONDS = 10.0, 25.0
"""Of processor time for each fault, after which no other spec is begun."""
SECONDS = 600.0
"""On the clock, for each fault; one that takes longer is noticed, too: it hangs."""
UNNOTICED, UNREACHED = "nothing", "no spec is compiled to other code"


@dataclass(frozen=True)
class Fault:
    """A change to a file: the text `old`, which stands in it once, becomes `new`."""

    file: str
    fault: str
    old: str
    new: str

    def planted(self) -> str:
        """The text of the file with the fault.

        Raises:
            ValueError: where the text is not in the file, or more than once.
        """
        text = (ROOT / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} has no single place for: {self.fault}")
        return text.replace(self.old, self.new)

    def lines(self) -> range:
        """The lines of the file that it changes."""
        before, old, _ = (ROOT / self.file).read_text("utf-8").partition(self.old)
        first = before.count("\n") + 1
        return range(first, first + old.rstrip("\n").count("\n") + 1)


def faults() -> list[Fault]:
    """All faults of the file."""
    return [Fault(**one) for one in yaml.safe_load(FAULTS.read_text(encoding="utf-8"))]


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from another text."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, fault: Fault) -> None:
        self._name = fault.file.removesuffix(".py").replace("/", ".")
        self._path, self._text = str(ROOT / fault.file), fault.planted()

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        loader = _Loader(fullname, self._path, self._text)
        return importlib.util.spec_from_loader(fullname, loader)


CAUSAL_BLOCK = """
blocks:
  Blk:
    params: {causal: bool}
    inputs: {x: "float[N, L, D]", mask: "bool[N, L]?"}
    layers:
      a:
        {op: attention, num_heads: 1, is_causal: causal, in: {query: x, key: x, value: x, mask: mask}}
      s: {op: add, in: [x, a]}
"""
CHOOSING_BLOCK = """
blocks:
  Blk:
    params: {first: bool, second: false}
    inputs: {x: "float[B, D]"}
    layers:
      act: {choose: [{when: first, op: relu}, {op: tanh}]}
      fc: {op: linear, out_features: D}
      more: {choose: [{when: second, op: sigmoid}, {op: softmax, dim: -1}]}
"""


def _choosing(copies: int, first: str, second: str, *more: str) -> str:
    layer = f"{{op: Blk, first: {first}, second: {second}, repeat: n}}"
    lines = "".join(f"  {line}\n" for line in more)
    text = f"params: {{n: {copies}}}\ninputs: {{x: 'float[B, 4]'}}\nlayers:\n  a: {layer}\n{lines}"
    return text + CHOOSING_BLOCK


MORE = {
    "two_choices": _choosing(6, "i % 2 == 0", "i % 3 == 0"),
    "two_choices_that_meet_later": _choosing(4, "i % 2 == 1", "i % 3 == 2"),
    "a_choice_that_comes_later": _choosing(3, "i == 5", "false"),
    "a_combination_that_comes_later": _choosing(3, "i % 4 == 0", "i % 5 == 0"),
    "a_combination_after_both_have_settled": _choosing(2, "i == 1", "i % 2 == 0"),
    "choices_again": _choosing(2, "i == 1", "false", "again: {share: a}"),
    "a_width_that_comes_later": """
params: {n: 3}
inputs: {x: "float[B, 4]"}
layers:
  a:
    repeat: n
    in: {one: x}
    layers:
      more: {op: concat, dim: -1, in: [one, one], when: i % 9 == 5, else: one}
      norm: {op: layer_norm, in: more}
""",
    "two_classes": """
params: {wide: 3}
inputs: {x: "float[B, T, 8]", mask: "bool[B, T]?"}
layers: {b: {op: Blk, causal: i % 2 == 0, repeat: wide, in: {x: x, mask: mask}}}
"""
    + CAUSAL_BLOCK,
    "two_conditions": """
inputs: {x: "float[B, T, 8]", mask: "bool[B, T]?"}
layers:
  a: {op: Blk, causal: i % 2 == 0, repeat: 3, in: {x: x, mask: mask}}
  b: {op: Blk, causal: i > 0, repeat: 3, in: {x: a, mask: mask}}
"""
    + CAUSAL_BLOCK,
    "concat_in_copies": """
inputs: {x: "float[B, 4]", y: "float[B, 3]"}
layers:
  c: {op: concat, dim: -1, in: [x, y], repeat: 2}
  l: {op: linear, out_features: 2}
""",
    "irregular_sizes": """
inputs: {x: "float[B, 8]"}
layers: {a: {op: linear, out_features: "4 if i < 3 else 6 if i < 4 else 5", repeat: 6}}
""",
    "irregular_sizes_of_several_copies": """
inputs: {x: "float[B, 4]", y: "float[B, 3]"}
layers: {g: {op: Blk, more: i == 3 or i == 7, repeat: 9, in: [x, y]}}
blocks:
  Blk:
    params: {more: bool}
    inputs: {x: "float[B, D]", y: "float[B, E]"}
    layers:
      w: {op: linear, out_features: D, in: x}
      c: {op: concat, dim: -1, in: [w, y], when: more}
""",
    "tied_head": """
params: {vocab: 9, width: 16}
inputs: {t: "int[B, T]"}
layers:
  wte: {op: embedding, num_embeddings: vocab, embedding_dim: width}
  head: {op: linear, out_features: vocab, bias: false, tie: {weight: wte.weight}}
init: {embedding: {weight: {normal: {std: 0.5}}}, linear: {weight: zeros}}
""",
    "own_rules": """
params: {width: 16}
inputs: {x: "float[B, width]"}
layers:
  a: {op: linear, out_features: width, init: {weight: ones}}
  b: {op: Blk, repeat: 2}
init: {linear: {weight: zeros, bias: {constant: 0.5}}}
blocks:
  Blk:
    inputs: {x: "float[B, D]"}
    layers: {l: {op: linear, out_features: D, init: {weight: ones}}, c: tanh}
""",
    "parametrized": """
inputs: {x: "float[B, 8]"}
layers:
  a: {op: linear, out_features: 8, parametrize: {weight_norm: {name: weight}}}
  b: {op: gru_cell, hidden_size: 8, parametrize: {weight_norm: {name: weight_hh}}}
""",
    "overwriting": """
inputs: {x: "float[B, 8]"}
layers:
  l: {layers: [tanh, relu]}
  a: tanh
  r: relu
  b: {op: linear, out_features: 8}
  q: relu
  s: {op: add, in: [b, q]}
""",
    "behind_dots": """
inputs: {x: "float[B, 2, T, 4]", y: "float[B, T, 4]"}
layers: {b: {op: Blk, in: x}, c: {op: Blk, in: y}}
outputs: {b: b, c: c}
blocks:
  Blk:
    inputs: {x: "float[..., N, D]"}
    layers: {s: {op: slice, dim: -2, start: N - 1, stop: N}, l: {op: linear, out_features: D}}
""",
    "loop_variables_taken": """
inputs: {layer: "float[B, 4]", module: "float[B, 4]"}
layers:
  d: {op: linear, out_features: 4, repeat: 2, in: layer}
  s: {op: add, in: [d, layer, module]}
""",
    "otherwise": """
params: {again: false, on: true, width: 6}
inputs: {x: "float[B, 4]"}
layers:
  a: {op: linear, out_features: width}
  c: {op: concat, dim: -1, in: [x, a], when: again, else: a}
  d: {op: linear, out_features: 3}
  other: {op: linear, out_features: 3, in: x}
  f: {op: tanh, in: d, when: on, else: other}
  e: {op: concat, dim: -1, in: [x, f], when: 1 > 2, else: f}
  g: sin
""",
    "copies_under_a_condition": """
params: {n: 2, on: true}
inputs: {x: "float[B, 4]"}
layers:
  a: {op: linear, out_features: 4, repeat: n, when: on}
  b: {op: Blk, repeat: 2, when: not on}
blocks:
  Blk:
    inputs: {x: "float[B, D]"}
    layers: {l: {op: linear, out_features: D}, t: tanh}
""",
    "optional_inputs_apart": """
inputs: {x: "float[B, T, 4]", mask: "bool[B, T]", bias: "float[B, 1, T, T]"}
layers:
  a: {op: Blk, in: {x: x, mask: mask}}
  b: {op: Blk, in: {x: a, bias: bias}}
blocks:
  Blk:
    inputs: {x: "float[N, L, D]", mask: "bool[N, L]?", bias: "float[N, 1, L, L]?"}
    layers:
      a: {op: attention, num_heads: 1, in: {query: x, key: x, value: x, mask: mask, bias: bias}}
""",
    "size_of_an_optional_input": """
inputs: {x: "float[B, 2 * T, 4]", mask: "bool[B, T]?"}
layers:
  h: {op: slice, dim: 1, start: 0, stop: T}
  a: {op: attention, num_heads: 1, in: {query: h, key: h, value: h, mask: mask}}
""",
    "grows_after_the_first_copy": """
inputs: {x: "float[B, 5]", y: "float[B, 3]"}
layers:
  g: {op: Blk, first: i == 0, repeat: 4, in: [x, y]}
  l: {op: linear, out_features: 2}
blocks:
  Blk:
    params: {first: bool}
    inputs: {x: "float[B, D]", y: "float[B, E]"}
    layers:
      w: {op: linear, out_features: D, in: x}
      f: {op: linear, out_features: 4, when: first}
      c: {op: concat, dim: -1, in: [f, y]}
""",
    "shared_copies_counted": """
params: {n: 2}
inputs: {x: "float[B, 4]"}
layers:
  a: {op: linear, out_features: 4, repeat: {count: n - 1, share: true}}
""",
    "solved_sizes": """
inputs: {x: "float[B, 2 * N, 3 * M - 1]"}
layers:
  a: {op: slice, dim: 1, start: 0, stop: N}
  b: {op: slice, dim: 2, start: 0, stop: M}
""",
}
"""Specs of what others have rarely."""


def corpus(folder: Path) -> Iterator[Path]:
    """All specs; the random ones are in `folder`."""
    yield from sorted((ROOT / "tests/features").glob("*.yaml"))
    yield from refused()
    yield from sorted(folder.glob("*.yaml"))
    yield from sorted((ROOT / "specs").glob("*.yaml"))


def refused() -> Iterator[Path]:
    """The specs of which lowering says that no code is right."""
    for path in sorted((ROOT / "tests/mistakes").rglob("*.yaml")):
        if "# error[no-code]" in path.read_text(encoding="utf-8"):
            yield path


def _write_random(folder: Path) -> None:
    from tests.fuzz.specs import spec_of, text_of

    for name, body in MORE.items():
        text = f"name: Net\n{body.strip()}\n"
        (folder / f"more_{name}.yaml").write_text(text, encoding="utf-8")
    for seed in SEEDS:
        path = folder / f"seed_{seed:04}.yaml"
        path.write_text(text_of(spec_of(seed)), encoding="utf-8")


@dataclass(frozen=True)
class Code:
    """What a spec is compiled to; "" where it is refused."""

    python: str
    params: tuple[str, ...] = ()
    """The arguments of its networks' constructors."""
    seconds: float = 0.0
    reached: frozenset[Fault] = frozenset()
    """The faults whose lines run when it is compiled."""


def compiled(path: Path) -> tuple[Code, Any]:
    """The code of a spec, and its program."""
    from compiler.diagnostics.diagnostic import SpecError
    from compiler.pipeline import compile_spec

    start = time.process_time()
    try:
        program = compile_spec(path)
        python = program.python
    except SpecError:
        return Code(""), None
    params = [
        name
        for network in program.typed.networks.values()
        for name in _params(python, network.scope.name)
    ]
    return Code(python, tuple(params), time.process_time() - start), program


def _params(python: str, network: str) -> list[str]:
    """The arguments of a network's constructor."""
    _, _, text = python.partition(f"class {network}(")
    head = re.search(
        r"def __init__\((.*?)\) -> None", text.partition("\nclass ")[0], re.DOTALL
    )
    return re.findall(r"(\w+):", head[1]) if head else []


class _Reach:
    """Finds the faults whose lines run."""

    def __init__(self, planted: Sequence[Fault]) -> None:
        self.found: set[Fault] = set()
        self._lines: dict[tuple[str, int], list[Fault]] = defaultdict(list)
        for fault in planted:
            for line in fault.lines():
                self._lines[str(ROOT / fault.file), line].append(fault)
        self._has_some: dict[CodeType, bool] = {}

    def __call__(self, frame: FrameType, event: str, _: object) -> Any:
        """A tracer for `sys.settrace`."""
        if event == "line":
            place = (frame.f_code.co_filename, frame.f_lineno)
            self.found.update(self._lines.get(place, ()))
            return self
        return self if self._is_of_interest(frame.f_code) else None

    def _is_of_interest(self, code: CodeType) -> bool:
        if code not in self._has_some:
            lines = {(code.co_filename, line) for *_, line in code.co_lines() if line}
            self._has_some[code] = not self._lines.keys().isdisjoint(lines)
        return self._has_some[code]


def _right(folder: Path, planted: Sequence[Fault]) -> dict[Path, Code]:
    """What each spec is compiled to without a fault, and what it reaches."""
    found = {}
    wrong = {*refused()}
    for path in corpus(folder):
        reach = _Reach(planted)
        sys.settrace(reach)
        code, _ = compiled(path)
        sys.settrace(None)
        if bool(code.python) is (path not in wrong):
            found[path] = replace(code, reached=frozenset(reach.found))
    return found


@dataclass(frozen=True)
class Noticed:
    """What notices a fault, and the spec with which it does; no spec where nothing does."""

    what: str
    spec: Path | None = None

    def __str__(self) -> str:
        return self.what if self.spec is None else f"{self.what} ({self.spec.stem})"


def noticed(fault: Fault, right: Mapping[Path, Code]) -> Noticed:
    """What notices a fault, in a process that has not imported lowering."""
    sys.meta_path.insert(0, _Finder(fault))
    start = time.process_time()
    reached = [path for path in right if fault in right[path].reached] or [*right]
    changed, wrong = [], {*refused()}
    for path in sorted(reached, key=lambda one: right[one].seconds):
        if time.process_time() - start > COMPILE_SECONDS:
            break
        try:
            code, program = compiled(path)
        except Exception as error:  # noqa: BLE001 - any is what notices it
            return Noticed(f"an exception: {type(error).__name__}", path)
        if path in wrong:
            if code.python:
                return Noticed("it is compiled, and must be refused", path)
            continue
        if not code.python:
            return Noticed("validation: refused", path)
        if len(code.params) < len(right[path].params):
            return Noticed("probes: a param is fixed", path)
        if code.python != right[path].python:
            changed.append((path, program))
    if not changed:
        return Noticed(f"{UNREACHED}: {len(reached)} compiled")
    return _difference(changed)


def _difference(programs: Sequence[tuple[Path, Any]]) -> Noticed:
    """The first difference that `verify` finds, in the smallest specs first."""
    start, verified = time.process_time(), 0
    for path, program in sorted(programs, key=lambda one: len(one[1].python)):
        if time.process_time() - start > VERIFY_SECONDS:
            break
        if problem := _problem(program):
            return Noticed(problem, path)
        verified += 1
    return Noticed(f"{UNNOTICED}: {verified} of {len(programs)} verified")


def _problem(program: Any) -> str:
    """What `verify` says of a program; "" where it finds nothing."""
    from runtime.verify import verify

    try:
        problems = verify(program).problems
    except Exception as error:  # noqa: BLE001
        return f"an exception: {type(error).__name__}"
    return f"verify: {problems[0][:90]}" if problems else ""


def _is_wrong(path: Path) -> bool:
    """Whether `verify` finds something without a fault, too."""
    return bool(_problem(compiled(path)[1]))


def _try(fault: Fault, right: dict[Path, Code]) -> Noticed:
    """Plant a fault. What is wrong without it is left out of `right`, and notices nothing."""
    while True:
        found = _child(noticed, fault, right, seconds=SECONDS)
        if found is None:
            return Noticed("it hangs, or ends")
        if found.spec is None or not found.what.startswith("verify"):
            return found
        if not _child(_is_wrong, found.spec):
            return found
        del right[found.spec]


def _child(task: Any, *arguments: Any, seconds: float | None = None) -> Any:
    """What a function gives in a process of its own; None where it takes too long."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)

    def run() -> None:
        torch.set_num_threads(1)
        theirs.send(task(*arguments))
        theirs.close()

    process = context.Process(target=run)
    process.start()
    theirs.close()
    try:
        return mine.recv() if mine.poll(seconds) else None
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a part of the names of faults")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--out", type=Path, default=Path("build/planted.txt"))
    parser.add_argument("--least", type=float, default=0.95, help="share to notice")
    options = parser.parse_args(arguments)
    _import_what_comes_before()
    planted = [one for one in faults() if options.only in f"{one.file} {one.fault}"]
    random.Random(0).shuffle(planted)  # so that a part of them is a fair one
    end = time.monotonic() + 60 * options.minutes
    results: dict[Fault, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _child(_write_random, folder)
        right = _child(_right, folder, planted)
        assert right is not None, "without a fault, too, a spec cannot be compiled"
        for fault in planted:
            start = time.monotonic()
            if start > end:
                break
            results[fault] = str(_try(fault, right))
            seconds = time.monotonic() - start
            sys.stdout.write(f"{_line(fault, results[fault])} {seconds:.0f} s\n")
            sys.stdout.flush()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    lines = [_line(fault, what) for fault, what in sorted(results.items(), key=str)]
    lines.append(table(results))
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(lines[-1])
    if len(results) == len(faults()):
        write_section("planted faults", table(results))
    return _share(results) < options.least


def _line(fault: Fault, what: str) -> str:
    return f"{fault.file.rpartition('/')[2]:20} {fault.fault:55} {what}"


def _share(results: Mapping[Fault, str]) -> float:
    missed = [one for one in results.values() if one.startswith((UNNOTICED, UNREACHED))]
    return 1 - len(missed) / max(len(results), 1)


def table(results: Mapping[Fault, str]) -> str:
    """The section of the docs: how many faults each check notices, and which none does."""
    counts = Counter(what.partition(":")[0] for what in results.values())
    lines = ["| noticed by | faults |", "|---|---:|"]
    lines += [f"| {what} | {number} |" for what, number in counts.most_common()]
    lines += ["", f"{_share(results):.1%} of {len(results)} faults are noticed."]
    for fault, what in sorted(results.items(), key=str):
        if what.startswith((UNNOTICED, UNREACHED)):
            lines.append(f"Not noticed: {fault.fault} (`{fault.file}`).")
    return "\n".join(lines) + "\n"


def _import_what_comes_before() -> None:
    """Import the stages before lowering once, for all processes."""
    import compiler.infer.infer
    from compiler.op.registry import ops

    ops()
    assert not any(name.startswith("compiler.lower") for name in sys.modules)
    assert compiler.infer.infer is not None


if __name__ == "__main__":
    sys.exit(main())
