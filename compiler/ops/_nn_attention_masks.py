"""Masks for nn.MultiheadAttention and nn.Transformer*, where True means blocked: the opposite of a spec's masks."""

from __future__ import annotations

from compiler.codegen.python import Binary, Expr, Unary, lit, method
from compiler.op.context import Context
from compiler.op.op import Code, Shape
from compiler.ops._sdpa_mask import all_true, size, unless_none
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


def require_padding_mask(
    ctx: Context, op: str, port: str, mask: TensorType | None, key: TensorType
) -> None:
    """Check that a mask of keys, if there is one, is bool[B, S] for keys of shape [B, S, E]."""
    if mask is not None:
        message = f"{op} needs {port} of type bool[B, S]"
        _require_shape(ctx, message, port, mask, key.shape[:-1])


def require_mask(
    ctx: Context,
    op: str,
    port: str,
    mask: TensorType | None,
    query: TensorType,
    key: TensorType,
    heads: Dim,
) -> None:
    """Check that a mask of query-key pairs, if there is one, is bool[T, S], [B, T, S] or [B * heads, T, S]."""
    if mask is None:
        return
    shape: Shape = (query.shape[-2], key.shape[-2])
    ctx.require_rank(port, mask, 2, 3)
    if mask.rank == 3 and not _per_batch(mask, query):
        batch = query.shape[0] if query.rank == 3 else Dim.of(1)
        shape = (batch * heads, *shape)
    elif mask.rank == 3:
        shape = (query.shape[0], *shape)
    message = f"{op} needs {port} of type bool[T, S] or bool[B, T, S]"
    _require_shape(ctx, message, port, mask, shape)


def _require_shape(
    ctx: Context, message: str, port: str, tensor: TensorType, shape: Shape
) -> None:
    ctx.require_rank(port, tensor, len(shape))
    for given, wanted in zip(tensor.shape, shape, strict=True):
        ctx.require_equal(message, given, wanted, port)


def _per_batch(mask: TensorType, query: TensorType) -> bool:
    """Whether a 3D mask is [B, T, S] rather than [B * heads, T, S]: its first size is the query's B."""
    return query.rank == 3 and mask.shape[0] == query.shape[0]


def padding_mask(code: Code, port: str, mask: Expr | None) -> dict[str, Expr]:
    """Torch's keyword for a mask of keys, inverted so that True means blocked; empty without a mask."""
    if mask is None:
        return {}
    blocked = Unary("~", mask)
    return {port: unless_none(mask, code.optional(port), blocked, lit(None))}


def later_keys(
    code: Code, query: Expr, key: Expr, types: tuple[TensorType, TensorType]
) -> Expr:
    """A local variable that is True for the keys after each query: bool[T, S]."""
    axis = types[1].rank - 2
    later = method(all_true(size(query, axis), size(key, axis), query), "triu", 1)
    return code.let(later, (types[0].shape[axis], types[1].shape[axis]), "later")


def blocked_pairs(
    code: Code,
    port: str,
    mask: Expr | None,
    later: Expr | None,
    query: TensorType,
    heads: Expr,
) -> Expr | None:
    """The mask of query-key pairs for torch's module, where True means blocked; None if nothing is blocked."""
    if mask is None:
        return later
    blocked = Unary("~", mask)
    kind = code.type(port)
    one: Expr = blocked
    if kind.rank == 3 and _per_batch(kind, query):
        one = method(blocked, "repeat_interleave", heads, dim=0)
    both = one if later is None else Binary("|", later, one)
    other = lit(None) if later is None else later
    return unless_none(mask, code.optional(port), both, other)
