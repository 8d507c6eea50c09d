"""The options that all data sets of images have."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from compiler.language.model import Model, fault
from compiler.tasks.augmentations import Augmentations, colour_changes
from compiler.tasks.data_set import DataSet
from compiler.tasks.formulas import Positive, Real
from compiler.tasks.list_options import AS_TUPLE
from compiler.tasks.ports import PortCheck

IMAGENET: Final = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
"""Mean and standard deviation of the colours of ImageNet, which published networks are trained with."""


Fit = Literal["stretch", "crop", "pad"]
"""How an image of another aspect ratio becomes a square."""


class Normalization(Model):
    """Each channel less its mean, by its standard deviation; of values from 0 to 1.

    Attributes:
        mean: mean of each channel.
        std: standard deviation of each channel.
    """

    mean: Annotated[tuple[Real, ...], AS_TUPLE] = Field(min_length=1)
    std: Annotated[tuple[Positive, ...], AS_TUPLE] = Field(min_length=1)


Normalize = Annotated[
    Normalization, BeforeValidator(lambda v: IMAGENET if v == "imagenet" else v)
]


class ImageData(DataSet):
    """A data set of images.

    Attributes:
        augment: random changes of training images, in this order.
        range: the pixel values of black and white.
        normalize: mean and standard deviation of each channel; of published networks, `imagenet`.
    """

    augment: Augmentations = ()
    range: Literal["0..1", "-1..1"] = "0..1"
    normalize: Literal["imagenet"] | Normalization | None = None

    @property
    def channel_scale(self) -> Normalization | None:
        """The normalization, with its figures."""
        if self.normalize == "imagenet":
            return Normalization.model_validate(IMAGENET)
        return self.normalize

    @model_validator(mode="after")
    def _fits_channels(self) -> Self:
        """Check that the options fit the number of channels."""
        channels = (self.facts().image or (None,))[0]
        scale = self.channel_scale
        if scale is not None and self.range != "0..1":
            message = "`normalize` and `range` exclude each other"
            raise fault("bad-value", message, at=("normalize",), key=True)
        if scale is not None and {len(scale.mean), len(scale.std)} != {channels}:
            message = f"images have {channels} channels: `mean` and `std` need {channels} values"
            raise fault("bad-value", message, at=("normalize",))
        if channels == 1 and colour_changes(self.augment):
            message = "grey images have no saturation and no hue"
            raise fault("bad-value", message, at=("augment",))
        return self


def check_not_normalized(check: PortCheck, data: DataSet) -> None:
    """Report normalized images where images are an output of the network: `range` has the values for that."""
    if getattr(data, "normalize", None) is not None:
        message = f"{check.kind} needs images in a range, not normalized"
        help = "remove `normalize`; `range` is 0..1 or -1..1"
        path = ("data", data.name, "normalize")
        check.report("data-misfit", path, message, help=help)
