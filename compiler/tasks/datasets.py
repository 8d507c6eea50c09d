"""The data sets that a task may name: one file each under `compiler/tasks/data`."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.choices import Choice
from compiler.tasks.data.co2 import Co2
from compiler.tasks.data.csv import Csv
from compiler.tasks.data.digits import Digits
from compiler.tasks.data.idx import Idx
from compiler.tasks.data.image_folder import ImageFolder
from compiler.tasks.data.kjv import Kjv
from compiler.tasks.data.labelled_text import LabelledText
from compiler.tasks.data.mnist import Mnist
from compiler.tasks.data.pairs import Pairs
from compiler.tasks.data.strings import Strings
from compiler.tasks.data.sunspots import Sunspots
from compiler.tasks.data.testaments import Testaments
from compiler.tasks.data.text import Text
from compiler.tasks.data.verses import Verses


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
