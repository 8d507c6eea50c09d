"""What data sets split by: a random fraction, or files of their own."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from compiler.language.model import fault
from compiler.tasks.data_set import DataSet, File
from compiler.tasks.formulas import Count, Share

_ROUNDING = 1e-9


class RandomSplit(DataSet):
    """A data set of which a fraction is held out at random.

    Attributes:
        held_out: fraction held out of each class; 0: train on everything, without evaluations.
        split_seed: random seed of the split.
        fold: number of the fold that is held out, for cross-validation with 1 / held_out folds.
    """

    held_out: Share = 0.2
    split_seed: Count = 0
    fold: Count = 0

    @model_validator(mode="after")
    def _fold(self) -> Self:
        """Check that there is such a fold."""
        if self.fold and (self.fold + 1) * self.held_out > 1 + _ROUNDING:
            folds = int(1 / self.held_out + _ROUNDING)
            message = (
                f"with held_out: {self.held_out:g} there are {folds} folds, from 0 on"
            )
            raise fault("bad-value", message)
        return self


class OwnFiles(DataSet):
    """A data set at a path, whose parts may be at paths of their own.

    Attributes:
        validation: what training is evaluated on, in the form of `path`; default: a fraction of `path` is held out.
        test: what `evaluate` uses, in the form of `path`; default: what training is evaluated on.
    """

    validation: File | None = None
    test: File | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        """Check that data is held out in one way."""
        if self.validation is not None and "held_out" in self.model_fields_set:
            message = "`held_out` and `validation` exclude each other"
            raise fault("bad-value", message, at=("held_out",), key=True)
        return self

    @property
    def holds_out(self) -> bool:
        return self.validation is not None or super().holds_out
