"""Check what a change touches, in under a minute: `make quick`.

The linter, the formatter, the type checker and the walls look at everything, for they are quick. Of
the tests run those of the generated code of every spec (FIRST); then those near the change; then those
of features and mistakes (LAST). Near are tests that changed themselves; tests of changed modules, which
are those with their name (`compiler/infer/scans.py`: `tests/compiler/infer/test_scans.py`) and those
that import them; and the same of the modules that import these: the nearest 30 files. No test
starts when `--seconds` are over: the others are reported as skipped.

What has changed is what git shows since the branch left main, committed or not. `make test` runs all.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PACKAGES = ("compiler", "runtime", "layergraph")
STATIC = ("ruff check .", "ruff format --check .", "mypy", "lint-imports")
FIRST = ["tests/generated/test_golden.py", "tests/test_names.py", "tests/test_walls.py"]
LAST = ["tests/test_features.py", "tests/test_mistakes.py"]
MOST = 30
LEAST_SECONDS = 15
"""For the tests, however long the other checks took."""


def main() -> int:
    """Run the checks; 1 if one of them fails."""
    arguments = argparse.ArgumentParser(prog="make quick")
    arguments.add_argument("--base", default=_base(), help="the commit to compare with")
    arguments.add_argument("--seconds", type=int, default=50, help="for everything")
    chosen, start = arguments.parse_args(), time.perf_counter()
    paths = list(changed(chosen.base))
    near = list(dict.fromkeys(select(paths)))[:MOST]
    tests = dict.fromkeys([*FIRST, *near, *LAST])
    print(
        f"{len(paths)} files differ from {chosen.base}; {len(near)} of tests are near"
    )
    failed = [command for command in STATIC if _failed(*_program(command))]
    left = max(LEAST_SECONDS, chosen.seconds - (time.perf_counter() - start))
    pytest = (sys.executable, "-m", "pytest", "--quiet", f"--budget={left:.0f}")
    if _failed(*pytest, *tests):
        failed.append("pytest")
    print(f"failed: {', '.join(failed)}" if failed else "good")
    return bool(failed)


def changed(base: str) -> Iterator[str]:
    """The files that differ from a commit, those that git does not know yet among them."""
    yield from _git("diff", "--name-only", "--diff-filter=d", base)
    yield from _git("ls-files", "--others", "--exclude-standard")


def select(paths: Iterable[str]) -> Iterator[str]:
    """The test files near changed files, the nearest first."""
    tests, graph = _test_files(), _graph()
    near = [path for path in paths if path.endswith((".py", ".md", ".yaml"))]
    modules = {_module(path) for path in near if path.endswith(".py")}
    yield from (path for path in near if path in tests)
    for path in near:
        yield from _tests_of(path, tests)
    importers = {
        importer
        for module in modules & graph.modules
        for importer in graph.find_modules_that_directly_import(module)
    }
    for importer in sorted(importers):
        yield from _tests_of(f"{importer.replace('.', '/')}.py", tests)


def _tests_of(path: str, tests: dict[str, set[str]]) -> Iterator[str]:
    """The tests of a file: by its name, by what they import, else those in the folder that mirrors its own."""
    file = Path(path)
    named = [one for one in tests if _mirrors(Path(one), file)]
    importing = [one for one, imported in tests.items() if _module(path) in imported]
    yield from named
    yield from importing
    if not named and not importing:
        folder = file.parent.name or "docs"  # the README has its tests there, too
        yield from (one for one in tests if Path(one).parent.name == folder)


def _mirrors(test: Path, file: Path) -> bool:
    """Whether a test has the name of a file, or of the folder of data that it is in."""
    beside = test.parent.name == file.parent.name
    data = any(test == above.parent / f"test_{above.name}.py" for above in file.parents)
    return data or (beside and f"{test.stem}_".startswith(f"test_{file.stem}_"))


@cache
def _test_files() -> dict[str, set[str]]:
    """The files of tests, and what each imports."""
    patterns = ("tests/**/test_*.py", "tests/test_*.py")
    files = sorted(_git("ls-files", "--cached", "--others", *patterns))
    return {file: _imports(ROOT / file) for file in files}


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES)


def _imports(file: Path) -> set[str]:
    """The modules that a file imports, and the names in them, which may be modules."""
    found: set[str] = set()
    if not file.exists():
        return found
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{one.name}" for one in node.names}
    return found


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _base() -> str:
    """Where the branch left main; the last commit, where there is no main."""
    found = list(_git("merge-base", "main", "HEAD", check=False))
    return found[0][:12] if found else "HEAD"


def _git(*arguments: str, check: bool = True) -> Iterator[str]:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=check
    )
    yield from done.stdout.splitlines()


def _failed(*command: str) -> bool:
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(f"{Path(command[0]).name} {time.perf_counter() - start:.1f} s")
    said = (done.stdout + done.stderr).splitlines()
    print("\n".join(said if done.returncode else said[-1:]))
    return bool(done.returncode)


def _program(line: str) -> list[str]:
    """A command line of the environment."""
    name, *arguments = line.split()
    return [str(Path(sys.executable).parent / name), *arguments]


if __name__ == "__main__":
    sys.exit(main())
