"""The code of attention masks for F.scaled_dot_product_attention, where True means attend."""

from __future__ import annotations

from collections.abc import Callable

from compiler.codegen.python import (
    Binary,
    Compare,
    Conditional,
    Expr,
    Slice,
    attr,
    call,
    lit,
    method,
    subscript,
)
from compiler.op.op import Code, Shape
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


def attn_mask(
    code: Code, near: Expr | None, mask: Expr | None, bias: Expr | None
) -> Expr:
    """The `attn_mask` argument of F.scaled_dot_product_attention.

    It combines up to three parts, at least one of which is given: `near`, the keys
    allowed by causality and window; `mask`, the keys allowed by the input `mask`; and
    `bias`, added to the scores of the allowed keys. The mask and the bias may be None
    at run time.
    """
    optional = mask is not None and near is None and mask_is_optional(code)
    admitted = near if mask is None else _admitted(code, near, mask)
    if admitted is None:
        assert bias is not None
        return bias
    if near is not None or bias is not None:
        admitted = code.let(admitted, _shape(code, near, mask), "admitted")
    if bias is None:
        return admitted
    return _combine_optional(
        (admitted, optional), (bias, code.optional("bias")), _bias_admitted
    )


def admitted_or_none(code: Code, near: Expr, mask: Expr) -> Expr:
    """The keys that both `near` and an optional mask allow, or None at run time without the mask."""
    both = Binary("&", near, _broadcastable(code, mask))
    shape = _shape(code, near, mask)
    return code.let(unless_none(mask, True, both, lit(None)), shape, "admitted")


def _admitted(code: Code, near: Expr | None, mask: Expr) -> Expr:
    optional = mask_is_optional(code)
    aligned = _broadcastable(code, mask)
    if near is None:
        return unless_none(mask, optional, aligned, lit(None))
    if optional:
        near = code.let(near, _shape(code, near, None), "near")
    return unless_none(mask, optional, Binary("&", near, aligned), near)


def _broadcastable(code: Code, mask: Expr) -> Expr:
    """The mask with dimensions inserted so that it broadcasts to the scores, [B, num_heads, T, S]."""
    added = _missing_dims(code)
    return subscript(mask, Slice(), *[None] * added) if added else mask


def _missing_dims(code: Code) -> int:
    """How many dimensions to insert after the mask's first one."""
    kind = mask_type(code)
    if kind.rank == 2 and kind.shape[0] != code.type("query").shape[1]:
        return 2
    return 1 if kind.rank == 3 else 0


def mask_is_optional(code: Code) -> bool:
    """Whether the mask may be None at run time; one that is kept between pieces is typed so."""
    return code.optional("mask") or code.keeps("mask")


def mask_type(code: Code) -> TensorType:
    """The type of the mask; one that is kept between pieces is bool[B, S]."""
    kind = code.type("mask")
    return (
        kind.with_shape(kind.shape[0], kind.shape[-1]) if code.keeps("mask") else kind
    )


def _shape(code: Code, near: Expr | None, mask: Expr | None) -> Shape:
    """The shape of the combined mask of allowed keys."""
    pairs = code.type("query").shape[1], code.type("key").shape[1]
    if mask is None:
        return pairs
    first, *rest = mask_type(code).shape
    full = (first, *[Dim.of(1)] * _missing_dims(code), *rest)
    return full if near is None else full[:-2] + pairs


def _bias_admitted(admitted: Expr, bias: Expr) -> Expr:
    return call("torch.where", admitted, bias, float("-inf"))


def _combine_optional(
    left: tuple[Expr, bool],
    right: tuple[Expr, bool],
    both: Callable[[Expr, Expr], Expr],
) -> Expr:
    """`both(left, right)`, or the other one if one is None at run time. Each comes with whether it may be None."""
    value = unless_none(*right, both(left[0], right[0]), left[0])
    return unless_none(*left, value, right[0])


def unless_none(tested: Expr, optional: bool, value: Expr, other: Expr) -> Expr:
    """`other if tested is None else value`; just `value` if `tested` cannot be None."""
    if not optional:
        return value
    return Conditional(Compare("is", tested, lit(None)), other, value)


def all_true(rows: Expr, columns: Expr, like: Expr) -> Expr:
    """`like.new_ones(rows, columns, dtype=torch.bool)`, which is on the device of `like`."""
    return method(like, "new_ones", rows, columns, dtype=attr("torch", "bool"))


def size(value: Expr, axis: int) -> Expr:
    """`value.shape[axis]`."""
    return subscript(attr(value, "shape"), axis)


def band_mask(
    square: Expr, is_causal: bool, window: Expr | None, past: Expr | None = None
) -> Expr:
    """Restrict a matrix of True to the keys near each query: `x.tril().triu(1 - window)`.

    There are `past` more keys than queries, which come first.
    """
    if is_causal:
        square = method(square, "tril", *([] if past is None else [past]))
    elif window is not None:
        ahead = Binary("-", window, lit(1))
        square = method(
            square, "tril", ahead if past is None else Binary("+", past, ahead)
        )
    if window is None:
        return square
    first = lit(1) if past is None else Binary("+", past, lit(1))
    return method(square, "triu", Binary("-", first, window))
