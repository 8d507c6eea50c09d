"""Embeddings of tokens and of positions."""

from __future__ import annotations

from typing import Final, Literal

from compiler.codegen.python import (
    Binary,
    Call,
    Compare,
    Expr,
    attr,
    call,
    lit,
    subscript,
)
from compiler.codegen.statements import ExprStatement, If, Stmt
from compiler.op import errors
from compiler.op.arg_types import Axis, Count, Integer, Positive, Size
from compiler.op.context import Context
from compiler.op.flow_rules import appends_axis, positions
from compiler.op.op import ANY, NUMBER, Code, Colour, Op, Port, Shape
from compiler.op.registry import register
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

COLOUR: Final[Colour] = "violet"


@register("embedding", torch="torch.nn.Embedding")
class Embedding(Op):
    """Token embedding, a learned vector per token: int[...] -> float[..., embedding_dim].

    Tokens go from 0 to num_embeddings - 1. The vector of `padding_idx` is initialised
    to zeros and not trained. With `max_norm`, vectors whose `norm_type`-norm is larger
    are rescaled in place when they are used. `sparse` gradients need an optimizer that
    supports them.
    """

    num_embeddings: Size
    embedding_dim: Size
    padding_idx: Integer | None = None
    max_norm: Positive | None = None
    norm_type: float = 2.0
    scale_grad_by_freq: bool = False
    sparse: bool = False

    module = "nn.Embedding"
    positional = ("num_embeddings", "embedding_dim")
    inputs = (Port("input", ("int",)),)
    flow = appends_axis

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        require_padding(ctx, self.padding_idx, self.num_embeddings)
        return TensorType("float", (*input.shape, self.embedding_dim))

    def weights(self, input: TensorType) -> dict[str, Shape]:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    def restore(self, module: Expr) -> tuple[Stmt, ...]:
        return () if self.padding_idx is None else padding_zeros(module)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{ctx.value(self.num_embeddings)} → {ctx.value(self.embedding_dim)}"


def require_padding(ctx: Context, padding: Dim | None, embeddings: Dim) -> None:
    """Check that `padding_idx`, if it is set, is the index of an embedding."""
    if padding is None:
        return
    index = ctx.constant(padding, "padding_idx", "padding_idx")
    count = ctx.constant(embeddings, "num_embeddings", "num_embeddings")
    if not -count <= index < count:
        raise errors.constraint(
            f"padding_idx is {index}, but there are {count} embeddings",
            argument="padding_idx",
        )


def padding_zeros(module: Expr) -> tuple[Stmt, ...]:
    """`if m.padding_idx is not None: init.zeros_(m.weight[m.padding_idx])`."""
    index = attr(module, "padding_idx")
    row = subscript(attr(module, "weight"), index)
    zero = ExprStatement(call("init.zeros_", row))
    return (If(Compare("is not", index, lit(None)), (zero,)),)


def position_range(
    code: Code, input: Expr, dim: Expr, first: Expr | None = None
) -> Call:
    """`torch.arange(x.shape[1], device=x.device)`, optionally from another first number."""
    length: Expr = subscript(attr(input, "shape"), dim)
    before = code.offset()
    if before is not None:
        length = Binary("+", before, length)
    start, end = before, length
    if first is not None:
        start = first if before is None else Binary("+", before, first)
        end = Binary("+", length, first)
    ends = (end,) if start is None else (start, end)
    return call("torch.arange", *ends, device=attr(input, "device"))


def _bound_hint(length: Dim, most: Dim) -> str:
    """The help that says how to bound a length."""
    if length.constant is not None:
        return ""
    if length.alone is not None:
        return f"declare dims: {{{length}: {{max: {most}}}}}"
    return f"holds when {length} <= {most}"


@register("position_embedding", torch="torch.nn.Embedding")
class PositionEmbedding(Op):
    """A learned vector per position: any[B, T, ...] -> float[T, embedding_dim].

    The input only supplies T, the size of its dimension `dim`. T must be at most
    num_embeddings - offset: declare `dims: {T: {max: ...}}`. `offset` is the row of
    position 0; the rows before it are unused, but exist in some published checkpoints.
    """

    num_embeddings: Size
    embedding_dim: Size
    dim: Axis = 1
    offset: Count = Dim.of(0)

    module = "nn.Embedding"
    positional = ("num_embeddings", "embedding_dim")
    omitted = ("dim", "offset")
    chains = False
    inputs = (Port("input", ANY),)
    flow = positions

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        length = input.shape[ctx.axis(self.dim, input.rank)]
        self._require_bound(ctx, length, self.num_embeddings - self.offset)
        return TensorType("float", (length, self.embedding_dim))

    def _require_bound(self, ctx: Context, length: Dim, count: Dim) -> None:
        if ctx.at_least(count - length, 0):
            return
        length, count = ctx.value(length), ctx.value(count)
        most = ctx.domain.upper(length)
        reach = f"can be up to {most}" if most is not None else "is unbounded"
        raise errors.constraint(
            f"there are {count} positions, but {length} {reach}",
            port="input",
            help=_bound_hint(length, count),
        )

    def weights(self, input: TensorType) -> dict[str, Shape]:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        count, width = ctx.value(self.num_embeddings), ctx.value(self.embedding_dim)
        return f"{count} positions → {width}"

    def apply(self, code: Code, input: Expr) -> Expr:
        first = code.argument("offset") if code.given("offset") else None
        places = position_range(code, input, code.argument("dim"), first)
        return call(code.module(), places)


@register("sinusoidal_encoding", torch="")
class SinusoidalEncoding(Op):
    """Fixed sine and cosine position encoding: any[B, T, ...] -> float[T, embedding_dim].

    The input only supplies T, the size of its dimension `dim`, and the default of
    embedding_dim if it is float[..., embedding_dim]. There are no weights, and T is
    unbounded. Add the output to the token embeddings.

    Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.5.
    """

    embedding_dim: Size | None = None
    base: Positive = 10000.0
    dim: Axis = 1

    module = "SinusoidalEncoding"
    library = "sinusoidal_encoding"
    omitted = ("embedding_dim",)
    inputs = (Port("input", NUMBER),)
    flow = positions

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        length = input.shape[ctx.axis(self.dim, input.rank)]
        if self.embedding_dim is None and input.kind != "float":
            raise errors.constraint(
                "sinusoidal_encoding needs embedding_dim if its input is not float"
            )
        width = self._width(input)
        ctx.constant(width, "embedding_dim", "embedding_dim")
        return TensorType("float", (length, width))

    def _width(self, input: TensorType) -> Dim:
        return input.shape[-1] if self.embedding_dim is None else self.embedding_dim

    def inferred(self, input: TensorType) -> dict[str, Dim]:
        return {"embedding_dim": self._width(input)}

    def apply(self, code: Code, input: Expr) -> Expr:
        return call(code.module(), input, **offset_argument(code))


@register("sinusoidal_embedding", torch="")
class SinusoidalEmbedding(Op):
    """Sines and cosines of given numbers: number[...] -> float[..., embedding_dim].

    Use it for the time of a diffusion, for relative positions, or for rows and columns.
    The angle of pair i is `scale * x / base ** (i / (h - shift))`, where h is half of
    embedding_dim. `order` says where the two of a pair are: all sines first (`sin cos`),
    all cosines first (`cos sin`), or each sine beside its cosine (`pairs`).

    Source: Ho et al., "Denoising Diffusion Probabilistic Models", 2020, appendix B.
    """

    embedding_dim: Size
    base: Positive = 10000.0
    shift: float = 0.0
    scale: float = 1.0
    order: Literal["sin cos", "cos sin", "pairs"] = "sin cos"

    module = "SinusoidalEmbedding"
    library = "sinusoidal_embedding"
    positional = ("embedding_dim",)
    inputs = (Port("input", NUMBER),)
    flow = appends_axis

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        width = ctx.constant(self.embedding_dim, "embedding_dim", "embedding_dim")
        if width % 2:
            message = f"embedding_dim holds pairs, and is {width}"
            raise errors.constraint(message, argument="embedding_dim")
        if self.shift >= width // 2:
            message = f"shift is less than half of embedding_dim, {width // 2}"
            raise errors.constraint(message, argument="shift")
        return TensorType("float", (*input.shape, self.embedding_dim))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{ctx.value(self.embedding_dim)} waves"


def offset_argument(code: Code) -> dict[str, Expr]:
    """`offset=at`, for a library module that begins at the first position of a piece."""
    before = code.offset()
    return {} if before is None else {"offset": before}
