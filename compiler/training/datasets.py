"""The data sets that a task may name: one file each under `compiler/training/data`."""

from __future__ import annotations

from typing import ClassVar

from compiler.training.base import Choice
from compiler.training.data.co2 import Co2
from compiler.training.data.csv import Csv
from compiler.training.data.digits import Digits
from compiler.training.data.idx import Idx
from compiler.training.data.image_folder import ImageFolder
from compiler.training.data.kjv import Kjv
from compiler.training.data.labelled_text import LabelledText
from compiler.training.data.mnist import Mnist
from compiler.training.data.pairs import Pairs
from compiler.training.data.strings import Strings
from compiler.training.data.sunspots import Sunspots
from compiler.training.data.testaments import Testaments
from compiler.training.data.text import Text
from compiler.training.data.verses import Verses


class DataSet(Choice):
    """One data set, with its options."""

    what: ClassVar[str] = "data set"
    example: ClassVar[str] = "data: digits, or data: {digits: {shift: 1}}"

    co2: Co2 | None = None
    csv: Csv | None = None
    digits: Digits | None = None
    idx: Idx | None = None
    image_folder: ImageFolder | None = None
    kjv: Kjv | None = None
    labelled_text: LabelledText | None = None
    mnist: Mnist | None = None
    pairs: Pairs | None = None
    strings: Strings | None = None
    sunspots: Sunspots | None = None
    testaments: Testaments | None = None
    text: Text | None = None
    verses: Verses | None = None
