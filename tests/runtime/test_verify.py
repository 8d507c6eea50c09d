"""`verify` finds every way in which a module is not what inference says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from compiler import Program, compile_spec
from compiler.op.errors import OpError
from compiler.symbolic.symbols import NETWORKS, InputDim
from runtime.compare_module import described
from runtime.samples import concrete_shape, sample_inputs, sample_sizes
from runtime.verify import verify, verify_types

SPECS = Path(__file__).parents[2] / "specs"


def _tampered(spec: str, written: str, instead: str) -> Program:
    """A program whose code is not what was compiled."""
    program = compile_spec(SPECS / f"{spec}.yaml")
    assert written in program.python
    other = replace(program)
    vars(other)["python"] = program.python.replace(written, instead)
    return other


def test_a_correct_module_has_no_problems() -> None:
    assert verify_types(compile_spec(SPECS / "cnn.yaml")) == []


def test_another_number_of_parameters() -> None:
    wider = _tampered("cnn", "nn.Linear(84, classes)", "nn.Linear(84, classes, False)")
    assert verify_types(wider) == [
        "CNN has 61696 parameters, but the compiler counts 61706"
    ]


def test_another_shape() -> None:
    problems = verify_types(
        _tampered("cnn", "self.fc3(relu4)", "self.fc3(relu4)[:, 1:]")
    )
    assert len(problems) == 4, "one for each size"
    assert "CNN at B=3 on cpu: logits is torch.float32 [3, 9]" in problems[0]
    assert problems[0].endswith("inference says float[3, 10]")


def test_another_dtype() -> None:
    problems = verify_types(
        _tampered("cnn", "self.fc3(relu4)", "self.fc3(relu4).double()")
    )
    assert "logits is torch.float64 [3, 10]" in problems[0]


@pytest.mark.parametrize(
    ("written", "instead"),
    [("return x, pooled", "return x"), ("return x, pooled", "return x, pooled, x")],
    ids=["too few", "too many"],
)
def test_another_number_of_outputs(written: str, instead: str) -> None:
    problems = verify_types(_tampered("bert", written, instead))
    assert problems[0].startswith("BERT at ")
    assert " on meta: " in problems[0], "it is too large for the CPU"
    assert problems[0].endswith("outputs, but inference says 2")


def test_code_that_raises() -> None:
    problems = verify_types(_tampered("cnn", "pool2.flatten(1)", "pool2.flatten(2)"))
    assert "CNN at B=3 on cpu: " in problems[0]


def test_code_that_cannot_be_built() -> None:
    problems = verify_types(_tampered("cnn", "nn.Linear(84, ", "nn.Linear(-84, "))
    assert problems[0].startswith("CNN cannot be built: ")


def test_every_network_is_verified() -> None:
    wrong = _tampered("gan", "score: Tensor = to_score.flatten(1)", "score = to_score")
    assert all(
        problem.startswith("Discriminator at ") for problem in verify_types(wrong)
    )


NET = """name: Net
params: {width: 4, n: 2, on: true}
inputs: {x: "float[B, T, 4]", mask: "bool[B, T]?"}
layers:
  first: {op: linear, out_features: width, init: {bias: zeros}}
  copies: {op: linear, out_features: width, repeat: n}
  attend: {op: attention, num_heads: 1, in: {query: copies, key: copies, value: copies, mask: mask}}
  norm: layer_norm
  drop: {op: dropout, p: 0.5, when: on}
  sum: {op: add, in: [first, drop]}
"""


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Program:
    path = tmp_path_factory.mktemp("net") / "net.yaml"
    path.write_text(NET)
    return compile_spec(path)


WRITTEN = """from __future__ import annotations
from torch import Tensor, nn
from torch.nn import functional as F, init

class Net(nn.Module):
    def __init__(self, width: int = 4, n: int = 2, on: bool = True) -> None:
        super().__init__()
        if width < 1:
            raise ValueError("width must be at least 1")
        self.first = nn.Linear(4, width)
        self.copies = nn.ModuleList(nn.Linear(width, width) for _ in range(n))
        self.norm = nn.LayerNorm(width)
        self.drop = nn.Dropout(0.5) if on else None
        init.zeros_(self.first.bias)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        first = self.first(x)
        copies = first
        for layer in self.copies:
            copies = layer(copies)
        admitted = None if mask is None else mask[:, None]
        attend = F.scaled_dot_product_attention(copies, copies, copies, admitted)
        norm = self.norm(attend)
        drop = self.drop(norm) if self.drop is not None else norm
        return first + drop
"""
"""The module of the spec as a person wrote it."""


def _verified(program: Program, text: str) -> tuple[str, ...]:
    other = replace(program)
    vars(other)["python"] = text
    return verify(other).problems


def test_a_correct_module_is_verified_with_other_params(net: Program) -> None:
    assert _verified(net, WRITTEN) == ()
    found = verify(net)
    assert found.problems == ()
    assert "Net(n=3): weights, 3 passes with gradients" in found.compared
    assert "Net with on=False: weights, 3 passes with gradients" in found.compared


def test_one_in_some_values_is_compiled(net: Program) -> None:
    def compared(made: str, offset: int) -> list[str]:
        found = verify(net, compile_every=3, offset=offset)
        assert found.problems == ()
        return [one for one in found.compared if one.startswith(made)]

    everything = [one for one in verify(net).compared if one.startswith("Net with ")]
    parts = [compared("Net with ", offset) for offset in range(3)]
    assert sorted(one for part in parts for one in part) == sorted(everything)
    assert len(set(map(tuple, parts))) == 3
    assert compared("Net(", 0) == compared("Net(", 1)


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        ("first + drop", "0.999 * first + drop", "at B=3, T=8: output differs by"),
        ("first + drop", "first.detach() + drop", "gradient of x differs"),
        (
            "Linear(4, width)",
            "Linear(4, 4)",
            "the tensor first.weight is float64[4, 4]",
        ),
        (
            "range(n)",
            "range(2)",
            "Net(n=3): the tensor copies.2.weight of float64[4, 4] is missing",
        ),
        ("mask[:, None]", "None", "at B=3, T=8: output differs by"),
        ("copies = first\n", "copies = x\n", "Net(width=5) at B=3, T=8: raises"),
        (
            "init.zeros_",
            "init.ones_",
            "first.bias is initialised with [1.0], not [0.0]",
        ),
        ("init.zeros_(self.first.bias)", "pass", "first.bias is initialised with mean"),
        ("LayerNorm(width)", "LayerNorm(width, eps=0.1)", "output differs by"),
        ("self.norm(attend)", "F.layer_norm(attend, attend.shape[-1:])", ""),
        ("if on else None", "if not on else None", "Net at B=3, T=8, training: output"),
        ("Dropout(0.5)", "Dropout(0.4)", "Net at B=3, T=8, training: output differs"),
        (
            "mask: Tensor | None = None) -> Tensor:",
            "mask: Tensor | None = None) -> Tensor:\n        mask = None",
            "Net at B=3, T=8: output differs",
        ),
        ("n: int = 2", "n: int = 3", "Net(width=5): the tensor"),
    ],
)
def test_another_computation(
    net: Program, written: str, instead: str, problem: str
) -> None:
    assert written in WRITTEN
    problems = _verified(net, WRITTEN.replace(written, instead))
    assert any(problem in one for one in problems), problems


def test_what_does_not_compile_is_given_inputs_of_its_own_sizes(tmp_path: Path) -> None:
    """With inputs of the compiled sizes the module of width 7 would run: its experts have 7 // 2 features."""
    path = tmp_path / "net.yaml"
    pattern = "b t (h d) -> b h t d"
    path.write_text(
        "name: Net\nparams: {width: 6}\ninputs: {y: 'float[B, T, width]'}\nlayers:\n  a: Apart\n"
        "  e: {op: multihead_attention, num_heads: 2, in: [y, y, y]}\n"
        "blocks: {Apart: {inputs: {x: 'float[N, L, D]'}, layers: {"
        f"r: {{op: rearrange, pattern: '{pattern}', sizes: {{h: 2}}}}}}}}}}\n",
        encoding="utf-8",
    )
    assert verify(compile_spec(path)).problems == ()


def test_what_does_not_compile_is_given_the_smallest_sizes(tmp_path: Path) -> None:
    """Three copies leave a single value of 4 x 8, which torch refuses to normalise, and several of larger images."""
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: Net\nparams: {n: 2}\ndims: {H: {multiple_of: 4}, W: {min: 8}}\n"
        "inputs: {x: 'float[N, 2, H, W]'}\nlayers:\n  c: {op: Halved, repeat: n}\n"
        "blocks: {Halved: {inputs: {x: 'float[N, C, H, W]'}, layers: {"
        "a: {op: conv2d, out_channels: C, kernel_size: 3, stride: 2, padding: 1}, "
        "b: instance_norm2d}}}\n",
        encoding="utf-8",
    )
    assert verify(compile_spec(path)).problems == ()


def test_sample_sizes_are_allowed_and_different() -> None:
    (instance,) = compile_spec(SPECS / "unet.yaml").typed.networks.values()
    samples = [{str(k): v for k, v in one.items()} for one in sample_sizes(instance)]
    assert len(samples) >= 3
    for sizes in samples:
        assert sizes.keys() == {"B", "H", "W"}
        assert sizes["H"] % 16 == sizes["W"] % 16 == 0
    for symbol in ("B", "H", "W"):
        assert len({sizes[symbol] for sizes in samples}) >= 3
    assert any(sizes["H"] != sizes["W"] for sizes in samples)


SEEDS = """\
name: Seeds
params: {width: 8, seeds: 3}
inputs: {x: "float[B, N, width]", mask: "bool[B, N]"}
layers:
  seeds: {op: parameter, shape: [1, seeds, width]}
  spread: {op: expand, shape: [B, seeds, width]}
  attend: {op: attention, num_heads: 2, in: {query: spread, key: x, value: x, mask: mask}}
"""


@pytest.mark.parametrize("seeds", [1, 3, 4, 8])
def test_sizes_of_inputs_are_no_sizes_of_the_network(
    tmp_path: Path, seeds: int
) -> None:
    """A mask of B rows is not taken for one with a row for each query."""
    (tmp_path / "net.yaml").write_text(SEEDS, encoding="utf-8")
    program = compile_spec(tmp_path / "net.yaml", settings={"seeds": seeds})
    assert verify(program).problems == ()


def test_many_symbols_have_different_sizes(tmp_path: Path) -> None:
    names = "ABCDEFG"
    inputs = "".join(f"  {name.lower()}: float[{name}, 4]\n" for name in names)
    text = f"name: Net\ninputs:\n{inputs}layers:\n  sum: {{op: concat, dim: 0, in: [{', '.join(names.lower())}]}}\n"
    (tmp_path / "net.yaml").write_text(text, encoding="utf-8")
    (instance,) = compile_spec(tmp_path / "net.yaml").typed.networks.values()
    for sizes in sample_sizes(instance):
        assert len({*sizes.values(), 4}) == len(names) + 1


def test_an_ops_requirement_is_reported_as_its_message() -> None:
    error = OpError("constraint", "needs 2 rows", "mask", help="unsqueeze it")
    assert described(error) == "OpError: needs 2 rows"
    assert described(replace(error, of_port=True)) == "OpError: mask needs 2 rows"
    assert described(KeyError("mask")) == "KeyError('mask')"


def test_sizes_keep_to_a_maximum() -> None:
    spec, T = SPECS / "gpt2.yaml", InputDim(NETWORKS, "T")
    (instance,) = compile_spec(spec, settings={"context": 2}).typed.networks.values()
    assert {sizes[T] for sizes in sample_sizes(instance)} <= {1, 2}


def test_inputs_have_the_types_that_are_declared() -> None:
    (instance,) = compile_spec(SPECS / "bert.yaml").typed.networks.values()
    sizes = {InputDim(NETWORKS, "B"): 2, InputDim(NETWORKS, "T"): 5}
    tokens, segments, mask = sample_inputs(instance, sizes, "meta")
    assert tokens.shape == segments.shape == mask.shape == (2, 5)
    assert (tokens.dtype, mask.dtype) == (torch.int64, torch.bool)
    assert tokens.device == torch.device("meta")
    states = instance.outputs["states"]
    assert concrete_shape(instance, states, sizes) == [2, 5, 768]
