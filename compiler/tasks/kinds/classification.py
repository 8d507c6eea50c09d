"""Classification: one of several classes for an image, a video, a sequence, a text or a row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from compiler.ir.typed import Instance
from compiler.tasks.class_weights import ClassWeights, check_class_weights
from compiler.tasks.data_facts import Answer, DataFacts
from compiler.tasks.example_inputs import INPUTS
from compiler.tasks.formulas import Share
from compiler.tasks.losses import CrossEntropy, Loss
from compiler.tasks.metrics import Better
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.supervised import Supervised
from compiler.tasks.teacher import Teacher


class Classification(Supervised):
    """One of several classes for an image, a video, a sequence, a text or a row of a table.

    The loss is the cross-entropy over the classes. The inputs of the network depend on the
    data: `image`, `video`, `sequence`, `tokens`, or `numbers` and `categories`. Every
    evaluation plots the confusion matrix. The final one adds baselines: for tables logistic
    regression (`.logistic`) and gradient boosting (`.boosting`), for images and videos the
    most frequent class (`.majority`) and the class whose mean is nearest (`.nearest`), for
    texts logistic regression on weighted words (`.tfidf`).

    Attributes:
        loss: cross_entropy, or a loss of classes of a plug-in.
        label_smoothing: target mass spread evenly over the classes (Szegedy et al., 2016).
        class_weights: factors of the loss by class, for those named; `balanced` weighs all classes the same, and a
            number is the exponent of the inverse frequency of a class. The mean factor of training examples is 1.
        teacher: knowledge distillation from another run.
    """

    answer: ClassVar[Answer] = "classes"
    output: ClassVar[str] = "logits"
    roles: ClassVar[tuple[Role, ...]] = (
        *INPUTS,
        Role("logits", "output", "float[B, classes]", "logits of the classes"),
    )
    metric: ClassVar[str] = "accuracy"
    better: ClassVar[Better] = "higher"
    measured: ClassVar[Mapping[str, Better]] = {"loss": "lower", "accuracy": "higher"}

    example: ClassVar[str] = """\
kind: classification
data: {digits: {augment: [{shift: {pixels: 1}}, {rotate: {degrees: 10}}]}}
label_smoothing: 0.1
epochs: 30
"""

    kind: Literal["classification"]
    loss: Loss = Field(default_factory=CrossEntropy)
    label_smoothing: Share = 0.0
    class_weights: ClassWeights | None = None
    teacher: Teacher | None = None

    def check_outputs(self, check: PortCheck, net: Instance, facts: DataFacts) -> None:
        self.check_loss(check, self.loss)
        check_class_weights(check, self.class_weights, facts.class_names, "class")
        check.output(net, "logits", "float", (FREE, facts.classes))
