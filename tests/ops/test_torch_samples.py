"""torch's own samples through one-layer specs: equal numbers, or a refusal with a reason; see docs/soundness.md.

A few samples of each function and module here; all of them with `--deep`, which also
holds the table in the docs to what comes of them. `python -m tests.ops.test_torch_samples` writes it.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.ops.torch_samples import (
    Sample,
    Unmapped,
    function_names,
    function_samples,
    module_names,
    module_samples,
)
from tests.ops.try_samples import Outcome, outcomes
from tests.soundness_page import section, write_section

NAMES = 60
"""Number of functions and modules, about a quarter of them, of which a few samples are tried in every run."""
A_FEW = 3

SECTION = "torch samples"
"""Of docs/soundness.md."""


@dataclass
class Tried:
    """What came of samples: counts by form, reasons by op, and the outcomes that are wrong."""

    forms: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    failures: list[Outcome] = field(default_factory=list)

    def add(self, sample: Sample | Unmapped) -> None:
        """Run a sample in every form."""
        if isinstance(sample, Unmapped):
            self.unmapped[str(sample)] += 1
            return
        for one in outcomes(sample):
            kind = "equal" if one.is_equal else "refused" if one.reason else "failing"
            self.forms[one.form, kind] += 1
            if one.reason and one.form == "in place":
                self.reasons[one.reason.partition(":")[0]] += 1
            if one.failure:
                self.failures.append(one)


def _of(name: str) -> Iterator[Sample | Unmapped]:
    return (
        module_samples(name)
        if name.startswith("nn.") and name in module_names()
        else function_samples(name)
    )


def _spread(names: list[str]) -> list[str]:
    """The names in an order in which neighbours are far apart, the same in every run."""
    return [name for start in range(7) for name in names[start::7]]


def test_a_few_samples_of_each_compute_what_torch_does() -> None:
    warnings.simplefilter("ignore")
    tried = Tried()
    for name in _spread([*function_names(), *module_names()])[:NAMES]:
        for _, sample in zip(range(A_FEW), _of(name), strict=False):
            tried.add(sample)
    assert not tried.failures, f"{tried.failures[0].failure}\n{tried.failures[0].spec}"
    assert tried.forms["in place", "equal"] > 120


@pytest.mark.deep
def test_all_samples_compute_what_torch_does_and_the_docs_say_so() -> None:
    tried = all_tried()
    assert not tried.failures, f"{tried.failures[0].failure}\n{tried.failures[0].spec}"
    assert section(SECTION) == table(tried)


def all_tried() -> Tried:
    """What comes of all samples."""
    warnings.simplefilter("ignore")
    tried = Tried()
    for name in [*function_names(), *module_names()]:
        for sample in _of(name):
            tried.add(sample)
    return tried


def table(tried: Tried) -> str:
    """The section of the docs: counts by form, and why samples are refused."""
    forms = list(dict.fromkeys(form for form, _ in tried.forms))
    lines = ["| arguments | equal | refused | failing |", "|---|---:|---:|---:|"]
    for form in sorted(forms):
        counts = (tried.forms[form, kind] for kind in ("equal", "refused", "failing"))
        lines.append(f"| {form} | {' | '.join(map(str, counts))} |")
    lines += ["", "| why a sample in place is refused | samples |", "|---|---:|"]
    for reason, count in sorted(tried.reasons.items()):
        lines.append(f"| `{reason}` | {count} |")
    lines += ["", "| what no spec can say | samples |", "|---|---:|"]
    for reason, count in sorted(tried.unmapped.items()):
        lines.append(f"| {reason} | {count} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write_section(SECTION, table(all_tried()))
