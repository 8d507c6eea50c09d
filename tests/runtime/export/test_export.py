"""Exported files compared with the module: at other sizes than those that were traced."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from safetensors.torch import load
from torch import Tensor, nn

from compiler import SpecError, compile_spec
from compiler.diagnostics.diagnostic import RequestError
from compiler.ir.typed import Instance
from compiler.program import Program
from runtime.export.export_source import ExportSource, from_spec
from runtime.export.find_target import find_target
from runtime.load import build_networks
from runtime.samples import sample_inputs, sample_sizes
from runtime.weights import states_bytes

IMAGES = """\
name: Images
dims: {H: {multiple_of: 4}, W: {min: 2, max: 40}}
inputs: {image: "float[B, 2, H, W]"}
layers:
  conv: {op: conv2d, out_channels: 3, kernel_size: 3, padding: 1}
  down: {op: max_pool2d, kernel_size: 2}
  more: {op: conv2d, out_channels: 4, kernel_size: 1, in: down}
  pooled: {op: mean, dim: [2, 3]}
outputs: {features: more, pooled: pooled}
"""
TEXT = """\
name: Text
inputs: {tokens: "int[B, T]", mask: "bool[B, 1, T, T]?"}
layers:
  embed: {op: embedding, num_embeddings: 11, embedding_dim: 8, in: tokens}
  mix: {op: attention, num_heads: 2, is_causal: true, in: {query: embed, key: embed, value: embed, mask: mask}}
  state: {op: gru, hidden_size: 5}
  head: {op: linear, out_features: 11, bias: false, in: state.output}
outputs: {logits: head}
"""
PAIR = """\
name: Pair
networks:
  left: {inputs: {x: "float[B, 4]"}, layers: {fc: {op: linear, out_features: 2}}}
  right: {inputs: {x: "float[B, 4]"}, layers: {fc: {op: linear, out_features: 2}}}
"""
SPECS = {"images": IMAGES, "text": TEXT}

Runner = Callable[[bytes, Instance, Sequence[Tensor]], list[Tensor]]


def _run_onnx(
    data: bytes, instance: Instance, inputs: Sequence[Tensor]
) -> list[Tensor]:
    model = onnx.load_model_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    evaluator = ReferenceEvaluator(model)
    assert evaluator.input_names == list(instance.inputs)
    assert evaluator.output_names == list(instance.outputs)
    given = [tensor.numpy() for tensor in inputs]
    outputs = evaluator.run(None, dict(zip(evaluator.input_names, given, strict=True)))
    return [torch.from_numpy(numpy.asarray(output)) for output in outputs]


def _run_pt2(data: bytes, _: Instance, inputs: Sequence[Tensor]) -> list[Tensor]:
    outputs = torch.export.load(io.BytesIO(data)).module()(*inputs)
    return [outputs] if isinstance(outputs, Tensor) else list(outputs)


@pytest.mark.parametrize(
    ("target", "run"), [("onnx", _run_onnx), ("pt2", _run_pt2)], ids=["onnx", "pt2"]
)
@pytest.mark.parametrize("name", SPECS)
def test_a_program_computes_what_the_module_does(
    tmp_path: Path, name: str, target: str, run: Runner
) -> None:
    program = _program(tmp_path, SPECS[name])
    module = build_networks(program.portable())[""].eval()
    data = find_target(target)(_source(program, {"": module}))
    (instance,) = program.typed.networks.values()
    for sizes in list(sample_sizes(instance))[1:3]:
        inputs = sample_inputs(instance, sizes, "cpu")
        expected = module(*inputs)
        if isinstance(expected, Tensor):
            expected = (expected,)
        for found, wanted in zip(run(data, instance, inputs), expected, strict=True):
            torch.testing.assert_close(found, wanted.detach(), rtol=1e-4, atol=1e-5)


def test_axes_of_onnx_have_the_names_of_the_spec(tmp_path: Path) -> None:
    program = _program(tmp_path, IMAGES)
    model = onnx.load_model_from_string(find_target("onnx")(_from(program)))
    shapes = {
        value.name: [
            axis.dim_param or axis.dim_value
            for axis in value.type.tensor_type.shape.dim
        ]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {
        "image": ["B", 2, "H", "W"],
        "features": ["B", 4, "H // 2", "W // 2"],
        "pooled": ["B", 4],
    }
    assert not any(node.metadata_props for node in model.graph.node)


def test_a_program_has_the_bounds_of_the_spec(tmp_path: Path) -> None:
    data = find_target("pt2")(_from(_program(tmp_path, IMAGES)))
    ranges = torch.export.load(io.BytesIO(data)).range_constraints.values()
    assert (2, 40) in [(one.lower, one.upper) for one in ranges]


def test_weights_of_all_networks_or_one(tmp_path: Path) -> None:
    program = _program(tmp_path, PAIR)
    names = {"fc.weight", "fc.bias"}
    both = load(find_target("safetensors")(_from(program)))
    assert both.keys() == {f"{net}.{key}" for net in ("left", "right") for key in names}
    one = load(find_target("safetensors")(_from(program, network="right")))
    assert one.keys() == {f"right.{key}" for key in names}


def test_published_weights_in_a_program(tmp_path: Path) -> None:
    program = _program(tmp_path, IMAGES)
    module = build_networks(program)[""].eval()
    file = tmp_path / "weights.safetensors"
    file.write_bytes(states_bytes({"": module.state_dict()}, program))
    data = find_target("pt2")(from_spec(program, file, "", ""))
    image = torch.randn(2, 2, 8, 10)
    for found, wanted in zip(_run_pt2(data, None, [image]), module(image), strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("target", ["onnx", "pt2"])
def test_a_program_is_of_one_network(tmp_path: Path, target: str) -> None:
    program = _program(tmp_path, PAIR)
    with pytest.raises(RequestError, match=r"several networks \(left, right\)"):
        find_target(target)(_from(program))
    assert find_target(target)(_from(program, network="left"))


def test_what_torch_cannot_export_is_an_error_of_the_spec(tmp_path: Path) -> None:
    program = _program(tmp_path, IMAGES)

    class Fixed(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return image if image.shape[2] == 16 else image + 1

    with pytest.raises(SpecError) as raised:
        find_target("pt2")(_source(program, {"": Fixed()}))
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "no-export"
    assert (diagnostic.span.at).endswith("net.yaml:3:1")


def test_a_program_that_rejects_the_smallest_sizes_is_an_error(tmp_path: Path) -> None:
    program = _program(tmp_path, IMAGES)

    class AboveOne(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return image + (0 if image.shape[0] > 1 else 1)

    with pytest.raises(SpecError, match="torch cannot export Images for all sizes"):
        find_target("pt2")(_source(program, {"": AboveOne()}))


def test_a_file_of_onnx_is_not_over_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.export.targets.onnx.MAX_BYTES", 100)
    with pytest.raises(RequestError, match=r"an \.onnx file has at most 100"):
        find_target("onnx")(_from(_program(tmp_path, IMAGES)))


def _program(folder: Path, text: str) -> Program:
    file = folder / "net.yaml"
    file.write_text(text)
    return compile_spec(file)


def _from(program: Program, network: str = "") -> ExportSource:
    return from_spec(program, None, network, "")


def _source(program: Program, modules: dict[str, nn.Module]) -> ExportSource:
    return ExportSource(program, lambda: modules, dict)
