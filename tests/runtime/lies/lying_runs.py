"""Run folders that lie, made from a real one by a seed."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch

from tests.runtime.lies.lying_values import (
    as_json,
    changed,
    damaged,
)

_JSON: Final = ("run.json", "vocabulary.json", "data.json")
_TENSORS: Final = ("weights/best.safetensors", "weights/last.safetensors")


def tell_lie(run: Path, outside: Path, seed: int) -> str:
    """Change a run folder so that it lies; what was done, in words.

    Args:
        run: the folder, which is changed.
        outside: a folder beside it, to which links and paths lead.
        seed: what the lie follows from.
    """
    rng = random.Random(seed)
    kinds = (_lie_of_json, _lie_of_spec, _lie_of_weights, _lie_of_state)
    kinds = (*kinds, _lie_of_json, _lie_of_spec, _not_a_file, _other_bytes)
    return f"{seed}: {rng.choice(kinds)(run, outside, rng)}"


def _lie_of_json(run: Path, outside: Path, rng: random.Random) -> str:
    name = rng.choice(_JSON)
    before = json.loads((run / name).read_text())
    now = changed(before, rng, outside)
    (run / name).write_bytes(as_json(now))
    return f"{name}: {_difference(before, now)}"


def _difference(one: Any, other: Any) -> str:
    """Where two structures differ first."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in (*one, *other):
            if key not in one or key not in other:
                return f"{key!r} is in one only"
            if repr(one[key]) != repr(other[key]):
                return f"{key}.{_difference(one[key], other[key])}"
    return f"{repr(one)[:60]} -> {repr(other)[:60]}"


def _lie_of_spec(run: Path, outside: Path, rng: random.Random) -> str:
    """A value of the spec is another: a number, a name or a path."""
    file = run / "spec.yaml"
    text = file.read_text()
    values = [*re.finditer(r"(?<=: )[\w./-]+|(?<=[\[,] )[\w.-]+", text)]
    chosen = rng.choice(values)
    numbers = ["0", "-1", "1", "7", "1e9", "1000000000", "10000000000000000000", ".nan"]
    words = ["null", "[]", "{}", "text", "image", "classification", "true", "'\\e[2J'"]
    paths = [json.dumps(str(outside / "victim")), "/dev/zero", json.dumps(str(outside))]
    value = rng.choice([*numbers, *numbers, *words, *paths])
    file.write_text(text[: chosen.start()] + value + text[chosen.end() :])
    line = text.count("\n", 0, chosen.start()) + 1
    return f"spec.yaml:{line}: {chosen.group()} -> {value}"


def _lie_of_weights(run: Path, outside: Path, rng: random.Random) -> str:
    """The head of a safetensors file lies of types, shapes and offsets; or its numbers are not finite."""
    name = rng.choice(_TENSORS)
    data = (run / name).read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    head, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    tensors = [key for key in head if key != "__metadata__"]
    key = rng.choice(tensors)
    entry = head[key]
    match rng.randrange(7):
        case 0:
            entry["dtype"] = rng.choice(["F64", "I32", "BF16", "BOOL", "X", 3])
        case 1:
            entry["shape"] = rng.choice([[], [-1], [10**12], [2**62, 4], ["a"], None])
        case 2:
            entry["data_offsets"] = rng.choice([[0, 0], [-1, 4], [0, 10**15], [4, 0]])
        case 3:
            head["x" * rng.choice([1, 100_000])] = head.pop(key)
        case 4:
            body = b"\xff\xff\xc0\x7f" * (len(body) // 4) + body[len(body) // 4 * 4 :]
        case 5:
            head = changed(head, rng, outside)
        case 6:
            size = rng.choice([0, 1, 2**40, 2**63])
    text = as_json(head)
    size = len(text) if size < len(data) and size > 1 else size
    (run / name).write_bytes(struct.pack("<Q", size) + text + body)
    return f"{name}: {key}: {str(entry)[:80]}"


class _Evil:
    """What writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.system, (f"touch {self.target}",)


def _lie_of_state(run: Path, outside: Path, rng: random.Random) -> str:
    file = run / "state.pt"
    if rng.random() < 0.1:
        file.write_bytes(pickle.dumps(_Evil(outside / "owned")))
        return "state.pt: a program"
    before: Any = torch.load(file, weights_only=True)
    if rng.random() < 0.2:
        now, what = _with_tensor(before, rng)
    else:
        now = changed(before, rng, outside)
        what = _difference(before, now)
    buffer = io.BytesIO()
    torch.save(now, buffer)
    file.write_bytes(buffer.getvalue())
    return f"state.pt: {what}"


def _with_tensor(state: Any, rng: random.Random) -> tuple[Any, str]:
    """A state with a tensor of another shape, dtype or values."""
    tensors = next(iter(state["networks"].values()))
    key = rng.choice(list(tensors))
    tensors[key] = rng.choice(
        [
            torch.full_like(tensors[key].float(), float("nan")),
            torch.zeros(0),
            torch.zeros(3, 3),
            torch.zeros(2, dtype=torch.complex64),
            torch.zeros(1).expand(10**9),
        ]
    )
    return state, f"{key} is {list(tensors[key].shape)}"


def _files(run: Path) -> list[Path]:
    """The files of a run, and the folders of some."""
    return sorted(file for file in run.rglob("*") if file.name != ".lock")


def _not_a_file(run: Path, outside: Path, rng: random.Random) -> str:
    """In place of a file: a link to one outside, to itself or to a device, a pipe, a folder, or nothing."""
    file = rng.choice(_files(run))
    data = file.read_bytes() if file.is_file() else None
    moved = outside / "moved"
    file.rename(moved)
    what = rng.choice(["link", "link", "loop", "device", "pipe", "folder", "nothing"])
    match what:
        case "link":
            file.symlink_to(moved)
        case "loop":
            file.symlink_to(file)
        case "device":
            file.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
            (file / "mine").write_text("mine")
        case _:
            pass
    return f"{file.relative_to(run)}{'/' if data is None else ''}: {what}"


def _other_bytes(run: Path, outside: Path, rng: random.Random) -> str:
    """A file whose bytes are damaged, or a list of temporary files to remove that names others."""
    if rng.random() < 0.15:
        names = ["../outside/victim", str(outside / "victim"), "run.json", ".victim.1"]
        names += ["weights/../../outside/.victim.1", "samples/.mine.1", "\0"]
        (run / ".writing").write_text("\n".join(names))
        return ".writing: files of others"
    names = [file for file in _files(run) if file.is_file()]
    file = rng.choice(names)
    data = damaged(file.read_bytes(), rng)
    file.write_bytes(data)
    return f"{file.relative_to(run)}: {data[:40]!r}"
