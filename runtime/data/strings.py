"""Strings of random symbols, and the same reversed or sorted."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from string import ascii_lowercase

from compiler.tasks.data.strings import Strings
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import Pair, tokenized_pairs
from runtime.data.tokenizer import PAIRS, WordTokenizer

String = tuple[int, ...]


def load(options: Strings, section: DataSection) -> DataSplits:
    """The strings; those held out are all different, and not among those for training.

    Lengths are drawn evenly, and then each symbol is. Always the same strings come.

    Raises:
        SpecError: where there are not enough strings of these lengths.
    """
    lengths = range(options.shortest, options.longest + 1)
    there_are = sum(options.symbols**length for length in lengths[:64])
    if options.held_out > there_are // 2:
        message = f"there are only {there_are} strings of these lengths"
        section.fail("data-empty", message, "held_out")
    drawn = _drawn(options)
    held: dict[String, None] = {}
    while len(held) < options.held_out:
        held[next(drawn)] = None
    train = [
        next(one for one in drawn if one not in held) for _ in range(options.count)
    ]
    tokenizer = WordTokenizer(symbol_names(options.symbols), PAIRS)
    learned, judged = ([_pair(one, options) for one in part] for part in (train, held))
    return tokenized_pairs(learned, judged, tokenizer, tokenizer, options.facts())


def symbol_names(count: int) -> list[str]:
    """How symbols are written: letters, or numbers where there are more of them."""
    enough = count <= len(ascii_lowercase)
    return list(ascii_lowercase[:count]) if enough else list(map(str, range(count)))


def _drawn(options: Strings) -> Iterator[String]:
    random, symbols = Random(0), range(options.symbols)
    while True:
        length = random.randint(options.shortest, options.longest)
        yield tuple(random.choices(symbols, k=length))


def _pair(string: String, options: Strings) -> Pair:
    names = symbol_names(options.symbols)
    wanted = string[::-1] if options.what == "reverse" else sorted(string)
    source, target = (" ".join(names[i] for i in one) for one in (string, wanted))
    return source, target
