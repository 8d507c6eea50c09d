"""Routing against its formulas and transformers' routers, experts on their tokens, and the balance loss."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import DeepseekV3Config
from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3TopkRouter
from transformers.models.mixtral.modeling_mixtral import load_balancing_loss_func

from compiler.library.choose_experts import choose_experts
from compiler.library.load_balancing import load_balancing
from compiler.library.run_experts import run_experts
from compiler.op.errors import OpError
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import alike, label, some, type_of, types
from tests.ops.harness import check, infer, tensor

OPTIONS = {
    "scores": st.sampled_from(["softmax", "sigmoid"]),
    "num_groups": st.integers(1, 3),
    "top_groups": st.integers(1, 3),
    "group_best": st.integers(1, 2),
    "norm_topk_prob": st.booleans(),
    "scale": st.sampled_from([0.5, 2.5]),
}


@each("routing")
@given(types(1, 4), st.integers(1, 5), st.booleans(), some(**OPTIONS))
def test_rule(
    op: str, input: TensorType, top_k: int, biased: bool, given: dict[str, Any]
) -> None:
    bias = tensor(f"float[{input.shape[-1]}]") if biased else None
    arguments = {"top_k": top_k, **given}

    def reference(logits: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        groups = given.get("num_groups", 1)
        if groups > 1 and top_k > given.get("top_groups", 1) * (
            logits.shape[-1] // groups
        ):
            raise ValueError("torch would choose experts that are not eligible")
        return choose_experts(logits, bias=bias, **arguments)

    inputs = {"router_logits": input, "bias": bias}
    found = check(op, arguments, inputs, reference=reference)
    if found.outputs:
        experts, weights = found.outputs
        assert weights == input.with_size(-1, top_k)
        assert experts == weights.with_kind("int")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"top_k": 7}, "top_k is 7, but there are 6 experts"),
        ({"top_k": 2, "num_groups": 4}, "must be a multiple of num_groups"),
        (
            {"top_k": 2, "num_groups": 2, "top_groups": 3},
            "top_groups is 3, but there are 2 groups",
        ),
        (
            {"top_k": 2, "num_groups": 2, "group_best": 4},
            "group_best is 4, but there are 3 experts to choose from",
        ),
        (
            {"top_k": 4, "num_groups": 2},
            "top_k is 4, but there are 3 experts to choose from",
        ),
    ],
)
def test_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(OpError, match=message):
        infer("routing", arguments, {"router_logits": tensor("float[B, T, 6]")})


def test_the_number_of_experts_is_known() -> None:
    with pytest.raises(OpError, match="must be known"):
        infer("routing", {"top_k": 2}, {"router_logits": tensor("float[B, T, E]")})


def test_code_and_label() -> None:
    inputs = {"router_logits": tensor("float[2, 3, 6]")}
    arguments = {"top_k": 2, "scores": "sigmoid", "scale": 2.5}
    found = check("routing", arguments, inputs)
    assert found.outputs[1] == tensor("float[2, 3, 2]")
    assert label("routing", arguments, **inputs) == "2 of 6 experts"


@pytest.mark.parametrize("normed", [True, False])
def test_routes_as_deepseek(normed: bool) -> None:
    """Sigmoid scores, a bias for the choice alone, the best groups by their two best, and a scale."""
    torch.manual_seed(0)
    config = DeepseekV3Config(
        hidden_size=6,
        n_routed_experts=8,
        num_experts_per_tok=3,
        n_group=4,
        topk_group=2,
        norm_topk_prob=normed,
        routed_scaling_factor=2.5,
    )
    theirs: Any = DeepseekV3TopkRouter(config)
    nn.init.normal_(theirs.weight)
    nn.init.normal_(theirs.e_score_correction_bias)
    x = torch.randn(5, 7, 6)
    logits, weights, experts = theirs(x)
    found, own = choose_experts(
        logits,
        3,
        bias=theirs.e_score_correction_bias,
        scores="sigmoid",
        num_groups=4,
        top_groups=2,
        norm_topk_prob=normed,
        scale=2.5,
    )
    order = experts.argsort(-1), found.argsort(-1)
    assert torch.equal(found.gather(-1, order[1]), experts.gather(-1, order[0]))
    torch.testing.assert_close(own.gather(-1, order[1]), weights.gather(-1, order[0]))


def test_routes_as_gpt_oss() -> None:
    """The softmax of the largest logits alone is that of all, divided by its sum."""
    logits = torch.randn(5, 6)
    values, chosen = logits.topk(2)
    experts, weights = choose_experts(logits, 2)
    assert torch.equal(experts, chosen)
    torch.testing.assert_close(weights, values.softmax(-1))


class Expert(nn.Module):
    """An expert that counts its calls and the tokens that it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(6, 9), nn.Linear(9, 4)
        self.seen: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.shape[0])
        found: Tensor = self.down(self.up(x).relu())
        return found


def _written_out(
    experts: nn.ModuleList, x: Tensor, chosen: Tensor, weights: Tensor
) -> Tensor:
    """Each expert on all tokens, times the weights that tokens give it."""
    shares = [
        (weights * (chosen == e)).sum(-1, keepdim=True) for e in range(len(experts))
    ]
    return torch.stack([e(x) * s for e, s in zip(experts, shares, strict=True)]).sum(0)


def _drawn(dtype: torch.dtype) -> tuple[nn.ModuleList, Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    experts = nn.ModuleList(Expert() for _ in range(5)).to(dtype)
    x = torch.randn(3, 7, 6, dtype=dtype, requires_grad=True)
    logits = torch.randn(3, 7, 5, dtype=dtype)
    logits[..., 2] = -100  # an expert without tokens
    weights, chosen = logits.softmax(-1).topk(2)
    return experts, x, chosen, weights.requires_grad_()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_experts_are_the_sum_over_all_of_them(dtype: torch.dtype) -> None:
    experts, x, chosen, weights = _drawn(dtype)
    found = run_experts(experts, x, chosen, weights)
    wanted = _written_out(experts, x, chosen, weights)
    torch.testing.assert_close(found, wanted)
    leaves = [x, weights, *experts.parameters()]
    ours = torch.autograd.grad(found.square().sum(), leaves)
    theirs = torch.autograd.grad(wanted.square().sum(), leaves)
    torch.testing.assert_close(ours, theirs)


def test_experts_run_on_their_own_tokens() -> None:
    experts, x, chosen, weights = _drawn(torch.float32)
    with torch.no_grad():
        run_experts(experts, x, chosen, weights)
    seen = [sum(expert.seen) for expert in experts]  # type: ignore[union-attr, arg-type]
    assert seen == chosen.flatten().bincount(minlength=5).tolist()
    assert experts[2].seen == []  # it does not run at all


def test_a_token_may_name_an_expert_twice() -> None:
    experts, x, _, weights = _drawn(torch.float32)
    chosen = torch.full((3, 7, 2), 3)
    found = run_experts(experts, x, chosen, weights)
    torch.testing.assert_close(found, _written_out(experts, x, chosen, weights))


@pytest.mark.parametrize("strict", [True, False])
def test_compiles_and_exports(strict: bool) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Linear(6, 4)
            self.experts = nn.ModuleList(
                nn.Sequential(nn.Linear(6, 5), nn.ReLU()) for _ in range(4)
            )

        def forward(self, x: Tensor) -> Tensor:
            return run_experts(self.experts, x, *choose_experts(self.gate(x), 2))

    ours, x = Net(), torch.randn(3, 7, 6)
    whole = torch.compile(ours, fullgraph=True, backend="eager", dynamic=True)
    torch.testing.assert_close(whole(x), ours(x))
    shapes = ({0: torch.export.Dim("B"), 1: torch.export.Dim("T")},)
    program = torch.export.export(ours, (x,), dynamic_shapes=shapes, strict=strict)
    for batch, steps in [(2, 5), (1, 1)]:
        x = torch.randn(batch, steps, 6)
        torch.testing.assert_close(program.module()(x), ours(x))


def test_without_values_the_costs_are_those_of_the_tokens() -> None:
    experts, x, chosen, weights = _drawn(torch.float32)
    counts = []
    for device in ("cpu", "meta"):
        given = (one.to(device) for one in (x, chosen, weights))
        with FlopCounterMode(display=False) as counter:
            found = run_experts(experts.to(device), *given)
        assert found.shape == (3, 7, 4)
        counts.append(counter.get_total_flops())
    assert counts == [2 * 21 * 2 * (6 * 9 + 9 * 4)] * 2


def test_no_tokens_give_no_outputs() -> None:
    experts = nn.ModuleList(Expert() for _ in range(2))
    x, weights = torch.zeros(0, 3, 6), torch.zeros(0, 3, 1)
    with torch.no_grad():
        found = run_experts(experts, x, weights.long(), weights)
    assert found.shape == (0, 3, 4)


def test_too_few_experts_are_an_error() -> None:
    experts, x, chosen, weights = _drawn(torch.float32)
    with pytest.raises(ValueError, match="zip"):
        run_experts(experts[:3], x, chosen.clamp(min=4), weights)


@each("load_balancing")
@given(types(1, 4), st.booleans(), st.data(), some(top_k=st.integers(1, 5)))
def test_load_balancing(
    op: str,
    input: TensorType,
    masked: bool,
    data: st.DataObject,
    given: dict[str, Any],
) -> None:
    tokens = [int(str(size)) for size in input.shape[:-1]]
    mask = type_of(*data.draw(alike(tokens)), kind="bool") if masked else None
    check(op, given, {"router_logits": input, "mask": mask})


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_balance_has_the_dtype_of_the_network(dtype: torch.dtype) -> None:
    assert load_balancing(torch.randn(2, 3, 4, dtype=dtype), 2).dtype == dtype


def test_a_mask_goes_with_the_tokens() -> None:
    logits = tensor("float[L, B, T, 4]")
    assert infer(
        "load_balancing", {}, {"router_logits": logits, "mask": tensor("bool[B, T]")}
    )
    with pytest.raises(OpError, match="broadcasts to the shape of the tokens"):
        infer(
            "load_balancing",
            {},
            {"router_logits": logits, "mask": tensor("bool[T, B]")},
        )
    with pytest.raises(OpError, match="at most 3 dimensions"):
        infer(
            "load_balancing",
            {},
            {"router_logits": logits, "mask": tensor("bool[1, L, B, T]")},
        )


@pytest.mark.parametrize("masked", [False, True])
def test_balance_of_several_layers_is_that_of_transformers(masked: bool) -> None:
    torch.manual_seed(0)
    logits = 3 * torch.randn(3, 2, 7, 5)
    mask = torch.rand(2, 7) > 0.4 if masked else None
    layers = tuple(layer.flatten(0, 1) for layer in logits)
    wanted = load_balancing_loss_func(
        layers, 5, 2, None if mask is None else mask.long()
    )
    torch.testing.assert_close(load_balancing(logits, 2, mask), wanted)


@given(st.integers(1, 4))
def test_balance_is_that_of_transformers(k: int) -> None:
    torch.manual_seed(k)
    logits = 3 * torch.randn(3, 7, 4)
    wanted = load_balancing_loss_func((logits.flatten(0, -2),), 4, top_k=k)
    torch.testing.assert_close(load_balancing(logits, k), wanted)
