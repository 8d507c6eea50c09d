"""A CSV file with a column of texts."""

from __future__ import annotations

from dataclasses import replace

from compiler.tasks.data.text_table import TextTable
from runtime.data.answers import read_parts, with_answers
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.make_tokenizer import make_tokenizer
from runtime.data.padded_texts import LabelledTexts
from runtime.data.tokenizer import PAIR_SPECIALS


def load(options: TextTable, section: DataSection) -> DataSplits:
    """The texts; a tokenizer is trained on those of the training part, unless it is a published one.

    Raises:
        SpecError: if a file or a column does not exist, or a line is invalid.
    """
    parts = read_parts(options, section)
    texts = {name: part.fields(options.text, "text") for name, part in parts.items()}
    tokenizer = make_tokenizer(texts["train"], options.tokens, PAIR_SPECIALS, section)
    answers = parts["train"].answers
    scales = answers.scales()
    examples = {
        name: LabelledTexts(
            texts[name], part.answers.batch(scales), tokenizer, options.length
        )
        for name, part in parts.items()
    }
    facts = replace(with_answers(options.facts(), answers), vocab=tokenizer.size)
    metadata = {"tokenizer": tokenizer.to_json(), **answers.metadata(scales)}
    test = examples.get("test")
    return DataSplits(examples["train"], examples["validation"], facts, metadata, test)
