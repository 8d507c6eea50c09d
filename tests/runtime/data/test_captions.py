"""Files of images with captions."""

from pathlib import Path

from tests.runtime.data.errors_of_images import png
from tests.runtime.data.section import read


def test_captioned_images(tmp_path: Path) -> None:
    lines = [
        f"i/{i}.png\ta {colour} square\n"
        for i in range(4)
        for colour in ("red", "blue")
    ]
    files = {f"d/i/{i}.png": png("red") for i in range(4)}
    files |= {"d/t.tsv": "".join(lines), "d/u.tsv": "i/0.png\ta red circle\n"}
    data = read(
        "{captioned_images: {path: d/t.tsv, test: d/u.tsv, size: 4, held_out: 0.25, tokens: {words: 10}, length: 6}}",
        tmp_path,
        files,
    )
    assert (len(data.train), len(data.held_out)) == (6, 2)
    assert data.test is not None and len(data.test) == 1
    batch = data.train.__getitems__([0, 1])
    assert batch["image"].shape == (2, 3, 4, 4)
    assert batch["tokens"].shape == (2, 6)
    assert data.facts.vocab == 11 and (batch["tokens"][:, 3] == 10).all()
    assert len(set(data.metadata["captions"].values())) == 2
    # `circle` is not known, and so the caption is of something else.
    test = data.test.__getitems__([0])
    assert int(test["label"]) not in map(int, data.metadata["captions"])
