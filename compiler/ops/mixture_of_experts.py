"""Mixtures of experts."""

from __future__ import annotations

from typing import Literal

from compiler.codegen.python import Expr, Name, call
from compiler.op import errors
from compiler.op.arg_types import Size
from compiler.op.context import Context
from compiler.op.op import Code, Op, Outputs, Port, Shape, product
from compiler.op.registry import register
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("mixture_of_experts", torch="")
class MixtureOfExperts(Op):
    """The sum of top_k of num_experts feed-forward networks: float[..., D] -> the same.

    `router_logits`, float[..., num_experts], are a linear layer of the input; the
    `top_k` experts of the greatest probabilities (their softmax, in float32) count by
    these, which add up to 1 with `norm_topk_prob` (Mixtral; Qwen-MoE and Switch have
    none). An expert is down(activation(gate(x)) * up(x)), hidden_features wide, or
    down(activation(up(x))) if not `gated`. `balance`, float[], is Switch's loss of load
    balancing: top_k where all experts are used alike, and more where not.

    Tokens are sorted by expert and each expert runs once, on its own; a graph of
    torch.compile or torch.export, which cannot depend on what is chosen, runs every
    expert on every token. The weights are those of transformers' MixtralSparseMoeBlock.
    Source: Shazeer et al., "Outrageously Large Neural Networks", 2017; Fedus et al.,
    "Switch Transformers", 2022.
    """

    hidden_features: Size
    num_experts: Size
    top_k: Size = Dim.of(2)
    norm_topk_prob: bool = True
    activation: Literal["silu", "gelu", "relu"] = "silu"
    gated: bool = True

    family = "linear"
    module = "MixtureOfExperts"
    library = "mixture_of_experts"
    positional = ("hidden_features", "num_experts")
    chains = False
    outputs = ("output", "router_logits", "balance")

    def infer(self, ctx: Context, input: TensorType) -> Outputs:
        ctx.require_least_rank("input", input, 2)
        ctx.constant(input.shape[-1], "the input's width")
        _require_experts(ctx, self.top_k, self.num_experts)
        return input, input.with_size(-1, self.num_experts), input.with_shape()

    def inferred(self, input: TensorType) -> dict[str, Dim]:
        return {"in_features": input.shape[-1]}

    @property
    def _up(self) -> Dim:
        return self.hidden_features * (2 if self.gated else 1)

    def weights(self, input: TensorType) -> dict[str, Shape]:
        width = input.shape[-1]
        up = "experts.gate_up_proj" if self.gated else "experts.up_proj"
        return {
            "gate.weight": (self.num_experts, width),
            up: (self.num_experts, self._up, width),
            "experts.down_proj": (self.num_experts, width, self.hidden_features),
        }

    def flops(self, outputs: tuple[TensorType, ...], input: TensorType) -> Dim:
        tokens = product(input.shape[:-1])
        expert = (self._up + self.hidden_features) * self.top_k
        return tokens * 2 * input.shape[-1] * (self.num_experts + expert)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{ctx.value(self.top_k)} of {ctx.value(self.num_experts)} experts"

    def keywords(self, code: Code) -> dict[str, Expr]:
        found = super().keywords(code)
        if "activation" in found:
            found["activation"] = self._activation(code)
        return found

    def _activation(self, code: Code) -> Expr:
        if code.chosen("activation"):
            return call("getattr", Name("F"), code.argument("activation"))
        return Name(f"F.{self.activation}")


def _require_experts(ctx: Context, top_k: Dim, experts: Dim) -> None:
    if not ctx.domain.at_least(ctx.value(experts - top_k), 0):
        message = (
            f"top_k is {ctx.value(top_k)}, and there are {ctx.value(experts)} experts"
        )
        raise errors.constraint(message, argument="top_k")


@register("load_balancing", torch="")
class LoadBalancing(Op):
    """How evenly experts are used: float[..., num_experts], bool[...]? -> float[].

    The input is the `router_logits` of a mixture of experts, or the stack of those of
    several. The mask is true for the tokens that count, and its shape broadcasts to that
    of the tokens. The result is Switch's loss of load balancing: top_k where the `top_k`
    experts of the tokens are all experts alike, and more where not.

    Source: Fedus et al., "Switch Transformers", 2022, equation 4.
    """

    top_k: Size = Dim.of(2)

    library = "load_balancing"
    inputs = (Port("router_logits"), Port("mask", ("bool",), optional=True))

    def infer(
        self, ctx: Context, router_logits: TensorType, mask: TensorType | None
    ) -> TensorType:
        ctx.require_least_rank("router_logits", router_logits, 2)
        _require_experts(ctx, self.top_k, router_logits.shape[-1])
        if mask is not None:
            self._require_tokens(ctx, router_logits, mask)
        return router_logits.with_shape()

    def _require_tokens(
        self, ctx: Context, router_logits: TensorType, mask: TensorType
    ) -> None:
        """The mask expands to the shape of the tokens."""
        missing = router_logits.rank - 1 - mask.rank
        if missing < 0:
            wanted = f"{router_logits.rank - 1} dimensions at most, as the tokens have"
            raise errors.rank_mismatch("mask", mask, wanted)
        message = "load_balancing needs a mask that expands to the shape of the tokens"
        for size, tokens in zip(
            mask.shape, router_logits.shape[missing:], strict=False
        ):
            if not ctx.is_one(size):
                ctx.require_equal(message, size, tokens, "mask")

    def apply(self, code: Code, router_logits: Expr, mask: Expr | None) -> Expr:
        given = {} if mask is None else {"mask": mask}
        return call("load_balancing", router_logits, code.argument("top_k"), **given)
