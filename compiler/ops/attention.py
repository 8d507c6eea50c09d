"""Scaled dot-product attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compiler.codegen.python import (
    Binary,
    Compare,
    Conditional,
    Expr,
    Slice,
    TupleExpr,
    Unary,
    call,
    lit,
    method,
    subscript,
)
from compiler.op import errors
from compiler.op.arg_types import Positive, Probability, Size
from compiler.op.combine_flows import plus, without
from compiler.op.context import Context
from compiler.op.flow import Flow, FlowCall, flow_rule
from compiler.op.op import Code, Colour, Op, Outputs, Port, Shape
from compiler.op.registry import register
from compiler.ops._attention_flow import CAUSAL, AttentionFlow
from compiler.ops._sdpa_mask import (
    admitted_or_none,
    all_true,
    attn_mask,
    band_mask,
    mask_is_optional,
    mask_type,
    size,
    unless_none,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

COLOUR: Final[Colour] = "orange"


@register("attention", torch="torch.nn.functional.scaled_dot_product_attention")
class Attention(Op):
    """softmax(q kᵀ * scale) v in each head: query float[B, T, E] -> float[B, T, V].

    The inputs are already projected: `key` is float[B, S, E], `value` float[B, S, V].
    `num_kv_heads` is for grouped-query attention (Ainslie et al., 2023): keys and
    values have fewer heads, each shared by several query heads, and are narrower by the
    same factor. `scale` defaults to 1 / sqrt(E / num_heads).

    `is_causal`: query t attends to keys s <= t. `window`: a query attends to keys with
    |t - s| < window. `mask` (bool, True means attend) is [B, S], [T, S], [B, T, S] or
    [B, num_heads, T, S]. Masks of three or four dimensions broadcast; a 2D mask is [T,
    S] if its first size is written as the query's T, and [B, S] otherwise. `bias`
    (float) is added to the scores and broadcasts to [B, num_heads, T, S]. A query whose
    keys are all masked gives zeros.

    With `softcap`, scores become softcap * tanh(scores / softcap) before masks and bias
    (Gemma 2). `sinks`, float[num_heads], are scores of one more key in each head, whose
    value is zero: a query may attend to nothing (GPT-OSS).

    With `need_weights`, there is a second output, `weights`, float[B, num_heads, T, S]: the softmax, before dropout.
    """

    num_heads: Size
    num_kv_heads: Size | None = None
    is_causal: bool = False
    window: Size | None = None
    scale: float | None = None
    softcap: Positive | None = None
    dropout_p: Probability = 0.0
    need_weights: bool = False

    typed_function = "F.scaled_dot_product_attention"
    state_library = "key_values"
    column_library = "keep_masked"
    column_ports = ("mask",)
    causal_hint = "is_causal: true lets a position attend to itself and earlier ones"
    outputs = None
    inputs = (
        Port("query"),
        Port("key"),
        Port("value"),
        Port("mask", ("bool",), optional=True),
        Port("bias", optional=True),
        Port("sinks", optional=True),
    )

    def infer(
        self,
        ctx: Context,
        query: TensorType,
        key: TensorType,
        value: TensorType,
        mask: TensorType | None = None,
        bias: TensorType | None = None,
        sinks: TensorType | None = None,
    ) -> Outputs:
        for port, tensor in (("query", query), ("key", key), ("value", value)):
            ctx.require_rank(port, tensor, 3)
            message = "attention needs inputs of the same batch size"
            ctx.require_equal(message, tensor.shape[0], query.shape[0], port)
        message = "attention needs as many values as keys"
        ctx.require_equal(message, value.shape[1], key.shape[1], "value")
        self._require_heads(ctx, query, key, value)
        scores = (query.shape[0], self.num_heads, query.shape[1], key.shape[1])
        if mask is not None:
            self._require_mask(ctx, mask, scores)
        if bias is not None:
            ctx.require_rank("bias", bias, 2, 3, 4)
            require_expands(ctx, "bias", bias, scores[4 - bias.rank :])
        if sinks is not None:
            ctx.require_rank("sinks", sinks, 1)
            message = "attention needs a sink for each head"
            ctx.require_equal(message, sinks.shape[0], self.num_heads, "sinks")
        output = query.with_size(-1, self._width(query, key, value))
        return (output, query.with_shape(*scores)) if self.need_weights else output

    def ports(self, count: int) -> tuple[str, ...]:
        return ("output", "weights") if self.need_weights else ("output",)

    @flow_rule("attention")
    def flow(self, call: FlowCall) -> Flow:
        """A query reads the keys that `is_causal`, `window`, mask and bias leave."""
        found = self._attention_flow(call)
        sinks = without(
            call["sinks"], range(len(call["sinks"].axes)), "reads all sinks"
        )
        weights = [found.weights(kind) for kind in call.outputs[1:]]
        outputs = (plus(one, sinks) for one in (found.output(), *weights))
        return Flow(tuple(outputs), found.memory())

    def _attention_flow(self, call: FlowCall) -> AttentionFlow:
        regions = [CAUSAL] if self.is_causal else []
        window = None if self.window is None else call.number(self.window)
        if window is not None:
            regions.append((1 - window, window - 1))
        names = ("b", "h", "t", "s")
        flat = {2: self._flat_mask_labels(call), 3: ("b", "t", "s"), 4: names}
        masks = [(one, flat[one[1].rank]) for one in call.operands("mask")]
        biases = [(one, names[4 - one[1].rank :]) for one in call.operands("bias")]
        query, key, value = map(call.operand, ("query", "key", "value"))
        return AttentionFlow(
            call, query, key, value, masks, biases, regions, self.num_heads
        )

    def _flat_mask_labels(self, call: FlowCall) -> tuple[str, ...]:
        """What the axes of a 2D mask are."""
        if not call.has("mask"):
            return ()
        rows = call.type("mask").shape[0] == call.type("query").shape[1]
        return ("t" if rows else "b", "s")

    @property
    def _kv_heads(self) -> Dim:
        return self.num_heads if self.num_kv_heads is None else self.num_kv_heads

    def _require_heads(
        self, ctx: Context, query: TensorType, key: TensorType, value: TensorType
    ) -> None:
        heads, kv = self.num_heads, self._kv_heads
        by = "num_heads" if self.num_kv_heads is None else "num_kv_heads"
        ctx.require_multiple(
            "query's width", query.shape[-1], "num_heads", heads, "num_heads"
        )
        ctx.require_multiple("num_heads", heads, by, kv, by)
        ctx.require_multiple("key's width", key.shape[-1], by, kv, by)
        ctx.require_multiple("value's width", value.shape[-1], by, kv, by)
        message = "attention needs keys and queries of the same width per head"
        ctx.require_equal(message, key.shape[-1] * heads, query.shape[-1] * kv, "key")

    def _width(self, query: TensorType, key: TensorType, value: TensorType) -> Dim:
        if value.shape[-1] == key.shape[-1]:
            return query.shape[-1]
        return value.shape[-1] * self.num_heads // self._kv_heads

    def _require_mask(self, ctx: Context, mask: TensorType, scores: Shape) -> None:
        batch, _, queries, keys = scores
        ctx.require_rank("mask", mask, 2, 3, 4)
        if mask.rank > 2:
            full = scores if mask.rank == 4 else (batch, queries, keys)
            require_expands(ctx, "mask", mask, full)
        else:
            self._require_flat_mask(ctx, mask, batch, queries, keys)

    def _require_flat_mask(
        self, ctx: Context, mask: TensorType, batch: Dim, queries: Dim, keys: Dim
    ) -> None:
        if batch == queries == mask.shape[0] and batch != 1:  # of one row both are one
            raise errors.constraint(
                f"mask is {mask}, which could be [B, S] or [T, S]",
                port="mask",
                help="unsqueeze it to [B, 1, S] or [1, T, S]",
            )
        rows = queries if mask.shape[0] == queries else batch
        message = "attention needs a mask of type bool[B, S], [T, S] or [B, T, S]"
        ctx.require_equal(message, mask.shape[0], rows, "mask")
        ctx.require_equal(message, mask.shape[1], keys, "mask")

    def flops(
        self,
        outputs: tuple[TensorType, ...],
        query: TensorType,
        key: TensorType,
        **others: Any,
    ) -> Dim:
        pairs = query.shape[0] * query.shape[1] * key.shape[1]
        return pairs * 2 * (query.shape[-1] + outputs[0].shape[-1])

    def can_resume(self, axis: int) -> bool:
        return not self.need_weights

    def carries(self, code: Code) -> str:
        if self.need_weights:
            return "attention_with_weights"
        if self._is_explicit(code):
            return "explicit_attention"
        return "causal_attention" if self._resumes(code) else ""

    def _is_explicit(self, code: Code) -> bool:
        """Whether it is written out, since torch's own has no such scores, and gives no weights."""
        scored = self.softcap is not None or not code.absent("sinks")
        return self.need_weights or scored

    def _resumes(self, code: Code) -> bool:
        """Whether it is the library's attention, for queries that are the last of the keys' positions."""
        plain = self.is_causal or code.chosen("is_causal")
        bare = not self._is_explicit(code) and code.absent("bias")
        return code.state() is not None and plain and bare

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        parts = [f"{ctx.value(self.num_heads)} heads"]
        if self.num_kv_heads is not None:
            parts.append(f"{ctx.value(self.num_kv_heads)} for keys")
        if self.is_causal:
            parts.append("causal")
        if self.window is not None:
            parts.append(f"window {ctx.value(self.window)}")
        if self.softcap is not None:
            parts.append(f"capped at {self.softcap:g}")
        if inputs.get("sinks") is not None:
            parts.append("with sinks")
        return ", ".join(parts)

    def apply(
        self,
        code: Code,
        query: Expr,
        key: Expr,
        value: Expr,
        mask: Expr | None = None,
        bias: Expr | None = None,
        sinks: Expr | None = None,
    ) -> Expr:
        state = code.state()
        if state is not None:
            kinds = {port: code.type(port) for port in ("key", "value")}
            if mask is not None and code.keeps("mask"):
                flat = code.type("mask").rank == 2
                mask = mask if flat else method(mask, "flatten", 1)
                # A mask that must be given is a Tensor; that of all keys is typed as one that may be None.
                kept_as = "mask" if code.optional("mask") else "key_mask"
                kinds[kept_as] = mask_type(code)
                kept = call("keep_masked", state, key, value, mask)
                key, value, mask = code.unpack(kept, **kinds)
            else:
                key, value = code.unpack(call("keep", state, key, value), **kinds)
                if self.window is not None:
                    mask = _last(code, "mask", mask, size(key, 1))
            if self.window is not None:
                bias = _last(code, "bias", bias, size(key, 1))
        heads = code.argument("num_heads")
        grouped = self.num_kv_heads is not None
        kv = code.argument("num_kv_heads") if grouped else heads
        parts = [split(x, n) for x, n in ((query, heads), (key, kv), (value, kv))]
        options = {
            **self._masking(code, query, key, mask, bias),
            **self._options(code),
            **({} if sinks is None else {"sinks": sinks}),
        }
        function = self.carries(code) or self.typed_function
        attended = call(function, *parts, **options)
        if self.need_weights:
            return attended
        heads_first = code.let(attended, self._attended(code))
        return method(method(heads_first, "transpose", 1, 2), "flatten", -2)

    def can_keep(self, port: str, types: Mapping[str, Any]) -> bool:
        """A mask of keys alone, [B, S], [B, 1, S] or [B, 1, 1, S]."""
        mask = types["mask"].shape
        alike = mask[0] == types["query"].shape[0]
        return bool(alike and all(size == 1 for size in mask[1:-1]))

    def pairs_by_place(self, in_pieces: Mapping[str, bool]) -> bool:
        """Where queries attend to keys near them that are all there at once."""
        near = self.is_causal or self.window is not None
        return near and in_pieces["query"] and not in_pieces["key"]

    def initial_state(self, code: Code) -> Expr:
        options: dict[str, Expr] = {}
        if self.window is not None:
            options["window"] = code.argument("window")
            pairs = not code.absent("mask") and not code.keeps("mask")
            if pairs or not code.absent("bias"):
                options["in_order"] = lit(True)
        return call("KeyValues", code.capacity(), **options)

    def _attended(self, code: Code) -> Shape:
        query, key, value = map(code.type, ("query", "key", "value"))
        width = self._width(query, key, value) // self.num_heads
        return query.shape[0], self.num_heads, query.shape[1], width

    def _options(self, code: Code) -> dict[str, Expr]:
        options: dict[str, Expr] = {}
        if code.given("dropout_p"):
            p = code.argument("dropout_p")
            options["dropout_p"] = Conditional(code.training, p, lit(0.0))
        if self.scale is not None:
            options["scale"] = code.argument("scale")
        if self.softcap is not None:
            options["softcap"] = code.argument("softcap")
        if self.num_kv_heads is not None and not self._is_explicit(code):
            options["enable_gqa"] = lit(True)
        return options

    def _masking(
        self,
        code: Code,
        query: Expr,
        key: Expr,
        mask: Expr | None,
        bias: Expr | None,
    ) -> dict[str, Expr]:
        """The keyword arguments for masks: `is_causal` if that is enough, which is fastest, else `attn_mask`."""
        if self._resumes(code):
            return self._mask_and_window(code, mask)
        if (
            self.window is None
            and bias is None
            and not self._causal_and_masked(code, mask)
        ):
            masks = (
                {} if mask is None else {"attn_mask": attn_mask(code, None, mask, None)}
            )
            return masks | self._causal_argument(code, query, key)
        near = None
        if self.is_causal or self.window is not None:
            window = None if self.window is None else code.argument("window")
            rows, columns = size(query, 1), size(key, 1)
            before = None
            if code.state() is not None:
                before = code.let(Binary("-", columns, rows), name="past")
            square = all_true(rows, columns, query)
            near = band_mask(square, self.is_causal, window, before)
        if (
            near is not None
            and mask is not None
            and self._is_causal_without_mask(code, bias)
        ):
            admitted = admitted_or_none(code, near, mask)
            alone = Compare("is", mask, lit(None))
            past = self._past(code, query, key)
            return {"attn_mask": admitted, "is_causal": alone, **past}
        return {"attn_mask": attn_mask(code, near, mask, bias)}

    def _mask_and_window(self, code: Code, mask: Expr | None) -> dict[str, Expr]:
        """The keyword arguments of the library's causal attention."""
        masks = {} if mask is None else {"attn_mask": attn_mask(code, None, mask, None)}
        if self.window is not None:
            masks["window"] = code.argument("window")
        if code.chosen("is_causal"):
            masks["is_causal"] = code.argument("is_causal")
        return masks

    def _causal_and_masked(self, code: Code, mask: Expr | None) -> bool:
        """Whether the attention is causal and has a mask, which torch does not accept together.

        If a param decides `is_causal`, uses without a mask share the code of those with
        one.
        """
        unmasked_use = code.chosen("is_causal") and code.absent("mask")
        return self.is_causal and mask is not None and not unmasked_use

    def _is_causal_without_mask(self, code: Code, bias: Expr | None) -> bool:
        """Whether `is_causal` alone is enough at run time when the optional mask is None."""
        return (
            self.is_causal
            and self.window is None
            and bias is None
            and mask_is_optional(code)
        )

    def _causal_argument(self, code: Code, query: Expr, key: Expr) -> dict[str, Expr]:
        if code.chosen("is_causal"):
            chosen = code.argument("is_causal")
            return {"is_causal": chosen, **self._past(code, query, key)}
        if not self.is_causal:
            return {}
        return {"is_causal": lit(True), **self._past(code, query, key)}

    def _past(self, code: Code, query: Expr, key: Expr) -> dict[str, Expr]:
        """How many keys there are before those of the queries, where a piece of a sequence is run."""
        if not self._is_explicit(code) or code.state() is None:
            return {}
        return {"past": Binary("-", size(key, 1), size(query, 1))}


def _last(code: Code, port: str, mask: Expr | None, columns: Expr) -> Expr | None:
    """`mask[..., -columns:]`, for as many keys as a window keeps; None where it is None."""
    if mask is None:
        return None
    kept = subscript(mask, ..., Slice(Unary("-", columns)))
    value = unless_none(mask, code.optional(port), kept, lit(None))
    return code.let(value, code.type(port).shape, port)


def split(value: Expr, heads: Expr) -> Expr:
    """[B, T, E] -> [B, heads, T, E // heads]."""
    parts = method(value, "unflatten", -1, TupleExpr((heads, lit(-1))))
    return method(parts, "transpose", 1, 2)


def require_expands(ctx: Context, port: str, tensor: TensorType, shape: Shape) -> None:
    """Check that every size is 1 or that of the scores, so that the tensor broadcasts to them."""
    for given, wanted in zip(tensor.shape, shape, strict=True):
        if not ctx.is_one(given):
            message = (
                f"attention needs {port} to broadcast to [{', '.join(map(str, shape))}]"
            )
            ctx.require_equal(message, given, wanted, port)
