"""The tokenizer that a data set declares: trained on its texts, or read from a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from compiler.tasks.data_set import TextTokens, TokenizerFile
from runtime.data.data_section import DataSection
from runtime.data.tokenizer import PublishedTokenizer, Tokenizer, train_tokenizer
from runtime.data.user_files import read_text

_UNKNOWN: Final = "[UNK]"
_AROUND: Final = ("[SEP]", "[CLS]")
"""The tokens after and before a text."""
_SPECIALS: Final = ("[PAD]", _UNKNOWN, "[CLS]", "[SEP]", "[MASK]")


def make_tokenizer(
    texts: Iterable[str],
    tokens: TextTokens,
    specials: Sequence[str],
    section: DataSection,
) -> Tokenizer:
    """The tokenizer of a data set.

    Args:
        texts: the training texts.
        tokens: the tokenizer that the spec declares.
        specials: the special tokens of one that is trained.
        section: where it is declared.

    Raises:
        SpecError: if the file of a published one does not exist, or is none.
    """
    if not isinstance(tokens, TokenizerFile):
        return train_tokenizer(texts, tokens, specials)
    text = read_text(section, "tokens", tokens.file)
    try:
        if tokens.file.endswith(".txt"):
            model = word_piece(text.splitlines(), tokens.lowercase)
        else:
            model = tokenizers.Tokenizer.from_str(text)
        return PublishedTokenizer(model, tokens.special)
    except Exception as error:  # noqa: BLE001  # the library raises its own, for any damage
        path = section.path(tokens.file)
        message = f"{path} is not a tokenizer: {error}"
        section.fail("data-format", message, "tokens")


def word_piece(vocabulary: Sequence[str], lowercase: bool) -> tokenizers.Tokenizer:
    """BERT's tokenizer (Devlin et al., 2018) with a vocabulary.

    Args:
        vocabulary: the tokens, by their ids.
        lowercase: whether text is in lower case and without accents.

    Raises:
        ValueError: if the vocabulary lacks one of BERT's special tokens, or has a token twice.
    """
    ids = {token: id for id, token in enumerate(vocabulary)}
    if len(ids) != len(vocabulary):
        raise ValueError("the vocabulary has a token twice")
    lacking = [token for token in (_UNKNOWN, *_AROUND) if token not in ids]
    if lacking:
        raise ValueError(f"the vocabulary lacks {', '.join(lacking)}")
    model = tokenizers.Tokenizer(models.WordPiece(ids, unk_token=_UNKNOWN))
    model.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    model.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    model.decoder = decoders.WordPiece()
    after, before = ((token, ids[token]) for token in _AROUND)
    model.post_processor = processors.BertProcessing(after, before)
    model.add_special_tokens([token for token in _SPECIALS if token in ids])
    return model
