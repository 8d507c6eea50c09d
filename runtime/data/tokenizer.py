"""Text as token ids and back: characters, words, or byte pairs; learned from text, kept as JSON."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from compiler.tasks.data.data_set import Bpe, Tokens, Words

UNK_TOKEN: Final = "<unk>"
TEXT: Final = (UNK_TOKEN,)
"""The special tokens of running text: <unk> is 0."""
PAIRS: Final = ("<pad>", "<bos>", "<eos>", UNK_TOKEN)
"""The special tokens of texts of their own: they come in batches, and they end."""
PAD, BOS, EOS, UNK = range(4)
"""The ids of `PAIRS`."""


class Tokenizer(ABC):
    """Cuts text into tokens and joins them again.

    Attributes:
        specials: the special tokens; their ids are the first ones, and `<unk>` is among them.
        size: how many ids there are; where the text gave fewer tokens than were asked for, the last ids stand for none.
    """

    def __init__(self, specials: Sequence[str], size: int) -> None:
        self.specials, self.size = tuple(specials), size
        self.unk = self.specials.index(UNK_TOKEN)

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without special tokens but `<unk>`, whatever the text says."""
        # Lone surrogates come of a command line that is not UTF-8.
        return self._encode(text.encode("utf-8", "replace").decode())

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; special tokens but `<unk>` are left out."""
        silent = set(range(len(self.specials))) - {self.unk}
        return self._decode([int(one) for one in ids if int(one) not in silent])

    @abstractmethod
    def unknown(self, text: str) -> list[str]:
        """What of a text it has no token for, each once, in the order of the text."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """All of it as plain values, for `from_json`."""

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Tokenizer:
        """The tokenizer that `to_json` gave.

        Raises:
            KeyError, ValueError: where `to_json` gave no such thing.
        """
        specials = tuple(data["specials"])
        if data["kind"] == "bpe":
            model = tokenizers.Tokenizer.from_str(json.dumps(data["model"]))
            return BpeTokenizer(model, specials, data["size"])
        kinds = {"characters": CharTokenizer, "words": WordTokenizer}
        return kinds[data["kind"]](data["tokens"], specials, data["size"])

    @abstractmethod
    def _encode(self, text: str) -> list[int]: ...

    @abstractmethod
    def _decode(self, ids: list[int]) -> str: ...


class VocabTokenizer(Tokenizer):
    """A tokenizer whose tokens are pieces of the text, in a list.

    Attributes:
        tokens: those that follow the special ones, in the order of their ids.
    """

    kind: str

    def __init__(
        self, tokens: Sequence[str], specials: Sequence[str], size: int | None = None
    ) -> None:
        super().__init__(specials, size or len(specials) + len(tokens))
        self.tokens = list(tokens)

    def unknown(self, text: str) -> list[str]:
        return [
            piece for piece in dict.fromkeys(self.cut(text)) if piece not in self._ids
        ]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "size": self.size,
            "specials": list(self.specials),
            "tokens": self.tokens,
        }

    @staticmethod
    @abstractmethod
    def cut(text: str) -> Sequence[str]:
        """The pieces of a text."""

    @staticmethod
    @abstractmethod
    def join(pieces: Sequence[str]) -> str:
        """The text of pieces."""

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: i for i, token in enumerate(self.tokens, len(self.specials))}

    def _encode(self, text: str) -> list[int]:
        ids, unk = self._ids, self.unk
        return [ids.get(piece, unk) for piece in self.cut(text)]

    def _decode(self, ids: list[int]) -> str:
        known = [*self.specials, *self.tokens]
        return self.join([known[one] for one in ids if 0 <= one < len(known)])


class CharTokenizer(VocabTokenizer):
    """Each character is a token."""

    kind = "characters"

    @staticmethod
    def cut(text: str) -> Sequence[str]:
        return text

    @staticmethod
    def join(pieces: Sequence[str]) -> str:
        return "".join(pieces)


_WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
_BEFORE = re.compile(r" (?=[,.;:!?)\]}»”%])")
_AFTER = re.compile(r"(?<=[(\[{«“¿¡]) ")


class WordTokenizer(VocabTokenizer):
    """Words and marks are tokens; how they are spaced is not kept."""

    kind = "words"

    @staticmethod
    def cut(text: str) -> Sequence[str]:
        return _WORD.findall(text)

    @staticmethod
    def join(pieces: Sequence[str]) -> str:
        return _AFTER.sub("", _BEFORE.sub("", " ".join(pieces)))


_SPACED = re.compile(r"\s*\S+|\s+")


class BpeTokenizer(Tokenizer):
    """Byte pair encoding of the bytes of UTF-8 (Sennrich et al., 2016; Radford et al., 2019): it loses nothing."""

    def __init__(
        self, model: tokenizers.Tokenizer, specials: Sequence[str], size: int
    ) -> None:
        super().__init__(specials, size)
        self._model = model
        # A text that says "<eos>" does not end there. The library does not keep this.
        self._model.encode_special_tokens = True
        self._known: dict[str, list[int]] = {}

    def unknown(self, text: str) -> list[str]:
        return [one for one in dict.fromkeys(text) if self.unk in self.encode(one)]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "bpe",
            "size": self.size,
            "specials": list(self.specials),
            "model": json.loads(self._model.to_str()),
        }

    def _encode(self, text: str) -> list[int]:
        # No token goes on over a space behind a word, so each word is cut but once.
        words = _SPACED.findall(text)
        new = [word for word in dict.fromkeys(words) if word not in self._known]
        found = self._model.encode_batch_fast(new, add_special_tokens=False)
        self._known.update(zip(new, (one.ids for one in found), strict=True))
        return [one for word in words for one in self._known[word]]

    def _decode(self, ids: list[int]) -> str:
        # An id that the library's vocabulary lacks is nothing to it, and a negative one an error.
        known = [one for one in ids if one >= 0]
        text: str = self._model.decode(known, skip_special_tokens=False)
        return text


def learn(
    texts: Iterable[str], tokens: Tokens, specials: Sequence[str] = TEXT
) -> Tokenizer:
    """The tokenizer that a spec asks for, learned from texts.

    Ids of characters are in their own order, those of words by how frequent they are.
    Byte pairs and words have exactly the declared number of ids, special ones included.
    """
    match tokens:
        case Bpe():
            return BpeTokenizer(
                _byte_pairs(texts, tokens.bpe, specials), specials, tokens.bpe
            )
        case Words():
            most = tokens.words - len(specials)
            return WordTokenizer(_frequent(texts, most), specials, tokens.words)
    seen: set[str] = set().union(*texts)
    return CharTokenizer(sorted(seen), specials)


def _frequent(texts: Iterable[str], most: int) -> list[str]:
    counts = Counter(word for text in texts for word in WordTokenizer.cut(text))
    return sorted(counts, key=lambda word: (-counts[word], word))[:most]


def _byte_pairs(
    texts: Iterable[str], size: int, specials: Sequence[str]
) -> tokenizers.Tokenizer:
    room = size - len(specials)
    every = sorted(pre_tokenizers.ByteLevel.alphabet())
    model = tokenizers.Tokenizer(models.BPE(unk_token=UNK_TOKEN))
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        show_progress=False,
        special_tokens=list(specials),
        # Where there is no room for all bytes, the frequent ones are taken.
        initial_alphabet=every if room >= len(every) else [],
        limit_alphabet=min(room, len(every)),
    )
    model.train_from_iterator(texts, trainer)
    return model
