"""Knowledge distillation: a network that learns from another one, which was trained before."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from compiler.language.model import Model
from compiler.tasks.data_set import File
from compiler.tasks.formulas import NotNegative, Positive


class Teacher(Model):
    """A trained network whose probabilities are learned beside the classes (Hinton et al., 2015).

    Attributes:
        run: the folder of its run, which has the same data.
        temperature: divisor of both networks' logits; with a higher one, improbable classes matter more.
        weight: fraction of the loss that is the divergence from the teacher's probabilities.
    """

    run: File
    temperature: Positive = 2.0
    weight: Annotated[NotNegative, Field(le=1)] = 0.5
