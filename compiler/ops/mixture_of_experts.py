"""Mixture of experts, and its load-balancing loss."""

from __future__ import annotations

from typing import Literal

from compiler.codegen.python import Expr, Name, call
from compiler.op import errors
from compiler.op.arg_types import Size
from compiler.op.combine_flows import with_axes, without
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule, unknown
from compiler.op.flow_rules import whole
from compiler.op.op import Code, Op, Outputs, Port, Shape, product
from compiler.op.registry import register
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("mixture_of_experts", torch="")
class MixtureOfExperts(Op):
    """Each token's weighted sum of top_k of num_experts MLPs: float[..., D] -> float[..., D].

    A linear router computes `router_logits`, float[..., num_experts]. Each token uses
    the `top_k` experts with the largest probabilities (softmax in float32), weighted by
    these probabilities, which `norm_topk_prob` rescales to sum to 1 (Mixtral does;
    Qwen-MoE and Switch do not). An expert is down(activation(gate(x)) * up(x)) with
    hidden_features hidden units, or down(activation(up(x))) if not `gated`. The output
    `balance`, float[], is Switch's load-balancing loss: top_k if all experts are used
    equally, and more otherwise.

    Tokens are sorted by expert, and each expert runs on its own tokens only. Under
    torch.compile and torch.export, whose graph cannot depend on the routing, every
    expert runs on every token. The weights have the layout of transformers'
    MixtralSparseMoeBlock.

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

    @flow_rule("other axes")
    def flow(self, call: FlowCall) -> tuple[Dependence, ...]:
        """Each token is routed by itself, for experts have no capacity; `balance` is of all."""
        flow = call["input"]
        last = len(flow.axes) - 1
        mixed = without(flow, {last}, "the experts mix along T")
        token = with_axes(mixed, [*range(last), None])
        *_, balance = unknown(call, "balance is the mean over T")
        return token, token, balance

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
            f"top_k is {ctx.value(top_k)}, but there are {ctx.value(experts)} experts"
        )
        raise errors.constraint(message, argument="top_k")


@register("load_balancing", torch="")
class LoadBalancing(Op):
    """Load-balancing loss of a mixture of experts: float[..., num_experts], bool[...]? -> float[].

    The input is the `router_logits` of one mixture of experts, or those of several,
    stacked. `mask` is True for the tokens to count; it broadcasts to the tokens' shape.
    The result is Switch's load-balancing loss: top_k if all experts are used equally,
    and more otherwise.

    Source: Fedus et al., "Switch Transformers", 2022, equation 4.
    """

    top_k: Size = Dim.of(2)

    library = "load_balancing"
    inputs = (Port("router_logits"), Port("mask", ("bool",), optional=True))
    flow = whole

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
        """Check that the mask broadcasts to the shape of the tokens."""
        missing = router_logits.rank - 1 - mask.rank
        if missing < 0:
            wanted = f"at most {router_logits.rank - 1} dimensions to match the tokens"
            raise errors.rank_mismatch("mask", mask, wanted)
        message = (
            "load_balancing needs a mask that broadcasts to the shape of the tokens"
        )
        for size, tokens in zip(
            mask.shape, router_logits.shape[missing:], strict=False
        ):
            if not ctx.is_one(size):
                ctx.require_equal(message, size, tokens, "mask")

    def apply(self, code: Code, router_logits: Expr, mask: Expr | None) -> Expr:
        given = {} if mask is None else {"mask": mask}
        return call("load_balancing", router_logits, code.argument("top_k"), **given)
