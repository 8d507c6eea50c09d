"""Multi-head attention with its projections, as nn.MultiheadAttention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from compiler.codegen.python import Call, Expr, Name, TupleExpr, call, lit
from compiler.op.arg_types import Probability, Size
from compiler.op.context import Context
from compiler.op.flow import Flow, FlowCall, flow_rule
from compiler.op.op import Code, Op, Outputs, Port, Shape
from compiler.op.registry import register
from compiler.ops._attention_flow import CAUSAL, AttentionFlow, key_labels, pair_labels
from compiler.ops._nn_attention_masks import (
    blocked_pairs,
    later_keys,
    padding_mask,
    require_mask,
    require_padding_mask,
)
from compiler.ops._sdpa_mask import unless_none
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("multihead_attention", torch="torch.nn.MultiheadAttention")
class MultiheadAttention(Op):
    """Multi-head attention with projections: query float[B, T, E] -> output float[B, T, E].

    `key` float[B, S, K] defaults to the query, `value` float[B, S, V] to the key; B is
    optional. `key_padding_mask` is bool[B, S], `attn_mask` bool[T, S] or [B, T, S] (or,
    as in torch, [B * num_heads, T, S]). In both, True means attend, the opposite of
    torch's. `is_causal`: query t attends to keys s <= t.

    With `need_weights`, the output `weights` is float[B, T, S], or float[B, num_heads,
    T, S] without `average_attn_weights`. It is false by default, as it rules out
    torch's fused kernels. A query whose keys are all masked may give NaN, as in torch.
    Source: Vaswani et al., "Attention Is All You Need", 2017.
    """

    num_heads: Size
    dropout: Probability = 0.0
    bias: bool = True
    add_bias_kv: bool = False
    add_zero_attn: bool = False
    is_causal: bool = False
    need_weights: bool = False
    average_attn_weights: bool = True

    family: ClassVar[str] = "attention"
    module = "nn.MultiheadAttention"
    causal_hint = "is_causal: true lets a position attend to itself and earlier ones"
    positional = ("num_heads",)
    omitted = ("is_causal", "need_weights", "average_attn_weights")
    chains = False
    state_library = "piecewise_attention"
    column_library = "keep_masked"
    column_ports = ("key_padding_mask",)
    outputs = None
    inputs = (
        Port("query"),
        Port("key", optional=True),
        Port("value", optional=True),
        Port("key_padding_mask", ("bool",), optional=True),
        Port("attn_mask", ("bool",), optional=True),
    )

    @property
    def _extra(self) -> int:
        """How many keys torch appends."""
        return self.add_bias_kv + self.add_zero_attn

    def ports(self, count: int) -> tuple[str, ...]:
        return ("output", "weights") if self.need_weights else ("output",)

    def infer(
        self,
        ctx: Context,
        query: TensorType,
        key: TensorType | None = None,
        value: TensorType | None = None,
        key_padding_mask: TensorType | None = None,
        attn_mask: TensorType | None = None,
    ) -> Outputs:
        ctx.require_rank("query", query, 2, 3)
        key, value = _defaults(query, key, value)
        self._require_sequences(ctx, query, key, value)
        width = query.shape[-1]
        ctx.require_least("query's width", width, 1, "query")
        ctx.require_multiple(
            "query's width", width, "num_heads", self.num_heads, "num_heads"
        )
        require_padding_mask(ctx, self.name, "key_padding_mask", key_padding_mask, key)
        require_mask(ctx, self.name, "attn_mask", attn_mask, query, key, self.num_heads)
        return (query, self._weights(query, key)) if self.need_weights else query

    @flow_rule("attention")
    def flow(self, call: FlowCall) -> Flow:
        """A query reads the keys that `is_causal` and the masks leave; keys that torch appends are constants."""
        query = call.operand("query")
        key = call.operand("key") if call.has("key") else query
        value = call.operand("value") if call.has("value") else key
        pairs = [
            (one, pair_labels(one[1], query[1])) for one in call.operands("attn_mask")
        ]
        keys = call.operands("key_padding_mask")
        padding = [(one, key_labels(query[1])) for one in keys]
        regions = [CAUSAL] if self.is_causal else []
        masks = [*pairs, *padding]
        found = AttentionFlow(
            call, query, key, value, masks, (), regions, self.num_heads
        )
        weights = [found.weights(kind) for kind in call.outputs[1:]]
        memory = found.memory()
        if memory is not None:  # as they are projected
            kept = tuple((*s[:-1], query[1].shape[-1]) for s in memory.shapes)
            memory = replace(memory, shapes=kept)
        return Flow((found.output(), *weights), memory)

    def _require_sequences(
        self, ctx: Context, query: TensorType, key: TensorType, value: TensorType
    ) -> None:
        for port, tensor in (("key", key), ("value", value)):
            ctx.require_rank(port, tensor, query.rank)
            message = "multihead_attention needs inputs of the same batch size"
            if query.rank == 3:
                ctx.require_equal(message, tensor.shape[0], query.shape[0], port)
        message = "multihead_attention needs as many values as keys"
        ctx.require_equal(message, value.shape[-2], key.shape[-2], "value")

    def _weights(self, query: TensorType, key: TensorType) -> TensorType:
        heads = () if self.average_attn_weights else (self.num_heads,)
        keys = key.shape[-2] + self._extra
        return query.with_shape(*query.shape[:-2], *heads, query.shape[-2], keys)

    def can_keep(self, port: str, types: Mapping[str, Any]) -> bool:
        """A mask of keys, which are kept with it."""
        return True

    def can_resume(self, axis: int) -> bool:
        """Where torch appends no keys, and no weights are asked for, of which there are more with each piece."""
        return not self._extra and not self.need_weights

    def initial_state(self, code: Code) -> Expr:
        return call("KeyValues", code.capacity())

    def pairs_by_place(self, in_pieces: Mapping[str, bool]) -> bool:
        """Where queries attend to earlier keys that are all there at once."""
        return self.is_causal and in_pieces["query"] and not in_pieces.get("key", True)

    def inferred(self, query: TensorType, **others: Any) -> dict[str, Dim]:
        return {"embed_dim": query.shape[-1]}

    def weights(
        self,
        query: TensorType,
        key: TensorType | None = None,
        value: TensorType | None = None,
        **masks: TensorType | None,
    ) -> dict[str, Shape]:
        key, value = _defaults(query, key, value)
        width, kdim, vdim = (x.shape[-1] for x in (query, key, value))
        found: dict[str, Shape] = {"in_proj_weight": (width * 3, width)}
        if not width == kdim == vdim:
            found = {
                "q_proj_weight": (width, width),
                "k_proj_weight": (width, kdim),
                "v_proj_weight": (width, vdim),
            }
        if self.bias:
            found["in_proj_bias"] = (width * 3,)
        if self.add_bias_kv:
            found["bias_k"] = found["bias_v"] = (Dim.of(1), Dim.of(1), width)
        found["out_proj.weight"] = (width, width)
        return found | ({"out_proj.bias": (width,)} if self.bias else {})

    def flops(
        self,
        outputs: tuple[TensorType, ...],
        query: TensorType,
        key: TensorType | None = None,
        value: TensorType | None = None,
        **masks: TensorType | None,
    ) -> Dim:
        key, value = _defaults(query, key, value)
        width = query.shape[-1]
        projections = query.numel * 2 + key.numel + value.numel
        pairs = query.numel * (key.shape[-2] + self._extra)
        return projections * width * 2 + pairs * 4

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        causal = ", causal" if self.is_causal else ""
        return f"{ctx.value(self.num_heads)} heads{causal}"

    def build(
        self,
        code: Code,
        query: TensorType,
        key: TensorType | None = None,
        value: TensorType | None = None,
        **masks: TensorType | None,
    ) -> Call:
        built = super().build(code, query=query)
        key, value = _defaults(query, key, value)
        widths = {"kdim": key.shape[-1], "vdim": value.shape[-1]}
        others = {k: code.size(v) for k, v in widths.items() if v != query.shape[-1]}
        first = (*others.items(), ("batch_first", lit(True)))
        return replace(built, kwargs=(*built.kwargs, *first))

    def apply(
        self,
        code: Code,
        query: Expr,
        key: Expr | None = None,
        value: Expr | None = None,
        key_padding_mask: Expr | None = None,
        attn_mask: Expr | None = None,
    ) -> Expr:
        keys = code.type("query" if key is None else "key")
        key = _or_else(code, "key", key, query)
        value = _or_else(code, "value", value, key)
        state = code.state()
        if state is not None:
            masks = self._masks(code, key_padding_mask, attn_mask)
            if self.is_causal:
                masks["is_causal"] = lit(True)
            operands = (state, code.module(), query, key, value)
            return call("piecewise_attention", *operands, **masks)
        later = None
        if self.is_causal:
            later = later_keys(code, query, key, (code.type("query"), keys))
        options = padding_mask(code, "key_padding_mask", key_padding_mask)
        if not self.need_weights:
            options["need_weights"] = lit(False)
        heads = code.argument("num_heads")
        blocked = blocked_pairs(
            code, "attn_mask", attn_mask, later, code.type("query"), heads
        )
        if blocked is not None:
            options["attn_mask"] = blocked
        if self.need_weights and code.given("average_attn_weights"):
            options["average_attn_weights"] = code.argument("average_attn_weights")
        if later is not None and attn_mask is None and not self._extra:
            # torch may then ignore the mask, which is faster, but it would not count the keys that it appends
            options["is_causal"] = lit(True)
        return call(code.module(), query, key, value, **options)

    def _masks(
        self, code: Code, keys: Expr | None, pairs: Expr | None
    ) -> dict[str, Expr]:
        """The masks of the library's function, where a sequence comes in pieces."""
        kept = "new_keys" if code.keeps("key_padding_mask") else "keys"
        masks = {kept: keys, "pairs": pairs}
        return {name: mask for name, mask in masks.items() if mask is not None}

    def targets(self, names: tuple[Expr, ...]) -> Expr:
        return TupleExpr(names if len(names) == 2 else (*names, Name("_")))


def _defaults(
    query: TensorType, key: TensorType | None, value: TensorType | None
) -> tuple[TensorType, TensorType]:
    key = query if key is None else key
    return key, key if value is None else value


def _or_else(code: Code, port: str, value: Expr | None, other: Expr) -> Expr:
    """The input at a port, or `other` if it is absent in the spec or None at run time."""
    if value is None:
        return other
    if not code.optional(port):
        return value
    chosen = unless_none(value, True, value, other)
    return code.let(chosen, code.type(port).shape, port)
