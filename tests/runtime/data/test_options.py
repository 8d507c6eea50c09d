from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.runtime.data.section import read


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{strings: {shortest: 5, longest: 3}}", "larger than `longest`"),
        ("{strings: {count: 1000000000000000000}}", "less than or equal"),
        ("{idx: {images: a, labels: b, test_images: c}}", "come together"),
        ("{idx: {images: a, labels: b, test_labels: c}}", "come together"),
        ("{kjv: {tokens: {bpe: 4}}}", "greater than or equal"),
        ("{kjv: {tokens: {words: 1000000000000}}}", "less than or equal"),
        ("{csv: {path: c, columns: []}}", "at least 1 item"),
        ("{digits: {held_out: 1.0}}", "less than 1"),
        ("{text: {path: a, validation: b, held_out: 0.1}}", "exclude each other"),
        ("{digits: {form: sequences, augment: [flip]}}", "neither augmented"),
        ("{digits: {normalize: imagenet}}", "need 1 values"),
        ("{mnist: {normalize: {mean: [0.1], std: [0.0]}}}", "greater than 0"),
        (
            "{image_folder: {path: a, size: 8, range: -1..1, normalize: imagenet}}",
            "exclude each other",
        ),
        ("{mnist: {augment: [{color: {hue: 0.1}}]}}", "no saturation and no hue"),
        ("{mnist: {augment: [{rotat: {degrees: 1}}]}}", "no augmentation rotat"),
        ("{mnist: {augment: [rotate]}}", "rotate needs degrees"),
        ("{digits: {fold: 5}}", "there are 5 folds, from 0 on"),
        ("{mnist: {held_out: 0.3, fold: 3}}", "there are 3 folds, from 0 on"),
    ],
)
def test_invalid_options(data: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=message):
        read(data, tmp_path)
