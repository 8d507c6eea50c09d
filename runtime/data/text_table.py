"""A CSV file with a column of texts."""

from __future__ import annotations

from dataclasses import replace

from compiler.tasks.data.text_table import TextTable
from runtime.data.answers import read_parts, with_answers
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import LabelledTexts
from runtime.data.tokenizer import PAIR_SPECIALS, train_tokenizer


def load(options: TextTable, section: DataSection) -> DataSplits:
    """The texts; the tokenizer is trained on those of the training part.

    Raises:
        SpecError: if a file or a column does not exist, or a line is invalid.
    """
    parts = read_parts(options, section)
    texts = {name: part.fields(options.text, "text") for name, part in parts.items()}
    tokenizer = train_tokenizer(texts["train"], options.tokens, PAIR_SPECIALS)
    answers = parts["train"].answers
    scales = answers.scales()
    examples = {
        name: LabelledTexts(
            [tokenizer.encode(text)[: options.length] for text in texts[name]],
            part.answers.batch(scales),
        )
        for name, part in parts.items()
    }
    facts = replace(with_answers(options.facts(), answers), vocab=tokenizer.size)
    metadata = {"tokenizer": tokenizer.to_json(), **answers.metadata(scales)}
    test = examples.get("test")
    return DataSplits(examples["train"], examples["validation"], facts, metadata, test)
