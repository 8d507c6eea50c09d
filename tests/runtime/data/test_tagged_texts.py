"""Texts whose punctuation, capitals and accents are tags, and CoNLL files."""

from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import SpecError
from runtime.data import accents, punctuation
from runtime.data.bible import verses
from runtime.data.tagged_texts import TaggedTexts
from tests.runtime.data.section import read

SENTENCES = """\
-DOCSTART- -X- O

# a comment
Ann NNP B-PER
sings VB O

Bob NNP B-PER
Ames NNP I-PER
sleeps VB O
"""


def test_what_is_taken_away_can_be_restored() -> None:
    lost = 0
    for verse in verses()[::50]:
        tags = [tag for _, tag in punctuation.tagged(verse.english)]
        restored = punctuation.restored(verse.english.lower(), tags)
        lost += restored != verse.english
        tags = [tag for _, tag in accents.tagged(verse.spanish)]
        assert accents.restored(verse.spanish, tags) == verse.spanish
        assert {tag for _, tag in punctuation.tagged(verse.english)} <= {
            *punctuation.TAGS
        }
    assert lost < 0.02 * len(verses()[::50])  # those with brackets


def test_the_shipped_texts() -> None:
    data = read("{punctuation: {words: 500, length: 10}}")
    assert (data.facts.classes, data.facts.vocab) == (21, 500)
    batch = data.train.__getitems__([0, 1])
    assert batch["tokens"].shape == batch["tags"].shape == batch["mask"].shape
    assert batch["tokens"].shape[1] == 10
    assert read("{accents: {words: 500}}").facts.classes == 9


def test_sentences(tmp_path: Path) -> None:
    options = "path: s, held_out: 0.5, lower: true"
    data = read(f"{{conll: {{{options}}}}}", tmp_path, {"s": SENTENCES})
    assert data.metadata["tags"] == ["O", "B-PER", "I-PER"]
    parts = (data.train, data.held_out)
    texts = [
        text for part in parts if isinstance(part, TaggedTexts) for text in part.texts
    ]
    assert sorted(texts) == [
        [("ann", "B-PER"), ("sings", "O")],
        [("bob", "B-PER"), ("ames", "I-PER"), ("sleeps", "O")],
    ]
    other = read(f"{{conll: {{{options}, tag: 2}}}}", tmp_path)
    assert other.metadata["tags"] == ["NNP", "VB"]


def test_a_tag_that_the_training_file_lacks(tmp_path: Path) -> None:
    files = {"s": SENTENCES, "v": "Ann O\n\nBob B-PRE\n"}
    with pytest.raises(SpecError, match="the tag B-PRE is not in the tr") as caught:
        read("{conll: {path: s, validation: v}}", tmp_path, files)
    (one,) = caught.value.diagnostics
    assert (Path(one.span.file).name, one.span.line) == ("v", 3)
    assert one.help == "did you mean `B-PER`?"


@pytest.mark.parametrize(
    ("text", "options", "code", "place", "message"),
    [
        (
            SENTENCES + "alone\n",
            "tag: 3",
            "data-format",
            ("s", 10),
            "this has 1",
        ),
        ("Ann,O\n\nBob,O\n", "", "data-format", ("s", 1), "this has 1$"),
        (SENTENCES, "token: 7", "data-format", ("s", 4), "a token in column 7"),
        (SENTENCES, "classes: 4", "data-label", ("spec.yaml", 3), "3 tags, not 4"),
        ("a O\n", "", "data-empty", ("spec.yaml", 3), "too few sentences"),
        ("# none\n", "", "data-empty", ("spec.yaml", 3), "too few sentences"),
    ],
)
def test_files_that_are_wrong(
    text: str,
    options: str,
    code: str,
    place: tuple[str, int],
    message: str,
    tmp_path: Path,
) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        read(f"{{conll: {{path: s, {options}}}}}", tmp_path, {"s": text})
    (one,) = caught.value.diagnostics
    assert (one.code, Path(one.span.file).name, one.span.line) == (code, *place)
