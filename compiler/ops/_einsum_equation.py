"""The equation argument of einsum, such as `...ij, ...jk -> ...ik`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from string import ascii_letters

from compiler.dataclass import dataclass
from compiler.op import errors
from compiler.symbolic.tensor import TensorType

ELLIPSIS = "..."


@dataclass(frozen=True, slots=True)
class Equation:
    """The subscripts of each operand and of the output: letters, and at most one `...` each."""

    operands: tuple[tuple[str, ...], ...]
    output: tuple[str, ...] | None

    def labels(self, index: int, tensor: TensorType) -> tuple[str, ...]:
        """One label for each dimension of operand number `index`; dimensions under `...` are numbered.

        Raises:
            OpError: if the operand's rank does not fit its subscripts.
        """
        written = self.operands[index]
        covered = tensor.rank - len(written) + (ELLIPSIS in written)
        if covered < 0 or (covered and ELLIPSIS not in written):
            expected = f"{len(written)} dimensions for {''.join(written)}"
            raise errors.rank_mismatch(f"input {index + 1}", tensor, expected)
        return _expand_labels(written, covered)

    def result(self, inputs: Sequence[TensorType]) -> tuple[str, ...]:
        """One label for each dimension of the output.

        Without an explicit output (no `->`), these are the `...` dimensions, then the
        letters that occur exactly once, in alphabetical order, as in torch.einsum.
        """
        covered = max(
            tensor.rank - len(written) + 1 if ELLIPSIS in written else 0
            for written, tensor in zip(self.operands, inputs, strict=True)
        )
        if self.output is not None:
            return _expand_labels(self.output, covered)
        counts = Counter(x for operand in self.operands for x in operand)
        once = sorted(x for x, n in counts.items() if n == 1 and x != ELLIPSIS)
        return (*_expand_labels((ELLIPSIS,), covered), *once)


def _expand_labels(written: tuple[str, ...], covered: int) -> tuple[str, ...]:
    parts: list[str] = []
    for label in written:
        hidden = [f"{ELLIPSIS}{n}" for n in range(covered, 0, -1)]
        parts += hidden if label == ELLIPSIS else [label]
    return tuple(parts)


@cache
def parse_equation(text: str) -> Equation:
    """Parse an equation.

    Raises:
        OpError: if the text is not a valid equation.
    """
    left, arrow, right = text.partition("->")
    operands = tuple(_labels(part) for part in left.split(","))
    output = _labels(right) if arrow else None
    for label, count in Counter(output or ()).items():
        if count > 1:
            raise _invalid(f"{label} appears twice in the output")
        if label != ELLIPSIS and not any(label in operand for operand in operands):
            raise _invalid(f"{label} of the output is in no input")
    return Equation(operands, output)


def _labels(text: str) -> tuple[str, ...]:
    before, dots, after = text.replace(" ", "").partition(ELLIPSIS)
    for character in before + after:
        if character not in ascii_letters:
            raise _invalid(f"expected a letter or `...`, found {character!r}")
    return (*before, *((ELLIPSIS,) if dots else ()), *after)


def _invalid(message: str) -> errors.OpError:
    return errors.constraint(
        f"invalid equation: {message}",
        argument="equation",
        help="an equation looks like `bhid, bhjd -> bhij`",
    )
