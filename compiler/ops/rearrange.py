"""Splitting, reordering and merging dimensions with an einops pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compiler.codegen.python import Expr
from compiler.op import errors
from compiler.op.arg_types import NamedSizes
from compiler.op.combine_flows import regrouped, with_axes
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.op import Code, Shape, product
from compiler.op.registry import register
from compiler.ops._einops_pattern import ELLIPSIS, EinopsPattern, Group, parse_pattern
from compiler.ops._rearrange_code import rearrange_code
from compiler.ops._tensor_method import TensorMethod
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

_NO_SIZES: Mapping[str, Dim] = {}


@register("rearrange", torch="einops.rearrange")
class Rearrange(TensorMethod):
    """Splits, reorders and merges dimensions by an einops pattern: any[...] -> any[...].

    For example, `b t (h d) -> b h t d` with sizes {h: 8} splits the last dimension into
    8 heads. Names are local to the pattern; 1 and () are dimensions of size 1, and
    `...` is any number of dimensions. `sizes` are the sizes of axes; one axis per
    dimension can be inferred. Source: Rogozhnikov, "Einops", ICLR 2022.
    """

    pattern: str
    sizes: NamedSizes = _NO_SIZES  # type: ignore[assignment]

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        pattern = parse_pattern(self.pattern)
        self._check_sizes(ctx, pattern)
        found: dict[str, Shape] = {}
        for group, sizes in _align(pattern.left, input):
            if group == (ELLIPSIS,):
                found[ELLIPSIS] = sizes
            else:
                found |= self._split(ctx, group, sizes[0])
        parts = (_merged_size(group, found) for group in pattern.right)
        return input.with_shape(*(size for part in parts for size in part))

    @flow_rule("axes merged", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """Each dimension is split into its names, these move, and are merged again."""
        pattern, kind = parse_pattern(self.pattern), call.type("input")
        order: list[tuple[str, int]] = []
        atoms: list[Dim] = []
        for group, sizes in _align(pattern.left, kind):
            if group == (ELLIPSIS,):
                order += [(ELLIPSIS, n) for n in range(len(sizes))]
                atoms += sizes
                continue
            found = self._split(call.context, group, sizes[0])
            order += [(name, 0) for name in group]
            atoms += [found[name][0] for name in group]
        wide = regrouped(call, call["input"], kind.shape, tuple(atoms))
        hidden = [(ELLIPSIS, n) for n in range(len(kind.shape))]
        names = [name for group in pattern.right for name in group]
        wanted = [
            one
            for name in names
            for one in (hidden if name == ELLIPSIS else [(name, 0)])
            if one in order
        ]
        places = [order.index(one) for one in wanted]
        moved = with_axes(wide, places)
        shape = tuple(atoms[n] for n in places)
        return regrouped(call, moved, shape, call.outputs[0].shape)

    def _check_sizes(self, ctx: Context, pattern: EinopsPattern) -> None:
        for name, size in self.sizes.items():
            ctx.require_least(f"the size of {name}", size, 1)
            if name not in pattern.axes:
                raise errors.constraint(
                    f"the pattern has no axis {name}", argument="sizes"
                )

    def _split(self, ctx: Context, group: Group, size: Dim) -> dict[str, Shape]:
        """The sizes of the axes of one dimension; at most one of them is inferred."""
        unknown = [axis for axis in group if axis not in self.sizes]
        if len(unknown) > 1:
            raise errors.constraint(
                f"cannot infer the sizes of both {' and '.join(unknown)}",
                argument="sizes",
                help=f"give one: sizes: {{{unknown[0]}: ...}}",
            )
        known = product(self.sizes[axis] for axis in group if axis in self.sizes)
        rest = size // known if unknown else Dim.of(1)
        if not ctx.equal(rest * known, size):
            group_text = f"({' '.join(group)})" if len(group) != 1 else group[0]
            raise errors.constraint(
                f"{group_text} of the pattern does not match a dimension of size {ctx.value(size)}",
                argument="pattern",
                conditions=ctx.when_equal(rest * known, size),
            )
        return {axis: (self.sizes.get(axis, rest),) for axis in group}

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return self.pattern

    def apply(self, code: Code, input: Expr) -> Expr:
        sizes = {axis: code.size(size) for axis, size in self.sizes.items()}
        return rearrange_code(input, parse_pattern(self.pattern), sizes)


def _align(groups: Sequence[Group], input: TensorType) -> list[tuple[Group, Shape]]:
    """Each group of the pattern with the sizes it matches: one, or any number for `...`."""
    covered = input.rank - len(groups) + ((ELLIPSIS,) in groups)
    if covered < 0 or (covered and (ELLIPSIS,) not in groups):
        wanted = f"{len(groups)} dimensions to match the pattern"
        raise errors.rank_mismatch("input", input, wanted)
    aligned: list[tuple[Group, Shape]] = []
    start = 0
    for group in groups:
        width = covered if group == (ELLIPSIS,) else 1
        aligned.append((group, input.shape[start : start + width]))
        start += width
    return aligned


def _merged_size(group: Group, found: Mapping[str, Shape]) -> Shape:
    if group == (ELLIPSIS,):
        return found[ELLIPSIS]
    return (product(found[axis][0] for axis in group),)
