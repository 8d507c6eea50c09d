"""Dialogues in a chat template: a token for the role of each message, and one for its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from torch import Tensor

from compiler.tasks.data_facts import DataFacts
from compiler.tasks.data_set import Tokens
from runtime.data.dataset import Batch, DataSplits
from runtime.data.padded_texts import PaddedExamples
from runtime.data.tokenizer import (
    BOS,
    EOS,
    PAIR_SPECIALS,
    Tokenizer,
    train_tokenizer,
)

ROLES: Final = ("system", "user", "assistant")
CHAT_SPECIALS: Final = (*PAIR_SPECIALS, *(f"<{role}>" for role in ROLES))
"""The special tokens of dialogues."""
ROLE_IDS: Final = {role: CHAT_SPECIALS.index(f"<{role}>") for role in ROLES}
Dialogue = Sequence[tuple[str, str]]
"""Roles and texts."""


def encode_dialogue(
    dialogue: Dialogue, tokenizer: Tokenizer
) -> tuple[list[int], list[bool]]:
    """The ids of a dialogue, and which of them are of a reply: its text, and its end."""
    ids, replied = [BOS], [False]
    for role, text in dialogue:
        said = [*tokenizer.encode(text), EOS]
        ids += [ROLE_IDS[role], *said]
        replied += [False, *[role == "assistant"] * len(said)]
    return ids, replied


def encode_prompt(text: str, tokenizer: Tokenizer) -> list[int]:
    """The ids of a user's message, and the beginning of a reply."""
    ids, _ = encode_dialogue([("user", text)], tokenizer)
    return [*ids, ROLE_IDS["assistant"]]


def show_dialogue(ids: Sequence[int], tokenizer: Tokenizer) -> str:
    """A dialogue in words, a line for each message."""
    names = {id: role for role, id in ROLE_IDS.items()}
    starts = [i for i, id in enumerate(ids) if id in names]
    parts = zip(starts, [*starts[1:], len(ids)], strict=True)
    return "\n".join(
        f"{names[ids[a]]}: {tokenizer.decode(ids[a + 1 : b])}" for a, b in parts
    )


class DialogueExamples(PaddedExamples):
    """Batches of `tokens` int[B, T + 1] and `scored` bool[B, T]: whether the next token is of a reply.

    Args:
        dialogues: the dialogues.
        tokenizer: their tokenizer.
        length: maximum number of tokens to predict.
    """

    def __init__(
        self, dialogues: Sequence[Dialogue], tokenizer: Tokenizer, length: int
    ) -> None:
        encoded = [encode_dialogue(one, tokenizer) for one in dialogues]
        super().__init__(
            {
                "tokens": [ids[: length + 1] for ids, _ in encoded],
                "scored": [list(map(int, flags[: length + 1])) for _, flags in encoded],
            }
        )

    def __getitems__(self, indices: list[int]) -> Batch:
        batch = super().__getitems__(indices)
        batch["scored"] = batch["scored"][:, 1:].bool()
        return batch

    def last_turn(self, index: int) -> tuple[list[int], list[int]]:
        """The ids before a dialogue's last whole reply, and those of the reply without its end; [] if it has none."""
        ids: list[int] = self.columns["tokens"][index].tolist()
        last = len(ids) - 1
        while last > 0 and ids[last] != EOS:
            last -= 1
        begins = [i for i in range(last) if ids[i] == ROLE_IDS["assistant"]]
        if not begins:
            return ids, []
        reply = ids[begins[-1] + 1 :]
        return ids[: begins[-1] + 1], reply[: reply.index(EOS)] if EOS in reply else []

    def replies(self) -> Tensor:
        """The ids of all replies, int[N]."""
        return self._flat["tokens"][self._flat["scored"].bool()]


def dialogues(
    train: Sequence[Dialogue],
    held_out: Sequence[Dialogue],
    tokens: Tokens,
    facts: DataFacts,
    test: Sequence[Dialogue] | None = None,
) -> DataSplits:
    """A data set of dialogues; the tokenizer is trained on all messages of the training part."""
    texts = (text for dialogue in train for _, text in dialogue)
    tokenizer = train_tokenizer(texts, tokens, CHAT_SPECIALS)

    def examples(part: Sequence[Dialogue]) -> DialogueExamples:
        return DialogueExamples(part, tokenizer, facts.length)

    held_out_examples = examples(held_out)
    characters = sum(
        len(text) for one in held_out for role, text in one if role == "assistant"
    )
    metadata = {
        "tokenizer": tokenizer.to_json(),
        "characters_per_token": characters / max(1, len(held_out_examples.replies())),
    }
    facts = replace(facts, vocab=tokenizer.size)
    tests = None if test is None else examples(test)
    return DataSplits(examples(train), held_out_examples, facts, metadata, tests)
