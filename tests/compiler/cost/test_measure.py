"""Counts of parameters and FLOPs equal torch's; formulas equal the counts."""

from pathlib import Path

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from compiler import Program, compile_spec
from compiler.cost.at_sizes import at_sizes
from compiler.cost.measure import measure
from compiler.cost.summary import LayerSummary, ScopeSummary, Summary, table
from compiler.diagnostics.diagnostic import RequestError
from compiler.reporting.summary_json import as_json
from runtime.load import build_on_meta, constructor_arguments, load_program
from runtime.samples import sample_inputs, sample_sizes
from tests.generated.networks import small
from tests.programs import CHOSEN, chosen, compiled, shallow


def summary_of(text: str, folder: Path) -> Summary:
    file = folder / "net.yaml"
    file.write_text(text, encoding="utf-8")
    return measure(compile_spec(file).typed)


def row(section: ScopeSummary, path: str) -> LayerSummary:
    name, _, rest = path.partition("/")
    found = next(row for row in section.layers if row.name == name)
    if not rest:
        return found
    assert found.inside is not None
    return row(found.inside, rest)


@pytest.mark.parametrize("name", chosen())
def test_torch_counts_the_same(name: str) -> None:
    """With small params at every size; for a third of the networks also at full size, once."""
    if name in CHOSEN[::3]:
        hold_counts(shallow(name), most=1)
    hold_counts(small(name))


def hold_counts(program: Program, most: int | None = None) -> None:
    for network, kind in load_program(program).items():
        instance = program.typed.networks[network]
        module = build_on_meta(kind, **constructor_arguments(kind, instance)).eval()
        module.requires_grad_(
            False
        )  # torch's counter takes no views of weights that learn
        section = program.summary.networks[network]
        parameters = sum(tensor.numel() for tensor in module.parameters())
        assert section.size.parameters == parameters
        # torch counts no FLOPs for an einsum over a size of 1
        samples = [one for one in sample_sizes(instance) if 1 not in one.values()]
        for sizes in samples[:most]:
            inputs = sample_inputs(instance, sizes, "meta")
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                module(*inputs)
            named = {str(symbol): value for symbol, value in sizes.items()}
            size = at_sizes(program.summary, named).networks[network].size
            assert size.flops == counter.get_total_flops(), sizes


@pytest.mark.parametrize(
    "name", ["mixtral", "qwen3_moe", "jamba", "gpt_oss", "deepseek_v3"]
)
def test_experts_cost_what_they_run(name: str) -> None:
    """With real tokens, which a router sends here and there."""
    program = small(name)
    (kind,) = load_program(program).values()
    instance = program.typed.networks[""]
    module = kind(**constructor_arguments(kind, instance)).eval()
    # torch counts nothing for its fused attention on a processor
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        module(torch.randint(50, (3, 7)))
    size = at_sizes(program.summary, {"B": 3, "T": 7}).networks[""].size
    assert size.flops == counter.get_total_flops()


@pytest.mark.parametrize("name", chosen())
def test_formulas_have_the_values_of_the_counts(name: str) -> None:
    program = compiled(name)
    for network, instance in program.typed.networks.items():
        section = program.summary.networks[network]
        assert section.size.parameters == sum(
            row.size.parameters for row in section.layers
        )
        for one in (section, *section.layers):
            assert one.size.formula is not None
            assert instance.context.value(one.size.formula) == one.size.parameters


def test_formulas_are_in_the_names_of_the_scope() -> None:
    section = compiled("gpt2").summary.networks[""]
    assert str(row(section, "h/mlp/c_fc").size.formula) == "4 * D * D + 4 * D"
    blocks = row(section, "h").size
    assert str(blocks.formula) == "12 * depth * width * width + 13 * depth * width"
    assert str(blocks.flops) == "36864 * B * T * T + 169869312 * B * T"


def test_copies_that_differ_are_listed_apart() -> None:
    section = compiled("resnet50").summary.networks[""]
    layer = row(section, "layer1")
    assert layer.inside is not None
    assert [one.name for one in layer.inside.layers] == ["layer1[0]", "layer1[1:3]"]
    assert [one.count for one in layer.inside.layers] == [1, 2]
    assert row(section, "layer1/layer1[1:3]/downsample").notes == ("off",)
    assert str(layer.size.formula).startswith("17 * depths[0] * width * width")


def test_shared_and_tied_weights_count_once_and_flops_each_time(tmp_path: Path) -> None:
    section = summary_of(
        """
name: Net
inputs: {x: "float[B, 4]"}
layers:
  a: {op: linear, out_features: 4}
  b: {share: a}
  c: {op: linear, out_features: 4, bias: false, tie: {weight: a.weight}}
  d: {op: linear, out_features: 4, repeat: {count: 3, share: true}}
  e: {op: linear, out_features: 4, repeat: 3}
""",
        tmp_path,
    ).networks[""]
    counts = [one.size.parameters for one in section.layers]
    assert counts == [20, 0, 0, 20, 60]
    assert [str(one.size.flops) for one in section.layers] == [
        "32 * B", "32 * B", "32 * B", "96 * B", "96 * B",
    ]  # fmt: skip
    notes = [one.notes for one in section.layers]
    assert notes[1:4] == [
        ("shares a",),
        ("weight tied to a.weight",),
        ("shared weights",),
    ]
    assert section.size.activations == 36 * section.inputs[0].values.shape[0]


def test_a_scan_counts_each_step() -> None:
    section = compiled("elman").summary.networks[""]
    assert str(row(section, "recurrence").size.flops) == "40960 * B * T"
    assert str(row(section, "recurrence/from_input").size.flops) == "8192 * B"


def test_costs_are_as_simple_as_the_multiples_of_sizes_make_them(
    tmp_path: Path,
) -> None:
    """A block does not know that its H is a multiple of 4; the network does."""
    text = """\
name: Net
dims: {H: {multiple_of: 4}}
inputs: {x: "float[B, 1, H, 8]"}
layers:
  halves: {op: Half, repeat: 2}
blocks:
  Half:
    inputs: {x: "float[B, C, H, W]"}
    layers:
      conv: {op: conv2d, out_channels: C, kernel_size: 3, stride: 2, padding: 1}
"""
    size = summary_of(text, tmp_path).networks[""].size
    # 2 · 9 FLOPs for each of H / 2 times 4 and H / 4 times 2 pixels.
    assert str(size.flops) == "45 * B * H"
    assert str(size.activations) == "2 * B * H + 2 * B * (H // 4)"


def test_formulas_too_long_in_the_names_of_a_block(tmp_path: Path) -> None:
    """Each kernel of a block's param adds parts to both sizes: their product is made of what they are."""
    kernels = [f"k{i}" for i in range(8)]
    convs = "\n".join(
        f"      c{i}: {{op: conv2d, out_channels: C, kernel_size: {kernel}, padding: {kernel} // 2, stride: 2}}"
        for i, kernel in enumerate(kernels)
    )
    text = f"""
name: Deep
params: {{k: 3}}
inputs: {{x: "float[B, 2, H, W]"}}
layers:
  deep: {{op: Deep8, {", ".join(f"{kernel}: k" for kernel in kernels)}}}
blocks:
  Deep8:
    params: {{{", ".join(f"{kernel}: int" for kernel in kernels)}}}
    inputs: {{x: "float[B, C, H, W]"}}
    layers:
{convs}
"""
    deep = row(summary_of(text, tmp_path).networks[""], "deep/c7")
    assert str(deep.size.flops) == "72 * B * ((H + 255) // 256) * ((W + 255) // 256)"
    activations = "2 * B * ((H + 255) // 256) * ((W + 255) // 256)"
    assert str(deep.size.activations) == activations


def test_sizes_must_satisfy_dims() -> None:
    unet, gpt2 = (compiled(name).summary for name in ("unet", "gpt2"))
    with pytest.raises(RequestError, match="H must be a multiple of 16, not 24"):
        at_sizes(unet, {"H": 24})
    with pytest.raises(RequestError, match="T must be at most 1024, not 1025"):
        at_sizes(gpt2, {"T": 1025})
    with pytest.raises(RequestError, match="B must be at least 1, not 0"):
        at_sizes(gpt2, {"B": 0})
    with pytest.raises(
        RequestError, match="no input has a dimension S; the symbols are"
    ):
        at_sizes(gpt2, {"S": 1})


def test_symbols_without_a_size_stay() -> None:
    found = at_sizes(compiled("gpt2").summary, {"T": 2})
    section = found.networks[""]
    assert str(section.outputs[0].values) == "float[B, 2, 50257]"
    assert str(section.size.flops) == "494275584 * B"
    assert found.at == {"T": 2}


NESTED = """
name: Deep
params: {depth: 30}
inputs: {x: "float[B, 4]"}
layers:
  a: {op: Twice, depth: depth}
blocks:
  Twice:
    params: {depth: int}
    inputs: {x: "float[B, 4]"}
    layers:
      one: {op: Twice, depth: depth - 1, when: depth > 0}
      two: {op: Twice, depth: depth - 1, when: depth > 0}
      leaf: {op: linear, out_features: 4, when: depth == 0}
"""


def test_two_to_the_thirtieth_layers_cost_thirty(tmp_path: Path) -> None:
    found = summary_of(NESTED, tmp_path)
    assert found.networks[""].size.parameters == 20 * 2**30
    assert len(as_json(found)["sections"]) == 31
    assert len(as_json(at_sizes(found, {"B": 1}))["sections"]) == 31
    assert len(table(found.networks[""])) < 3_000


def test_json_keys_are_stable() -> None:
    data = as_json(compiled("gpt2").summary)
    assert list(data) == ["name", "params", "at", "symbols", "networks", "sections"]
    network = data["networks"][""]
    sizes = ["parameters", "parameters_formula", "flops", "activations"]
    assert list(network) == ["name", "kind", "inputs", "outputs", *sizes, "layers"]
    layer = network["layers"][4]
    assert list(layer) == ["name", "op", "count", "outputs", *sizes, "notes", "inside"]
    assert data["sections"][layer["inside"]]["name"] == "Block"
    assert data["symbols"]["T"] == {"min": 1, "max": 1024, "multiple_of": 1}
    assert network["inputs"] == [
        {"port": "tokens", "type": "int[B, T]", "named": "int[B, T]"}
    ]
