"""Files or folders of their own for validation and test, and data of which nothing is held out."""

from io import BytesIO
from pathlib import Path

import pytest
import soundfile
import torch

from runtime.data.dataset import DataSplits, fingerprints
from tests.runtime.data.errors_of_images import png
from tests.runtime.data.section import Files, read


def sizes(data: DataSplits) -> tuple[int, int, int]:
    return len(data.train), len(data.held_out), len(data.test or ())  # type: ignore[arg-type]


def silence() -> bytes:
    """A WAV file of a tenth of a second."""
    file = BytesIO()
    soundfile.write(file, [0.0] * 1600, 16000, format="WAV")
    return file.getvalue()


TEXTS: Files = {"t": "abc" * 100, "v": "ab" * 40, "u": "c" * 60}
ROWS: Files = {
    "t": "x\tone\ny\ttwo\nx\tone one\ny\ttwo two\n" * 5,
    "v": "y\tone\n",
    "u": "x\ttwo\ny\ttwo\n",
}
CONLL: Files = {
    "t": "Ann B\nran O\n\n" * 10,
    "v": "Bob B\n\nran O\n",
    "u": "he O\n",
}
ARTICLE = (
    '{"paragraphs": [{"context": "a sea", "qas": [{"question": "what", '
    '"answers": [{"text": "sea", "answer_start": 2}]}]}]}'
)
SQUAD: Files = {
    name: f'{{"data": [{", ".join([ARTICLE] * count)}]}}'
    for name, count in (("t", 10), ("v", 1), ("u", 2))
}
DIALOGUE = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
DIALOGUES: Files = {"t": DIALOGUE * 10, "v": DIALOGUE, "u": DIALOGUE * 2}
SPEECH: Files = {
    "a.wav": silence(),
    "t": "a.wav\tone\n" * 10,
    "v": "a.wav\ttwo\n",
    "u": "a.wav\tone\n" * 2,
}
TABLES: Files = {
    "t": "a\n" + "".join(f"{i}\n" for i in range(30)),
    "v": "a\n" + "".join(f"{i}\n" for i in range(100, 110)),
    "u": "a\n5\n" + "7\n" * 7,
}
OWN = "path: t, validation: v, test: u"


@pytest.mark.parametrize(
    ("data", "files", "expected"),
    [
        (f"{{text: {{{OWN}, length: 10}}}}", TEXTS, (29, 7, 5)),
        (f"{{labelled_text: {{{OWN}}}}}", ROWS, (20, 1, 2)),
        (f"{{pairs: {{{OWN}}}}}", ROWS, (20, 1, 2)),
        (f"{{csv: {{{OWN}, columns: [a], length: 4}}}}", TABLES, (26, 6, 4)),
        (f"{{conll: {{{OWN}}}}}", CONLL, (10, 2, 1)),
        (f"{{squad: {{{OWN}}}}}", SQUAD, (10, 1, 2)),
        (f"{{dialogues: {{{OWN}, tokens: characters}}}}", DIALOGUES, (10, 1, 2)),
        (f"{{speech: {{{OWN}}}}}", SPEECH, (10, 1, 2)),
        ("{text: {path: t, held_out: 0, length: 10}}", TEXTS, (29, 0, 0)),
        ("{labelled_text: {path: t, held_out: 0}}", ROWS, (20, 0, 0)),
        ("{pairs: {path: t, held_out: 0}}", ROWS, (20, 0, 0)),
        ("{csv: {path: t, columns: [a], length: 4, held_out: 0}}", TABLES, (26, 0, 0)),
        ("{conll: {path: t, held_out: 0}}", CONLL, (10, 0, 0)),
        ("{squad: {path: t, held_out: 0}}", SQUAD, (10, 0, 0)),
        (
            "{dialogues: {path: t, held_out: 0, tokens: characters}}",
            DIALOGUES,
            (10, 0, 0),
        ),
        ("{speech: {path: t, held_out: 0}}", SPEECH, (10, 0, 0)),
        ("{digits: {held_out: 0}}", {}, (1797, 0, 0)),
        ("{text: {path: t, test: u, length: 10}}", TEXTS, (26, 2, 5)),
    ],
)
def test_parts(
    data: str, files: Files, expected: tuple[int, int, int], tmp_path: Path
) -> None:
    found = read(data, tmp_path, files)
    assert sizes(found) == expected
    names = {"train", "held_out"} | ({"test"} if found.test is not None else set())
    assert fingerprints(found).keys() == names


def test_vocabulary_and_scale_are_of_the_training_file(tmp_path: Path) -> None:
    text = read(f"{{text: {{{OWN}, length: 10}}}}", tmp_path, {**TEXTS, "v": "xyz" * 9})
    assert text.facts.vocab == 4  # a, b, c, and what is unknown
    assert text.held_out.__getitems__([0])["tokens"].unique().tolist() == [0]
    table = read(f"{{csv: {{{OWN}, columns: [a], length: 4}}}}", tmp_path / "s", TABLES)
    mean, std = (
        torch.tensor(table.metadata["series"][0][key]) for key in ("mean", "std")
    )
    assert mean == pytest.approx(14.5)
    first = table.held_out.__getitems__([0])
    values = first["past"].flatten() * std + mean
    assert values.tolist() == pytest.approx([100, 101, 102, 103], abs=1e-3)


def test_characters_per_token_are_of_the_part(tmp_path: Path) -> None:
    option = f"{OWN}, length: 3, tokens: {{words: 8}}"
    files = {"t": "one two " * 30, "v": "one " * 30, "u": "threes " * 30}
    data = read(f"{{text: {{{option}}}}}", tmp_path, files)
    assert data.metadata["characters_per_token"] == 4
    tested = data.held_out_test()
    assert tested.metadata["characters_per_token"] == 7
    assert tested.held_out is data.test


COLOURS = {"a": "red", "b": "blue"}


def images(*folders: str, count: int = 2) -> Files:
    return {
        f"{folder}/{name}/{i}.png": png(colour)
        for folder in folders
        for name, colour in COLOURS.items()
        for i in range(count)
    }


@pytest.mark.parametrize(
    ("options", "folders", "expected"),
    [
        ("path: p", ("p/train", "p/val", "p/test"), (4, 4, 4)),
        ("path: p", ("p/train", "p/validation"), (4, 4, 0)),
        ("path: p", ("p/train", "p/test"), (2, 2, 4)),
        ("path: p, validation: v, test: u", ("p", "v", "u"), (4, 4, 4)),
        ("path: p, held_out: 0", ("p",), (4, 0, 0)),
        ("path: p, held_out: 0", ("p/train", "p/test"), (4, 0, 4)),
    ],
)
def test_image_folders(
    options: str,
    folders: tuple[str, ...],
    expected: tuple[int, int, int],
    tmp_path: Path,
) -> None:
    held_out = (
        ""
        if "held_out" in options or "val" in f"{options}{folders}"
        else ", held_out: 0.5"
    )
    data = f"{{image_folder: {{{options}, size: 4{held_out}}}}}"
    found = read(data, tmp_path, images(*folders))
    assert sizes(found) == expected
    assert found.metadata["classes"] == ["a", "b"]
    part = found.test if found.test is not None else found.train
    batch = part.__getitems__(list(range(len(part))))
    reds = batch["image"][:, 0].mean((1, 2)) > 0.5
    assert reds.tolist() == (batch["label"] == 0).tolist()


def test_classes_that_are_called_train_and_test(tmp_path: Path) -> None:
    files = {f"p/{name}/{i}.png": png() for name in ("train", "test") for i in range(5)}
    data = read("{image_folder: {path: p, size: 4}}", tmp_path, files)
    assert data.metadata["classes"] == ["test", "train"]
