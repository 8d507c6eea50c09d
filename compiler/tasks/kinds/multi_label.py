"""Multi-label classification: which of several labels apply to an image, a sequence, a text or a row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from compiler.ir.typed import Instance
from compiler.tasks.class_weights import ClassWeights, check_class_weights
from compiler.tasks.data_facts import Answer, DataFacts
from compiler.tasks.example_inputs import INPUTS
from compiler.tasks.formulas import Share
from compiler.tasks.losses import BinaryCrossEntropy, Loss
from compiler.tasks.metrics import Better
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.supervised import Supervised


class MultiLabel(Supervised):
    """Which of several labels apply to an image, a sequence, a text or a row of a table.

    The loss is the binary cross-entropy of each label. Every evaluation has the mean F1 of the
    labels (`f1`) and the fraction of examples whose labels are all right (`exact`), and a table
    of the labels. The final evaluation adds baselines: all labels for every example (`.all`), and
    for tables logistic regression (`.logistic`) and gradient boosting (`.boosting`).

    Attributes:
        loss: bce, or a loss of labels of a plug-in.
        threshold: probability from which a label is predicted.
        class_weights: factors of the loss where a label applies, for those named; `balanced` makes that and the rest
            weigh the same, and a number is the exponent of the factor that does.
    """

    answer: ClassVar[Answer] = "labels"
    output: ClassVar[str] = "logits"
    roles: ClassVar[tuple[Role, ...]] = (
        *INPUTS,
        Role("logits", "output", "float[B, labels]", "logits of the labels"),
    )
    metric: ClassVar[str] = "f1"
    better: ClassVar[Better] = "higher"
    measured: ClassVar[Mapping[str, Better]] = {
        "loss": "lower",
        "f1": "higher",
        "exact": "higher",
    }

    example: ClassVar[str] = """\
kind: multi_label
data: {table: {path: films.csv, labels: [comedy, drama, thriller]}}
class_weights: balanced
metrics: [auroc]
"""

    kind: Literal["multi_label"]
    loss: Loss = Field(default_factory=BinaryCrossEntropy)
    threshold: Share = 0.5
    class_weights: ClassWeights | None = None

    def check_outputs(self, check: PortCheck, net: Instance, facts: DataFacts) -> None:
        self.check_loss(check, self.loss)
        check_class_weights(check, self.class_weights, facts.labels, "label")
        check.output(net, "logits", "float", (FREE, len(facts.labels) or None))
