"""Dialogues in a file of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from compiler.diagnostics.text import listed, shorten
from compiler.tasks.data.dialogues import Dialogues
from runtime.data import chat
from runtime.data.chat import ROLES, Dialogue
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.split_items import split_items
from runtime.data.user_files import read_text


def load(options: Dialogues, section: DataSection) -> DataSplits:
    """The dialogues of the files; without a file for it, a random part is held out.

    Raises:
        SpecError: if a file does not exist, a line is not a dialogue with a reply, or there are too few.
    """

    def read(option: str) -> list[Dialogue]:
        return list(_dialogues(section, option, getattr(options, option)))

    train, held_out, test = split_items(
        read("path"), options, section, read, "dialogues"
    )
    return chat.dialogues(train, held_out, options.tokens, options.facts(), test)


def _dialogues(section: DataSection, option: str, written: str) -> Iterator[Dialogue]:
    """The dialogues of the file that an option names."""
    path = section.path(written)
    lines = read_text(section, option, written).split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _dialogue(json.loads(line))
        except json.JSONDecodeError as error:
            message = f"invalid JSON: {error.msg}"
            place = (error.colno, error.colno)
            section.fail_in("data-format", path, number, message, columns=place)
        except (ValueError, RecursionError) as error:
            span = (1, len(line) + 1)
            section.fail_in("data-format", path, number, str(error), columns=span)


def _dialogue(content: Any) -> Dialogue:
    """The messages of a dialogue.

    Raises:
        ValueError: if it is none, or has no reply.
    """
    messages = content.get("messages") if isinstance(content, dict) else content
    if isinstance(messages, list) and any(
        isinstance(one, dict) and "messages" in one for one in messages
    ):
        raise ValueError("a line must be one dialogue, and this is a list of several")
    if not isinstance(messages, list):
        raise ValueError('a line must be {"messages": [{"role": ..., "content": ...}]}')
    found = []
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES:
            raise ValueError(
                f"the role of a message is {shorten(str(role))}, not one of {listed(ROLES)}"
            )
        text = message.get("content")
        if not isinstance(text, str):
            raise ValueError("the content of a message must be a text")
        found.append((role, text))
    if not any(role == "assistant" for role, _ in found):
        raise ValueError("the dialogue has no message of the assistant to learn")
    return found
