"""A damaged spec, through every command, gives a result or says what is wrong."""

import pytest

from tests.fuzz.judge import OK, REFUSED
from tests.fuzz.mutants import judge_bytes, judge_mutant, mutated


@pytest.mark.parametrize("seed", range(30))
def test_damaged_specs(seed: int) -> None:
    _, outcome = judge_mutant(seed)
    assert outcome.kind in (OK, REFUSED), f"{outcome.cause}: {outcome.detail}"


def test_a_seed_is_one_file() -> None:
    assert mutated(5) == mutated(5) != mutated(6)


def test_what_is_no_text_is_refused() -> None:
    assert judge_bytes(b"\xff\xfe\x00").cause == "not-utf8"
