"""Rotary position embedding: the angles, and the rotation of channels by them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from compiler.codegen.python import (
    Call,
    Expr,
    Slice,
    TupleExpr,
    call,
    lit,
    method,
    subscript,
)
from compiler.op import errors
from compiler.op.arg_types import Positive, Size
from compiler.op.combine_flows import join, without
from compiler.op.context import Context
from compiler.op.dependence import SIZE, Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import position_axis
from compiler.op.op import NUMBER, Code, Op, Outputs, Port
from compiler.op.registry import register
from compiler.ops.embedding import offset_argument
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType, shape_text

_CONTEXT_ARGUMENTS = ("factor", "original_max_position_embeddings")
_SCALING_ARGUMENTS = {
    "none": (),
    "linear": ("factor",),
    "dynamic": _CONTEXT_ARGUMENTS,
    "llama3": (*_CONTEXT_ARGUMENTS, "low_freq_factor", "high_freq_factor"),
    "yarn": (
        *_CONTEXT_ARGUMENTS,
        "beta_fast",
        "beta_slow",
        "truncate",
        "attention_factor",
        "mscale",
        "mscale_all_dim",
    ),
}
"""The arguments that each scaling uses."""


@register("rotary_embedding", torch="")
class RotaryEmbedding(Op):
    """Cosine and sine of rotary position embedding: any[B, T, ...] -> cos, sin float[T, dim].

    The input, int[..., T] or float[..., T, D], only supplies T and, if it is float, the
    outputs' dtype; pass the embedded tokens. `dim` is even: the width of a head, or of
    its rotated part. The angle of channel pair i at position t is t / base^(2 i / dim),
    computed in float32; it is stored at i and i + dim // 2. There are no weights, and T
    is unbounded. Compute it once, and pass it to the `rotate` of every layer.

    `scaling` divides the angles, for contexts longer than those of training. "linear"
    divides all of them by `factor`. "dynamic" divides them once T is above
    `original_max_position_embeddings`, low frequencies the most, and more as T grows.
    "llama3" divides the frequencies with fewer rotations in the original context than
    `low_freq_factor` by `factor`, and interpolates up to `high_freq_factor`. "yarn" does
    the same with `beta_slow` and `beta_fast`, and multiplies cos and sin by
    `attention_factor`, which defaults to a function of factor, `mscale` and
    `mscale_all_dim`.

    Source: Su et al., "RoFormer", 2021; transformers' LlamaRotaryEmbedding and
    modeling_rope_utils.
    """

    dim: Size
    base: Positive = 10000.0
    scaling: Literal["none", "linear", "dynamic", "llama3", "yarn"] = "none"
    factor: Positive = 1.0
    original_max_position_embeddings: Size | None = None
    low_freq_factor: Positive = 1.0
    high_freq_factor: Positive = 4.0
    beta_fast: Positive = 32.0
    beta_slow: Positive = 1.0
    truncate: bool = True
    attention_factor: Positive | None = None
    mscale: Annotated[float, Field(ge=0.0)] = 1.0
    mscale_all_dim: Annotated[float, Field(ge=0.0)] = 0.0

    family = "embedding"
    module = "RotaryEmbedding"
    library = "scaled_rotary_embedding"
    positional = ("dim",)
    chains = False
    inputs = (Port("input", NUMBER),)
    outputs = ("cos", "sin")

    def carries(self, code: Code) -> str:
        if not code.given("scaling"):
            return "rotary_embedding"
        chosen = code.chosen("scaling")
        return self.library if chosen else f"{self.scaling}_rotary_embedding"

    def infer(self, ctx: Context, input: TensorType) -> Outputs:
        trailing = 2 if input.kind == "float" else 1
        ctx.require_least_rank("input", input, trailing)
        width = ctx.constant(self.dim, "dim", "dim")
        ctx.require_multiple("dim", self.dim, "2", Dim.of(2), "dim")
        self._require_scaling(width)
        angles = TensorType("float", (input.shape[-trailing], self.dim))
        return angles, angles

    @flow_rule("positions")
    def flow(self, call: FlowCall) -> tuple[Dependence, ...]:
        """Angles follow from the place; with dynamic scaling, from the size of T too."""
        kind = call.type("input")
        trailing = 2 if kind.kind == "float" else 1
        axis = position_axis(call["input"], kind, -trailing)
        found = Dependence((axis, None))
        if self.scaling == "dynamic" and axis is not None:
            reason = "beyond the original context, all angles change with T"
            found = found.also({SIZE}, reason)
        return found, found

    def _require_scaling(self, width: int) -> None:
        original = self.original_max_position_embeddings
        if original is None and self.scaling in ("dynamic", "llama3", "yarn"):
            message = f"{self.scaling} scaling needs original_max_position_embeddings"
            raise errors.constraint(message, argument="scaling")
        if self.scaling == "dynamic" and width == 2:
            raise errors.constraint("dynamic scaling needs dim above 2", argument="dim")
        if self.scaling == "yarn" and self.base == 1.0:
            raise errors.constraint(
                "yarn scaling needs a base other than 1", argument="base"
            )

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        scaled = "" if self.scaling == "none" else f", {self.scaling}"
        return f"{ctx.value(self.dim)} wide{scaled}"

    def build(self, code: Code, *args: Any, **inputs: Any) -> Call:
        keywords = self.keywords(code)
        dim = code.argument("dim")
        if code.chosen("scaling"):
            return call("scaled_rotary_embedding", dim, **keywords)
        kind = self.scaling if code.given("scaling") else "none"
        taken = ("base", *_SCALING_ARGUMENTS[kind])
        given = {key: value for key, value in keywords.items() if key in taken}
        prefix = "" if kind == "none" else kind.capitalize()
        return call(f"{prefix}{self.module}", dim, **given)

    def apply(self, code: Code, input: Expr) -> Expr:
        return call(code.module(), input, **offset_argument(code))


@register("rotate", torch="")
class Rotate(Op):
    """Rotates pairs of channels of each head by the angles of their position.

    float[B, T, num_heads * W] or float[B, T, num_heads, W] -> same type. `cos` and
    `sin` are the outputs of `rotary_embedding`: float[T, R] or float[B, T, R]. R is W,
    or `rotary_dim` if only the first channels of each head are rotated (GPT-NeoX).
    Channel i is paired with i + R // 2 or, if `interleaved`, 2 i with 2 i + 1 (GPT-J).

    Source: Su et al., "RoFormer", 2021; transformers' `apply_rotary_pos_emb`.
    """

    num_heads: Size
    interleaved: bool = False
    rotary_dim: Size | None = None

    family = "embedding"
    inputs = (Port("input"), Port("cos"), Port("sin"))

    def carries(self, code: Code) -> str:
        return self._function

    @property
    def _function(self) -> str:
        return "rotate_interleaved" if self.interleaved else "rotate"

    def infer(
        self, ctx: Context, input: TensorType, cos: TensorType, sin: TensorType
    ) -> TensorType:
        ctx.require_rank("input", input, 3, 4)
        width = self._head_width(ctx, input)
        if self.rotary_dim is not None:
            width = self._rotary_width(ctx, width, self.rotary_dim)
        what = "the rotated width"
        ctx.require_multiple(what, width, "2", Dim.of(2))
        for port, angles in (("cos", cos), ("sin", sin)):
            ctx.require_rank(port, angles, 2, 3)
            wanted = (*input.shape[:2], width)[-angles.rank :]
            for given, size in zip(angles.shape, wanted, strict=True):
                message = f"rotate needs {port} of shape {shape_text(wanted)}"
                ctx.require_equal(message, given, size, port)
        return input

    @flow_rule("positions")
    def flow(self, call: FlowCall) -> Dependence:
        """An element reads the channels of its head, and the angles of its place."""
        (output,) = call.outputs
        flow = without(
            call["input"], range(2, output.rank), "rotate pairs channels along T"
        )
        operands = [(flow, output)]
        for angles, kind in call.operands("cos", "sin"):
            shape: list[Dim | int] = [*kind.shape[:-1], *[1] * (output.rank - 2)]
            held = without(angles, {kind.rank - 1}, "rotate has T as its channels")
            axes = (*held.axes[:-1], *[None] * (output.rank - 2))
            operands.append((replace(held, axes=axes), kind.with_shape(*shape)))
        return join(call, operands, output)

    def _head_width(self, ctx: Context, input: TensorType) -> Dim:
        if input.rank == 4:
            message = "rotate needs an input with num_heads heads"
            ctx.require_equal(message, input.shape[2], self.num_heads, "input")
            return input.shape[3]
        what = "the input's width"
        ctx.require_multiple(
            what, input.shape[2], "num_heads", self.num_heads, "num_heads"
        )
        return input.shape[2] // self.num_heads

    def _rotary_width(self, ctx: Context, width: Dim, turned: Dim) -> Dim:
        if not ctx.at_least(width - turned, 0, rounded=True):
            raise errors.constraint(
                f"rotary_dim is {ctx.value(turned)}, but the width of a head is {ctx.value(width)}",
                argument="rotary_dim",
            )
        return turned

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        heads = ctx.value(self.num_heads)
        part = f"{heads} heads"
        if self.rotary_dim is not None:
            part += f", {ctx.value(self.rotary_dim)} channels"
        return part

    def apply(self, code: Code, input: Expr, cos: Expr, sin: Expr) -> Expr:
        if self.rotary_dim is None:
            return call(self._function, input, cos, sin)
        kind = code.type("input")
        if kind.rank == 4:
            return self._rotate_first(code, input, cos, sin)
        split = TupleExpr((code.argument("num_heads"), lit(-1)))
        shape = (*kind.shape[:2], self.num_heads, kind.shape[2] // self.num_heads)
        heads = code.let(method(input, "unflatten", -1, split), shape, "heads")
        return method(self._rotate_first(code, heads, cos, sin), "flatten", -2)

    def _rotate_first(self, code: Code, heads: Expr, cos: Expr, sin: Expr) -> Expr:
        """The heads with their first rotary_dim channels rotated: [B, T, num_heads, W]."""
        end = code.argument("rotary_dim")
        first = subscript(heads, ..., Slice(stop=end))
        rest = subscript(heads, ..., Slice(start=end))
        turned = call(self._function, first, cos, sin)
        return call("torch.cat", TupleExpr((turned, rest)), dim=-1)
