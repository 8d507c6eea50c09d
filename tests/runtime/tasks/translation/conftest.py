"""Every test here makes learners of its own."""

from pathlib import Path
from typing import Any

import pytest
import torch

from compiler.pipeline import compile_spec
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import text_pairs
from runtime.load import build_networks
from runtime.tasks.translation import TranslationLearner
from tests.runtime.tasks.translation.learning import PAIRS, SPEC, Make, fit


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A learner on networks of its own, and its data."""

    def made(task: str = "", dims: str = "", ahead: str = "false") -> Any:
        text = SPEC.replace("TASK", f", {task}" if task else "")
        file = tmp_path / "net.yaml"
        file.write_text(text.replace("DIMS", dims).replace("AHEAD", ahead))
        program = compile_spec(file)
        assert program.task is not None
        options = program.task.data
        data = text_pairs(PAIRS, PAIRS, options.tokens, True, options.facts())
        torch.manual_seed(0)
        networks = build_networks(program)
        types = program.typed.networks
        return TranslationLearner(program.task, types, networks, data.metadata), data

    return made


@pytest.fixture
def trained(make: Make) -> tuple[TranslationLearner, DataSplits]:
    """A learner that knows the pairs by heart."""
    learner, data = make()
    fit(learner, data, 90)
    return learner, data
