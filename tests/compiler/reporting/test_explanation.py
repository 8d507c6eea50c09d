"""Where a layer's type comes from, in words."""

from pathlib import Path

import pytest

from compiler import compile_spec
from compiler.diagnostics.diagnostic import RequestError
from compiler.op.registry import ops
from compiler.reporting.explanation import explain
from tests.programs import compiled


def explained(name: str, path: str) -> str:
    return explain(compile_spec(Path(f"specs/{name}.yaml")).typed, path)


def line(name: str, text: str) -> int:
    """The number of the first line of a spec that starts with a text."""
    lines = Path(f"specs/{name}.yaml").read_text(encoding="utf-8").splitlines()
    return next(n for n, one in enumerate(lines, 1) if one.strip().startswith(text))


def place(name: str, text: str, part: str) -> str:
    """Where a part of a line stands."""
    number = line(name, text)
    lines = Path(f"specs/{name}.yaml").read_text(encoding="utf-8").splitlines()
    column = lines[number - 1].index(text) + text.index(part)
    return f"specs/{name}.yaml:{number}:{column + 1}"


def test_an_op_in_a_block() -> None:
    c_attn = "c_attn: {op: linear, out_features: 3 * D}"
    block = line("gpt2", "CausalSelfAttention:")
    expected = f"""
h.attn.c_attn: linear (torch.nn.Linear), at {place("gpt2", c_attn, "c_attn")}
  in h: block Block × 12
  in attn: block CausalSelfAttention
inputs:
  input: float[B, T, D] = float[B, T, 768]
    from the input x of CausalSelfAttention, at specs/gpt2.yaml:{block + 3}:10
    from ln_1 of Block, at {place("gpt2", "ln_1: layer_norm", "ln_1")}
arguments:
  out_features: 3 * D = 2304, at {place("gpt2", c_attn, "3 * D")}
  bias: true (default)
rule:
  {ops()["linear"].__doc__}
weights:
  weight: [3 * D, D] = [2304, 768]
  bias: [3 * D] = [2304]
outputs:
  output: float[B, T, 3 * D] = float[B, T, 2304]
size:
  parameters: 3 * D * D + 3 * D = 1,771,776
  FLOPs: 3538944 * B * T
  activations: 2304 * B * T"""
    assert explained("gpt2", "h.attn.c_attn") == expected.lstrip()


def test_a_copy_of_a_repeated_layer() -> None:
    first = explained("resnet50", "layer2[0].conv2")
    later = explained("resnet50", "layer2[2].conv2")
    assert "stride: stride = 2, at" in first
    assert "stride: stride = 1, at" in later


def test_a_layer_that_is_off() -> None:
    text = explained("resnet50", "layer2[1].downsample")
    assert "  when stride != 1 or Cin != 4 * planes: off" in text
    assert "it does not run: its output is its first input, unchanged" in text


def test_what_runs_it() -> None:
    assert "  runs along T, a step at a time" in explained("elman", "recurrence")
    assert "  with the weights of embed" in explained("transformer", "embed_target")
    assert "  repeated: depth = 12 copies" in explained("gpt2", "h")


def test_a_layer_of_one_of_several_networks() -> None:
    assert explained("gan", "generator.up1.conv").startswith(
        "generator.up1.conv: conv_tr"
    )


@pytest.mark.parametrize("spec", sorted(Path("specs").glob("*.yaml")), ids=str)
def test_every_layer_can_be_explained(spec: Path) -> None:
    typed = compiled(spec).typed
    for network, instance in typed.networks.items():
        for name in instance.nodes:
            path = f"{network}.{name}" if network else name
            assert explain(typed, path).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("name", "path", "said"),
    [
        ("gpt2", "h.atn", "there is no layer atn in Block; did you mean `attn`?"),
        ("gpt2", "h[12].attn", "there is no copy 12 of h: it has 12"),
        ("gpt2", "wte.weight", "wte holds no layers"),
        ("gpt2", "h..attn", "there is no layer  in Block"),
        ("gpt2", "h[99999999999999]", "there is no layer h[9"),
        ("gan", "up1", "the path starts with a network: generator, discriminator"),
        ("resnet50", "layer2[1].downsample.0", "downsample holds no layers"),
    ],
)
def test_paths_that_lead_nowhere(name: str, path: str, said: str) -> None:
    with pytest.raises(RequestError) as caught:
        explained(name, path)
    assert str(caught.value).startswith(said)
