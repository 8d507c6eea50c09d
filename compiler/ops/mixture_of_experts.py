"""Routing to experts, and the load-balancing loss of a mixture of experts."""

from __future__ import annotations

from typing import Any, Literal

from compiler.codegen.python import Expr, call
from compiler.op import errors
from compiler.op.arg_types import Size
from compiler.op.combine_flows import plus, with_axes, without
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import whole
from compiler.op.op import Code, Op, Outputs, Port
from compiler.op.registry import register
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("routing", torch="")
class Routing(Op):
    """Each token's experts and their weights: float[..., N], float[N]? -> int[..., top_k], float[..., top_k].

    The input is what a router gives, one logit for each expert; the outputs, `experts`
    and `weights`, go to a layer of [routed](language.md#routed-experts) copies. `scores`
    are the softmax of the logits, or the sigmoid of each, in float32 at least. A token uses the
    `top_k` experts with the largest scores. Their scores are their weights, times
    `scale`; with `norm_topk_prob`, divided by their sum (Mixtral does so; Switch and
    some Qwen-MoE do not).

    `bias` is added to the scores for the choice alone (DeepSeek-V3 balances its experts
    with it). With `num_groups`, experts are in groups of equal size, and only those of
    the `top_groups` best groups are eligible: those with the largest sum of their
    `group_best` largest scores.

    Source: Shazeer et al., "Outrageously Large Neural Networks", 2017; DeepSeek-AI,
    "DeepSeek-V3 Technical Report", 2024.
    """

    top_k: Size
    scores: Literal["softmax", "sigmoid"] = "softmax"
    num_groups: Size = Dim.of(1)
    top_groups: Size = Dim.of(1)
    group_best: Size = Dim.of(2)
    norm_topk_prob: bool = True
    scale: float = 1.0

    library = "choose_experts"
    positional = ("top_k",)
    inputs = (Port("router_logits"), Port("bias", optional=True))
    outputs = ("experts", "weights")

    def infer(
        self, ctx: Context, router_logits: TensorType, bias: TensorType | None = None
    ) -> Outputs:
        ctx.require_least_rank("router_logits", router_logits, 1)
        experts = router_logits.shape[-1]
        ctx.constant(experts, "the number of experts")
        _require_experts(ctx, self.top_k, experts)
        if self._is_grouped(ctx):
            self._require_groups(ctx, experts)
        if bias is not None:
            ctx.require_rank("bias", bias, 1)
            message = "routing needs as many biases as experts"
            ctx.require_equal(message, bias.shape[0], experts, "bias")
        weights = router_logits.with_size(-1, self.top_k)
        return weights.with_kind("int"), weights

    def _is_grouped(self, ctx: Context) -> bool:
        return ctx.value(self.num_groups).constant != 1

    def _require_groups(self, ctx: Context, experts: Dim) -> None:
        ctx.require_multiple(
            "the number of experts",
            experts,
            "num_groups",
            self.num_groups,
            "num_groups",
        )
        size = experts // self.num_groups
        for argument, needed, there in (
            ("top_groups", self.top_groups, self.num_groups),
            ("group_best", self.group_best, size),
            ("top_k", self.top_k, self.top_groups * size),
        ):
            if not ctx.at_least(there - needed, 0):
                what = (
                    "groups" if argument == "top_groups" else "experts to choose from"
                )
                message = f"{argument} is {ctx.value(needed)}, but there are {ctx.value(there)} {what}"
                raise errors.constraint(message, argument=argument)

    @flow_rule("other axes")
    def flow(self, call: FlowCall) -> tuple[Dependence, ...]:
        """Each token is routed by itself, for experts have no capacity."""
        flow = call["router_logits"]
        last = len(flow.axes) - 1
        mixed = without(flow, {last}, "the choice of experts mixes along T")
        token = plus(with_axes(mixed, [*range(last), None]), _as_whole(call["bias"]))
        return token, token

    def choices(
        self,
        port: str,
        router_logits: TensorType,
        bias: TensorType | None = None,
    ) -> Dim | None:
        return router_logits.shape[-1] if port == "experts" else None

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], *_: object, **inputs: Any
    ) -> str:
        experts = ctx.value(inputs["router_logits"].shape[-1])
        return f"{ctx.value(self.top_k)} of {experts} experts"

    def apply(self, code: Code, router_logits: Expr, bias: Expr | None = None) -> Expr:
        given = {} if bias is None else {"bias": bias}
        return call(
            "choose_experts",
            router_logits,
            code.argument("top_k"),
            **given,
            **self.keywords(code),
        )


def _as_whole(flow: Dependence) -> Dependence:
    """A vector of which every element may be read."""
    return without(flow, set(range(len(flow.axes))), "the bias has the dimension T")


def _require_experts(ctx: Context, top_k: Dim, experts: Dim) -> None:
    if not ctx.at_least(experts - top_k, 0):
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
