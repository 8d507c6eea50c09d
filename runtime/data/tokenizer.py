"""Tokenizers: characters, words, or byte pairs; trained on text and stored as JSON."""

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

from compiler.tasks.data_set import Bpe, Tokens, Words

UNK_TOKEN: Final = "<unk>"
TEXT_SPECIALS: Final = (UNK_TOKEN,)
"""The special tokens of running text: `<unk>` is 0."""
PAIR_SPECIALS: Final = ("<pad>", "<bos>", "<eos>", UNK_TOKEN)
"""The special tokens of separate texts, which are padded in batches and have an end."""
PAD, BOS, EOS, UNK = range(4)
"""The ids of `PAIR_SPECIALS`."""


class Tokenizer(ABC):
    """Splits text into tokens and joins them again.

    Args:
        specials: the special tokens, `<unk>` among them; their ids are the first.
        size: number of ids; the last ones are unused if the text had fewer tokens.
    """

    def __init__(self, specials: Sequence[str], size: int) -> None:
        self.specials, self.size = tuple(specials), size
        self.unk = self.specials.index(UNK_TOKEN)

    @property
    def pad(self) -> int:
        """The id of padding in a batch of separate texts."""
        return PAD

    def encode_whole(self, text: str, length: int) -> list[int]:
        """The ids of a separate text, at most `length`, with the special tokens that are around it."""
        return self.encode(text)[:length]

    def encode(self, text: str) -> list[int]:
        """The ids of a text; names of special tokens in it are ordinary text."""
        return self._encode(_well_formed(text))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; special tokens except `<unk>` are dropped."""
        dropped = set(range(len(self.specials))) - {self.unk}
        return self._decode([int(id) for id in ids if int(id) not in dropped])

    @abstractmethod
    def unknown(self, text: str) -> list[str]:
        """The distinct pieces of a text that have no token, in order of appearance."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The tokenizer as plain values, for `from_json`."""

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Tokenizer:
        """The tokenizer that `to_json` described.

        Raises:
            KeyError, ValueError: if the data is not of `to_json`.
        """
        if data["kind"] == "published":
            model = tokenizers.Tokenizer.from_str(json.dumps(data["model"]))
            return PublishedTokenizer(model, data["special"])
        specials = tuple(data["specials"])
        if data["kind"] == "bpe":
            model = tokenizers.Tokenizer.from_str(json.dumps(data["model"]))
            return BpeTokenizer(model, specials, data["size"])
        kinds: dict[str, type[VocabTokenizer]] = {
            "characters": CharTokenizer,
            "words": WordTokenizer,
            "spaced": SpacedTokenizer,
        }
        return kinds[data["kind"]](data["tokens"], specials, data["size"])

    @abstractmethod
    def _encode(self, text: str) -> list[int]: ...

    @abstractmethod
    def _decode(self, ids: list[int]) -> str: ...


def _well_formed(text: str) -> str:
    """The text without lone surrogates, which come from a command line that is not UTF-8."""
    return text.encode("utf-8", "replace").decode()


class VocabTokenizer(Tokenizer):
    """A tokenizer whose tokens are the pieces of a text that are in its vocabulary.

    Args:
        tokens: the tokens after the special ones, in the order of their ids.
        specials: the special tokens.
        size: number of ids; default: as many as there are tokens.
    """

    kind: str

    def __init__(
        self, tokens: Sequence[str], specials: Sequence[str], size: int | None = None
    ) -> None:
        super().__init__(specials, size or len(specials) + len(tokens))
        self.tokens = list(tokens)

    def unknown(self, text: str) -> list[str]:
        pieces = dict.fromkeys(self.split(text))
        return [piece for piece in pieces if piece not in self._ids]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "size": self.size,
            "specials": list(self.specials),
            "tokens": self.tokens,
        }

    @staticmethod
    @abstractmethod
    def split(text: str) -> Sequence[str]:
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
        return [ids.get(piece, unk) for piece in self.split(text)]

    def _decode(self, ids: list[int]) -> str:
        known = [*self.specials, *self.tokens]
        return self.join([known[id] for id in ids if 0 <= id < len(known)])


class CharTokenizer(VocabTokenizer):
    """Each character is a token."""

    kind = "characters"

    @staticmethod
    def split(text: str) -> Sequence[str]:
        return text

    @staticmethod
    def join(pieces: Sequence[str]) -> str:
        return "".join(pieces)


_WORD: Final = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
_SPACE_BEFORE: Final = re.compile(r" (?=[,.;:!?)\]}»”%])")
_SPACE_AFTER: Final = re.compile(r"(?<=[(\[{«“¿¡]) ")


class WordTokenizer(VocabTokenizer):
    """Words and punctuation marks are tokens; decoding restores spaces by rules."""

    kind = "words"

    @staticmethod
    def split(text: str) -> Sequence[str]:
        return _WORD.findall(text)

    @staticmethod
    def join(pieces: Sequence[str]) -> str:
        return _SPACE_AFTER.sub("", _SPACE_BEFORE.sub("", " ".join(pieces)))


class SpacedTokenizer(VocabTokenizer):
    """What spaces separate are tokens."""

    kind = "spaced"

    @staticmethod
    def split(text: str) -> Sequence[str]:
        return [piece for piece in text.split(" ") if piece]

    @staticmethod
    def join(pieces: Sequence[str]) -> str:
        return " ".join(pieces)


_SPACE_AND_WORD: Final = re.compile(r"\s*\S+|\s+")


class BpeTokenizer(Tokenizer):
    """Byte-level BPE (Sennrich et al., 2016; Radford et al., 2019): lossless for any text.

    Args:
        model: the trained model.
        specials: the special tokens.
        size: number of ids.
    """

    def __init__(
        self, model: tokenizers.Tokenizer, specials: Sequence[str], size: int
    ) -> None:
        super().__init__(specials, size)
        self._model = model
        # The text "<eos>" is not the special token. The library does not store this flag.
        self._model.encode_special_tokens = True
        self._known: dict[str, list[int]] = {}

    def unknown(self, text: str) -> list[str]:
        return [char for char in dict.fromkeys(text) if self.unk in self.encode(char)]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "bpe",
            "size": self.size,
            "specials": list(self.specials),
            "model": json.loads(self._model.to_str()),
        }

    def _encode(self, text: str) -> list[int]:
        # No token extends past a word's end, so each distinct word is encoded once.
        words = _SPACE_AND_WORD.findall(text)
        new = [word for word in dict.fromkeys(words) if word not in self._known]
        encoded = self._model.encode_batch_fast(new, add_special_tokens=False)
        self._known.update(zip(new, (one.ids for one in encoded), strict=True))
        return [id for word in words for id in self._known[word]]

    def _decode(self, ids: list[int]) -> str:
        # The library ignores unused ids, but fails for negative ones.
        known = [id for id in ids if id >= 0]
        text: str = self._model.decode(known, skip_special_tokens=False)
        return text


_PADDING: Final = ("[PAD]", "<pad>", "<|padding|>")
_UNKNOWN: Final = (UNK_TOKEN, "[UNK]")


class PublishedTokenizer(Tokenizer):
    """A tokenizer that was trained elsewhere, of the library `tokenizers`.

    Its ids are those of the networks that were trained with it; the special ones may be anywhere.

    Args:
        model: the tokenizer.
        special: whether `encode_whole` adds its special tokens.

    Raises:
        ValueError: if it has neither a token for what is unknown nor another special one.
    """

    def __init__(self, model: tokenizers.Tokenizer, special: bool) -> None:
        self.specials = ()
        self.special = special
        self._model = model
        self._model.no_padding()
        self._model.no_truncation()
        self._model.encode_special_tokens = True
        ids = model.get_vocab(with_added_tokens=True)
        self.size = max(ids.values(), default=-1) + 1
        known = [ids[one] for one in _UNKNOWN if one in ids]
        added = model.get_added_tokens_decoder()
        specials = [id for id, token in added.items() if token.special]
        if not known and not specials:
            raise ValueError("the tokenizer has no special tokens")
        self.unk = (known or specials)[0]
        self._has_unknown = bool(known)
        self._pad = next((ids[one] for one in _PADDING if one in ids), PAD)

    @property
    def pad(self) -> int:
        return self._pad

    def encode_whole(self, text: str, length: int) -> list[int]:
        ids = self.encode(text)
        if not self.special:
            return ids[:length]
        around = self._model.num_special_tokens_to_add(is_pair=False)
        if length <= around:
            return ids[:length]
        self._model.enable_truncation(max_length=length)
        try:
            found = self._model.encode(_well_formed(text), add_special_tokens=True)
        finally:
            self._model.no_truncation()
        return list(found.ids)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; special tokens are dropped."""
        return self._decode([int(id) for id in ids])

    def unknown(self, text: str) -> list[str]:
        if not self._has_unknown:
            return []
        found = self._model.encode(_well_formed(text), add_special_tokens=False)
        pieces = zip(found.ids, found.offsets, strict=True)
        return list(
            dict.fromkeys(text[slice(*at)] for id, at in pieces if id == self.unk)
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "published",
            "special": self.special,
            "model": json.loads(self._model.to_str()),
        }

    def _encode(self, text: str) -> list[int]:
        return list(self._model.encode(text, add_special_tokens=False).ids)

    def _decode(self, ids: list[int]) -> str:
        known = [id for id in ids if 0 <= id < self.size]
        text: str = self._model.decode(known, skip_special_tokens=True)
        return text


def train_tokenizer(
    texts: Iterable[str], tokens: Tokens, specials: Sequence[str] = TEXT_SPECIALS
) -> Tokenizer:
    """Train the tokenizer that a spec declares.

    Characters are numbered in their Unicode order, words by descending frequency. BPE and
    word tokenizers have exactly the declared number of ids, special tokens included.
    """
    match tokens:
        case Bpe():
            model = _train_bpe(texts, tokens.bpe, specials)
            return BpeTokenizer(model, specials, tokens.bpe)
        case Words():
            count = tokens.words - len(specials)
            return WordTokenizer(_most_frequent(texts, count), specials, tokens.words)
    characters: set[str] = set().union(*texts)
    return CharTokenizer(sorted(characters), specials)


def _most_frequent(texts: Iterable[str], count: int) -> list[str]:
    counts = Counter(word for text in texts for word in WordTokenizer.split(text))
    return sorted(counts, key=lambda word: (-counts[word], word))[:count]


def _train_bpe(
    texts: Iterable[str], size: int, specials: Sequence[str]
) -> tokenizers.Tokenizer:
    available = size - len(specials)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    model = tokenizers.Tokenizer(models.BPE(unk_token=UNK_TOKEN))
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        show_progress=False,
        special_tokens=list(specials),
        # A small vocabulary has only the most frequent bytes.
        initial_alphabet=alphabet if available >= len(alphabet) else [],
        limit_alphabet=min(available, len(alphabet)),
    )
    model.train_from_iterator(texts, trainer)
    return model
