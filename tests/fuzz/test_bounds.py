"""What commands take for large specs is measured, and what is too much is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import bounds
from tests.fuzz.bounds import Cost, run_bounds, table


def test_commands_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MIB", 5_000)
    monkeypatch.setattr(bounds, "_commands", lambda *_: iter([["fmt", "absent.yaml"]]))
    check, fmt = run_bounds(["flat"], tmp_path)
    assert (check.command, check.is_refused, check.misses) == ("check", False, [])
    assert 0 < check.seconds < 20
    assert 10 < check.megabytes < 150, "the memory of this process is not counted"
    assert "absent.yaml" in fmt.answer


def test_what_is_too_much_is_named() -> None:
    right = Cost("flat", 1_000, "check", 0.5, 50, "ok")
    slow = Cost("wide", 2_000, "check", 2.5, 400, "Traceback (most recent call last):")
    assert slow.misses == ["takes 2.5 s", "takes 400 MB", "raises"]
    text = table([right, slow])
    assert "| check | 2 | 1.50 s | 2.50 s | wide | 400 MB |" in text
    assert "- wide, 2,000 bytes: `check` takes 2.5 s and takes 400 MB" in text
    assert table([right]).endswith("0 of these runs miss a bound.\n")
