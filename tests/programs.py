"""Programs that are compiled and built once in a process: tests read these, and change none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from torch import nn

from compiler import Program, compile_spec
from runtime.load import build_on_meta, constructor_arguments, load_program

FOLDER = Path(__file__).parents[1] / "specs"
SPECS = sorted(path.stem for path in FOLDER.glob("*.yaml"))


SHALLOW: Mapping[str, Mapping[str, Any]] = {
    "deepseek_v3": {"depth": 4},
    "gpt_oss": {"depth": 2},
    "qwen3_moe": {"depth": 2},
}
"""How deep networks are built whose experts are tens of thousands of modules at full depth."""

CHOSEN = (
    *("bert_classifier", "bloom", "c3d", "clip", "convlstm", "cyclegan"),
    *("deberta_v3", "detector", "detr", "dit", "dlrm", "efficientnet_b0"),
    *("encoder_decoder", "encoder_tagger", "falcon", "gat", "gcn", "gpt2", "gpt_oss"),
    *("gptj", "inception_v3", "jamba", "llama3", "mobilenet_v2", "mobilenet_v3"),
    *("nerf", "opt", "patchtst", "pixelcnn", "pointer_generator", "r3d_18", "reader"),
    *("rwkv4", "shufflenet_v2", "squeezenet", "swin_t", "t5_small", "tcn", "tft"),
    *("transformer", "wavegan", "wavenet", "xlnet", "yolov8"),
)
"""What most tests of architectures run on: all that specs and their modules use, as tests/test_programs.py checks.

The code of every architecture is compared with tests/golden; the others only combine the same in other sizes. They run
in `make test-deep`.
"""

_PROGRAMS: dict[tuple[Path, str, str], Program] = {}


def chosen(cases: Iterable[str | Path] = SPECS) -> list[Any]:
    """Parameters of a test: names or files; of the architectures those in `CHOSEN`, the others are deep."""
    left_out = set(SPECS) - set(CHOSEN)
    deep = pytest.mark.deep
    return [
        pytest.param(case, marks=deep if Path(case).stem in left_out else ())
        for case in cases
    ]


def compiled(
    spec: str | Path, variant: str = "", settings: Mapping[str, Any] | None = None
) -> Program:
    """A spec of the folder by its stem, or a file of the repository, which does not change."""
    file = spec if isinstance(spec, Path) else FOLDER / f"{spec}.yaml"
    key = (file.resolve(), variant, repr(settings or {}))
    if key not in _PROGRAMS:
        _PROGRAMS[key] = compile_spec(file, variant=variant, settings=settings)
    return _PROGRAMS[key]


def shallow(spec: str | Path, variant: str = "") -> Program:
    """A spec at full size, but for the depth of those with many experts."""
    stem = spec.stem if isinstance(spec, Path) else spec
    return compiled(spec, variant, SHALLOW.get(stem))


@cache
def classes(spec: str | Path, variant: str = "") -> Mapping[str, type[nn.Module]]:
    """The generated class of each of its networks."""
    return MappingProxyType(load_program(compiled(spec, variant)))


@cache
def on_meta(spec: str | Path, network: str = "", variant: str = "") -> nn.Module:
    """One of its networks as in `shallow`, in eval mode, from the values that were compiled in."""
    kind = classes(spec, variant)[network]
    instance = shallow(spec, variant).typed.networks[network]
    return build_on_meta(kind, **constructor_arguments(kind, instance)).eval()
