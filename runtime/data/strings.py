"""Strings of random symbols, paired with themselves reversed or sorted."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from string import ascii_lowercase

from compiler.tasks.data.strings import Strings
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import Pair, tokenized_pairs
from runtime.data.tokenizer import PAIR_SPECIALS, WordTokenizer

String = tuple[int, ...]


def load(options: Strings, section: DataSection) -> DataSplits:
    """The strings: the same ones every time.

    Lengths are uniform, and so is each symbol. Held-out strings are distinct, and not in the
    training data.

    Raises:
        SpecError: if there are too few strings of these lengths.
    """
    lengths = range(options.shortest, options.longest + 1)
    distinct = sum(options.symbols**length for length in lengths[:64])
    if options.held_out > distinct // 2:
        message = f"there are only {distinct} strings of these lengths"
        section.fail("data-empty", message, "held_out")
    strings = _random_strings(options)
    held_out: dict[String, None] = {}
    while len(held_out) < options.held_out:
        held_out[next(strings)] = None
    train = [
        next(string for string in strings if string not in held_out)
        for _ in range(options.count)
    ]
    tokenizer = WordTokenizer(symbol_names(options.symbols), PAIR_SPECIALS)
    train_pairs, held_out_pairs = (
        [_pair(string, options) for string in part] for part in (train, held_out)
    )
    return tokenized_pairs(
        train_pairs, held_out_pairs, tokenizer, tokenizer, options.facts()
    )


def symbol_names(count: int) -> list[str]:
    """Names of symbols: letters, or numbers if there are more than 26."""
    if count <= len(ascii_lowercase):
        return list(ascii_lowercase[:count])
    return list(map(str, range(count)))


def _random_strings(options: Strings) -> Iterator[String]:
    random, symbols = Random(0), range(options.symbols)
    while True:
        length = random.randint(options.shortest, options.longest)
        yield tuple(random.choices(symbols, k=length))


def _pair(string: String, options: Strings) -> Pair:
    names = symbol_names(options.symbols)
    result = string[::-1] if options.what == "reverse" else sorted(string)
    source, target = (
        " ".join(names[i] for i in symbols) for symbols in (string, result)
    )
    return source, target
