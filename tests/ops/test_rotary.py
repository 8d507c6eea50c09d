"""Rotary position embedding against transformers' own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.gpt_neox.modeling_gpt_neox import (
    apply_rotary_pos_emb as turn_first,
)
from transformers.models.gptj.modeling_gptj import apply_rotary_pos_emb as turn_pairs
from transformers.models.gptj.modeling_gptj import create_sinusoidal_positions
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb as turn

from compiler.library.rotary_embedding import RotaryEmbedding
from compiler.library.scaled_rotary_embedding import scaled_rotary_embedding
from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import Kind, TensorType
from tests.ops.coverage import each
from tests.ops.draws import label, one_line, type_of, types
from tests.ops.harness import check, infer, run, tensor

NUMBERS: tuple[Kind, ...] = ("float", "int")
EVEN = st.integers(1, 6).map(lambda half: 2 * half)
ORIGINAL = "original_max_position_embeddings"
NEEDED: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "linear": st.just({}),
    "dynamic": st.fixed_dictionaries({ORIGINAL: st.integers(2, 40)}),
    "llama3": st.fixed_dictionaries(
        {
            ORIGINAL: st.integers(8, 8192),
            "low_freq_factor": st.floats(0.5, 2.0),
            "high_freq_factor": st.floats(3.0, 8.0),
        }
    ),
    "yarn": st.fixed_dictionaries(
        {ORIGINAL: st.integers(8, 8192)},
        optional={
            "beta_fast": st.floats(4.0, 64.0),
            "beta_slow": st.floats(0.5, 2.0),
            "truncate": st.booleans(),
            "attention_factor": st.floats(0.5, 2.0),
        },
    ),
}


@st.composite
def scalings(draw: st.DrawFn) -> dict[str, Any]:
    scaling = draw(st.sampled_from(sorted(NEEDED)))
    found: dict[str, Any] = {"scaling": scaling, "factor": draw(st.floats(1.0, 16.0))}
    if scaling == "yarn" and draw(st.booleans()):
        found |= {"mscale": 0.7, "mscale_all_dim": draw(st.floats(0.1, 2.0))}
    return found | draw(NEEDED[scaling])


@each("rotary_embedding")
@given(
    types(1, 3, kinds=st.sampled_from(NUMBERS)),
    EVEN,
    st.floats(100.0, 1e6),
    st.just({}) | scalings(),
)
def test_rotary_embedding(
    op: str, input: TensorType, dim: int, base: float, scaling: dict[str, Any]
) -> None:
    if dim == 2 and scaling.get("scaling") == "dynamic":
        dim = 4
    arguments = {"dim": dim, "base": base, **scaling}
    if input.rank == 1 and input.kind == "float":
        with pytest.raises(OpError, match="at least 2 dimensions"):
            infer(op, arguments, {"input": input})
        return
    length = input.shape[-2 if input.kind == "float" else -1]
    found = check(op, arguments, {"input": input})
    assert found.outputs == (type_of(0, dim).with_size(0, length),) * 2


def config(arguments: dict[str, Any], length: int) -> Any:
    """What transformers read of a model's configuration."""
    names = {"scaling": "rope_type", "base": "rope_theta"}
    written = {names.get(key, key): value for key, value in arguments.items()}
    dim = written.pop("dim")
    return SimpleNamespace(
        head_dim=dim,
        hidden_size=dim,
        num_attention_heads=1,
        max_position_embeddings=written.get(ORIGINAL, length),
        rope_parameters={"rope_type": "default", **written},
        standardize_rope_params=lambda: None,
    )


@given(EVEN.filter(lambda dim: dim > 2), st.floats(100.0, 1e6), scalings())
def test_scaled_angles_are_those_of_transformers(
    dim: int, base: float, scaling: dict[str, Any]
) -> None:
    arguments = {"dim": dim, "base": base, **scaling}
    length = 48
    x = torch.zeros(1, length, 4)
    theirs = LlamaRotaryEmbedding(config(arguments, length))(
        x, torch.arange(length)[None]
    )
    ours = run("rotary_embedding", arguments, {"input": x})
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other[0], rtol=0, atol=5e-5)


@given(EVEN.filter(lambda dim: dim > 2), st.floats(100.0, 1e6), scalings())
def test_scaled_frequencies_are_those_of_transformers(
    dim: int, base: float, scaling: dict[str, Any]
) -> None:
    arguments = {"dim": dim, "base": base, **scaling}
    compute = ROPE_INIT_FUNCTIONS[scaling["scaling"]]
    theirs, factor = compute(config(arguments, 48), seq_len=48)
    ours = scaled_rotary_embedding(**arguments)
    found = ours.frequencies(torch.arange(48.0))
    torch.testing.assert_close(found, theirs, rtol=2e-6, atol=1e-9)
    assert getattr(ours, "attention_factor", 1.0) == pytest.approx(factor)


def test_plain_angles_equal_those_of_transformers() -> None:
    x = torch.zeros(2, 100, 8)
    arguments = {"dim": 8, "base": 5e5}
    theirs = LlamaRotaryEmbedding(config(arguments, 100))(x, torch.arange(100)[None])
    ours = run("rotary_embedding", arguments, {"input": x})
    torch.testing.assert_close(ours, tuple(t[0] for t in theirs), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_angles_have_the_type_of_a_float_input(dtype: torch.dtype) -> None:
    rotary = RotaryEmbedding(4)
    found = rotary(torch.zeros(3000, 1))
    cast = rotary(torch.zeros(3000, 1, dtype=dtype))
    assert all(torch.equal(a, b.to(dtype)) for a, b in zip(cast, found, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dim": 3}, "dim must be a multiple of 2"),
        ({"dim": 4, "scaling": "yarn"}, "yarn scaling needs original_max"),
        (
            {"dim": 2, "scaling": "dynamic", ORIGINAL: 8},
            "dynamic scaling needs dim above 2",
        ),
        (
            {"dim": 4, "scaling": "yarn", ORIGINAL: 8, "base": 1.0},
            "a base other than 1",
        ),
    ],
)
def test_rotary_embedding_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(OpError, match=message):
        infer("rotary_embedding", arguments, {"input": tensor("int[B, T]")})


def test_rotary_embedding_as_code() -> None:
    inputs = {"input": tensor("float[2, 3, 8]")}
    found = check("rotary_embedding", {"dim": 4, "base": 5e5}, inputs)
    assert found.construct == "RotaryEmbedding(4, base=500000.0)"
    assert found.forward[0] == "output_0, output_1 = self.layer(input)"
    assert found.source.count("class ") == 1 + len(inputs)
    found = check(
        "rotary_embedding", {"dim": 4, "scaling": "linear", "factor": 2.0}, inputs
    )
    assert found.construct == "LinearRotaryEmbedding(4, factor=2.0)"
    assert "Llama3" not in found.source
    assert label("rotary_embedding", {"dim": 4}, **inputs) == "4 wide"


@st.composite
def turns(draw: st.DrawFn) -> tuple[dict[str, Any], list[int], list[int]]:
    """Arguments, and the shapes of the input and of the angles."""
    batch, steps, heads = (draw(st.integers(1, 4)) for _ in range(3))
    turned, rest = draw(EVEN), draw(st.sampled_from([0, 0, 1, 4]))
    arguments = {"num_heads": heads, "interleaved": draw(st.booleans())}
    if rest or draw(st.booleans()):
        arguments["rotary_dim"] = turned
    width = turned + rest
    shape = draw(st.sampled_from([[heads * width], [heads, width]]))
    angles = draw(st.sampled_from([[], [batch]]))
    return arguments, [batch, steps, *shape], [*angles, steps, turned]


@each("rotate")
@given(turns())
def test_rotate(op: str, case: tuple[dict[str, Any], list[int], list[int]]) -> None:
    arguments, shape, angles = case
    inputs = {"input": type_of(*shape)}
    inputs |= {port: type_of(*angles) for port in ("cos", "sin")}
    assert check(op, arguments, inputs).outputs == (type_of(*shape),)


@given(turns(), st.data())
def test_rotate_is_sound(
    case: tuple[dict[str, Any], list[int], list[int]], data: st.DataObject
) -> None:
    arguments, shape, angles = case
    shapes = {"input": shape, "cos": angles, "sin": list(angles)}
    changed = shapes[data.draw(st.sampled_from(sorted(shapes)))]
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(1, 9))
    inputs = {port: type_of(*sizes) for port, sizes in shapes.items()}
    # with `dims`, what is refused is not compared: torch broadcasts positions at times
    check("rotate", arguments, inputs, dims={"B": 1})


def angles(length: int, dim: int) -> dict[str, Tensor]:
    found = run("rotary_embedding", {"dim": dim}, {"input": torch.zeros(length, 1)})
    return dict(zip(("cos", "sin"), found, strict=True))


@given(turns(), st.randoms(use_true_random=False))
def test_rotate_turns_as_transformers_do(
    case: tuple[dict[str, Any], list[int], list[int]], random: Any
) -> None:
    torch.manual_seed(random.randrange(1000))
    arguments, shape, _ = case
    turned = case[2][-1]
    x = torch.randn(shape)
    found = run("rotate", arguments, {"input": x, **angles(shape[1], turned)})
    heads = x.reshape(*shape[:2], arguments["num_heads"], -1)
    wanted = published(heads, turned, arguments["interleaved"])
    torch.testing.assert_close(found, wanted.reshape(shape), rtol=0, atol=1e-6)


def published(heads: Tensor, turned: int, interleaved: bool) -> Tensor:
    """What transformers make of heads, [B, T, heads, W]."""
    given = angles(heads.shape[1], turned)
    if interleaved:
        table = create_sinusoidal_positions(heads.shape[1], turned)[None]
        sin, cos = table.chunk(2, dim=-1)
        first = turn_pairs(heads[..., :turned], sin, cos)
        return torch.cat((first, heads[..., turned:]), dim=-1)
    cos, sin = given["cos"][None], given["sin"][None]
    kind = turn if heads.shape[-1] == turned else turn_first
    both: tuple[Tensor, Tensor] = kind(heads, heads, cos, sin, unsqueeze_dim=2)
    return both[0]


ANGLES = {"cos": tensor("float[5, 2]"), "sin": tensor("float[5, 2]")}


def test_rotate_as_code() -> None:
    inputs = {"input": tensor("float[2, 5, 8]"), **ANGLES}
    found = check("rotate", {"num_heads": 4}, inputs)
    assert found.forward == ["return rotate(input, cos, sin)"]
    assert found.construct == ""
    found = check("rotate", {"num_heads": 2, "rotary_dim": 2}, inputs)
    assert one_line(found.forward) == (
        "heads_0 = input.unflatten(-1, (2, -1)) "
        "return torch.cat((rotate(heads_0[..., :2], cos, sin), heads_0[..., 2:]), "
        "dim=-1).flatten(-2)"
    )


@pytest.mark.parametrize(
    ("changed", "arguments", "code", "port"),
    [
        ({"input": "float[B, 5]"}, {}, "rank-mismatch", "input"),
        ({"input": "float[B, 5, 6]"}, {}, "constraint", ""),
        ({"input": "float[B, T, 8]"}, {}, "shape-mismatch", "cos"),
        ({"input": "float[B, 5, 16]"}, {}, "shape-mismatch", "cos"),
        ({"input": "float[B, 5, 3, 2]"}, {}, "shape-mismatch", "input"),
        ({"sin": "float[5, 4]"}, {}, "shape-mismatch", "sin"),
        ({"sin": "float[C, 5, 2]"}, {}, "shape-mismatch", "sin"),
        ({"input": "float[B, 5, 12]"}, {}, "constraint", ""),
        ({}, {"rotary_dim": 4}, "constraint", ""),
    ],
)
def test_rotate_refuses(
    changed: dict[str, str], arguments: dict[str, Any], code: str, port: str
) -> None:
    inputs = {"input": tensor("float[B, 5, 8]"), **ANGLES}
    inputs |= {p: tensor(text) for p, text in changed.items()}
    with pytest.raises(OpError) as caught:
        infer("rotate", {"num_heads": 4, **arguments}, inputs)
    assert (caught.value.code, caught.value.port) == (code, port)


def test_rotate_in_symbols() -> None:
    inputs = {
        "input": tensor("float[B, T, D]"),
        "cos": tensor("float[T, R]"),
        "sin": tensor("float[T, R]"),
    }
    hints = {"heads": Dim.of(4), "D": Dim.of(32), "R": Dim.of(8)}
    (output,) = infer("rotate", {"num_heads": "heads"}, inputs, hints)
    assert str(output) == "float[B, T, D]"


def test_label() -> None:
    inputs = {"input": tensor("float[B, 5, 8]"), **ANGLES}
    arguments = {"num_heads": 2, "rotary_dim": 2}
    assert label("rotate", arguments, **inputs) == "2 heads, 2 channels"
