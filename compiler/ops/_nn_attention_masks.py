"""Masks of torch's own attention, which are the language's the other way round."""

from __future__ import annotations

from compiler.codegen.python import Binary, Expr, Name, Unary, lit, method
from compiler.op.context import Context
from compiler.op.op import Code, Shape
from compiler.ops._sdpa_mask import all_true, size, unless_none
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


def require_padding_mask(
    ctx: Context, op: str, port: str, mask: TensorType | None, key: TensorType
) -> None:
    """A mask of keys is bool[B, S] where keys are [B, S, E], or absent."""
    if mask is not None:
        message = f"{op} needs {port} as bool[B, S]"
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
    """A mask of pairs is bool[T, S], [B, T, S] or [B * heads, T, S], or absent."""
    if mask is None:
        return
    shape: Shape = (query.shape[-2], key.shape[-2])
    ctx.require_rank(port, mask, 2, 3)
    if mask.rank == 3 and not _per_batch(mask, query):
        batch = query.shape[0] if query.rank == 3 else Dim.of(1)
        shape = (batch * heads, *shape)
    elif mask.rank == 3:
        shape = (query.shape[0], *shape)
    message = f"{op} needs {port} as bool[T, S] or bool[B, T, S]"
    _require_shape(ctx, message, port, mask, shape)


def _require_shape(
    ctx: Context, message: str, port: str, tensor: TensorType, shape: Shape
) -> None:
    ctx.require_rank(port, tensor, len(shape))
    for given, wanted in zip(tensor.shape, shape, strict=True):
        ctx.require_equal(message, given, wanted, port)


def _per_batch(mask: TensorType, query: TensorType) -> bool:
    """Whether a mask of rank 3 is [B, T, S]: by how its first size is written."""
    return query.rank == 3 and mask.shape[0] == query.shape[0]


def padding_mask(code: Code, port: str, mask: Expr | None) -> dict[str, Expr]:
    """The mask of keys as an argument of torch's, where true is left out."""
    if mask is None:
        return {}
    blocked = Unary("~", mask)
    return {port: unless_none(mask, code.optional(port), blocked, lit(None))}


def later_keys(
    code: Code, query: Expr, key: Expr, types: tuple[TensorType, TensorType]
) -> Name:
    """The keys that come after each query, true, in a variable."""
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
    """The mask of pairs that torch takes, where true is left out; None without one."""
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
