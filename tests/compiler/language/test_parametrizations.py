"""`parametrize`, held against torch's own: the tensors of the state, the numbers, and one graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from compiler import Program, compile_spec
from runtime.load import build_networks

LAYERS: dict[str, tuple[str, nn.Module]] = {
    "linear": ("linear, out_features: 6", nn.Linear(4, 6)),
    "conv1d": ("conv1d, out_channels: 6, kernel_size: 3", nn.Conv1d(4, 6, 3)),
    "conv_transpose1d": (
        "conv_transpose1d, out_channels: 6, kernel_size: 3",
        nn.ConvTranspose1d(4, 6, 3),
    ),
}
KINDS = ["weight_norm", "spectral_norm"]


def spec_of(layer: str, parametrize: str, folder: Path) -> Program:
    flat = layer.startswith("linear")
    input = "float[B, 4]" if flat else "float[B, 4, T]"
    dims = "" if flat else "dims: {T: {min: 8}}\n"
    file = folder / "net.yaml"
    file.write_text(
        f"name: Net\n{dims}inputs:\n  x: {input}\n"
        f"layers:\n  fc: {{op: {layer}, parametrize: {parametrize}}}\n"
    )
    return compile_spec(file)


@pytest.mark.parametrize("dim", [None, 0, 1])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", LAYERS)
def test_equals_torch(layer: str, kind: str, dim: int | None, tmp_path: Path) -> None:
    written, module = LAYERS[layer]
    options: dict[str, Any] = {} if dim is None else {"dim": dim}
    given = kind if dim is None else f"{{{kind}: {{dim: {dim}}}}}"
    program = spec_of(written, given, tmp_path)
    (call,) = program.typed.networks[""].nodes["fc"].calls
    torch.manual_seed(0)
    ours = build_networks(program)[""]
    torch.manual_seed(0)
    own = type(module)(4, 6) if layer == "linear" else type(module)(4, 6, 3)  # type: ignore[call-arg]
    theirs = getattr(parametrizations, kind)(own, **options)
    learned = {name: tuple(t.shape) for name, t in theirs.named_parameters()}
    fixed = {name: tuple(t.shape) for name, t in theirs.named_buffers()}
    assert _numbers(call.weights) == learned
    assert _numbers(call.buffers) == fixed
    ours.load_state_dict({f"fc.{k}": v for k, v in theirs.state_dict().items()})
    x = torch.randn(2, 4) if layer == "linear" else torch.randn(2, 4, 9)
    for mode in (True, False):
        assert torch.equal(ours.train(mode)(x), theirs.train(mode)(x))
    assert program.summary.networks[""].size.parameters == sum(
        t.numel() for t in theirs.parameters()
    )


@pytest.mark.filterwarnings("ignore:While compiling, we found certain side effects")
@pytest.mark.parametrize("kind", KINDS)
def test_is_one_graph(kind: str, tmp_path: Path) -> None:
    model = build_networks(spec_of(LAYERS["conv1d"][0], kind, tmp_path))[""]
    x = torch.randn(2, 4, 9)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    compiled(x).sum().backward()
    assert torch.equal(compiled.eval()(x), model.eval()(x))
    sizes = ({0: torch.export.Dim("B"), 2: torch.export.Dim("T", min=8)},)
    exported = torch.export.export(model, (x,), dynamic_shapes=sizes).module()
    other = torch.randn(3, 4, 12)
    assert torch.allclose(exported(other), model(other), atol=1e-6)


def _numbers(shapes: Any) -> dict[str, tuple[int, ...]]:
    return {k: tuple(int(s.constant) for s in shape) for k, shape in shapes.items()}
