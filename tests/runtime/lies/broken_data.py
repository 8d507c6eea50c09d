"""Data files that are broken, made from whole ones by a seed: for every data set that reads files of the user's."""

from __future__ import annotations

import csv
import io
import json
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
from PIL import Image

from tests.runtime.data.section import idx
from tests.runtime.lies.lying_values import ESCAPES, as_json, changed, damaged

Files = dict[str, bytes]


@dataclass(frozen=True)
class Whole:
    """Data that can be read: the value of `data:`, and its files."""

    data: str
    files: Files


def picture(seed: int, mode: str = "RGB", frames: int = 1, kind: str = "png") -> bytes:
    """An image of noise, or several as an animation."""
    values = np.random.default_rng(seed).integers(0, 3, (frames, 6, 6), dtype=np.uint8)
    images = [Image.fromarray(one).convert(mode) for one in values]
    packed = io.BytesIO()
    more = {"save_all": True, "append_images": images[1:]} if frames > 1 else {}
    images[0].save(packed, kind, **more)
    return packed.getvalue()


def sound(seconds: float = 0.2) -> bytes:
    """A recording of silence."""
    packed = io.BytesIO()
    soundfile.write(packed, np.zeros(int(8000 * seconds)), 8000, format="WAV")
    return packed.getvalue()


def lines(head: str, *rows: str, times: int = 10) -> bytes:
    """A text of lines, which are there several times."""
    return "\n".join([*filter(None, [head]), *rows * times, ""]).encode()


_TEXT = lines("", "In the beginning was the word.", "And the word was made.", times=60)
_PICTURES = {f"{number}.png": picture(number) for number in range(8)}
_SQUAD = {
    "data": [
        {
            "title": f"a{k}",
            "paragraphs": [
                {
                    "context": "The sea is blue and deep.",
                    "qas": [
                        {
                            "id": str(k),
                            "question": "What is blue?",
                            "answers": [{"text": "sea", "answer_start": 4}],
                        }
                    ],
                }
            ],
        }
        for k in range(6)
    ]
}
_DIALOGUE = [
    {"role": "user", "content": "Who?"},
    {"role": "assistant", "content": "The sea."},
]
_BOXES = {
    "images": [
        {"id": k, "file_name": f"{k}.png", "width": 6, "height": 6} for k in range(8)
    ],
    "annotations": [
        {"id": k, "image_id": k, "category_id": 1, "bbox": [1, 1, 3, 2]}
        for k in range(8)
    ],
    "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
}
_TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": None,
    "decoder": None,
    "model": {
        "type": "WordLevel",
        "vocab": {"[UNK]": 0, "good": 1, "bad": 2, "word": 3},
        "unk_token": "[UNK]",
    },
}
_LABELLED = lines("", "yes\ta good word", "no\ta bad word", times=20)

WHOLE: Final[Mapping[str, Whole]] = {
    "text": Whole("{text: {path: t.txt, length: 8}}", {"t.txt": _TEXT}),
    "bpe": Whole(
        "{text: {path: t.txt, length: 8, tokens: {bpe: 40}}}", {"t.txt": _TEXT}
    ),
    "pairs": Whole(
        "{pairs: {path: p.tsv}}", {"p.tsv": lines("", "one\tuno", "two\tdos", times=20)}
    ),
    "labelled_text": Whole("{labelled_text: {path: l.tsv}}", {"l.tsv": _LABELLED}),
    "tokenizer": Whole(
        "{labelled_text: {path: l.tsv, tokens: {file: k.json}}}",
        {"l.tsv": _LABELLED, "k.json": as_json(_TOKENIZER)},
    ),
    "wordpiece": Whole(
        "{labelled_text: {path: l.tsv, tokens: {file: v.txt}}}",
        {
            "l.tsv": _LABELLED,
            "v.txt": b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\n##d\nword\n",
        },
    ),
    "text_table": Whole(
        "{text_table: {path: t.csv, text: said, label: kind}}",
        {"t.csv": lines("said,kind", "a word,x", "b word,y", times=20)},
    ),
    "table": Whole(
        "{table: {path: t.csv, target: price, label: kind}}",
        {"t.csv": lines("price,kind,size,town", "1.5,x,3,a", "2.5,y,,b", times=20)},
    ),
    "csv": Whole(
        "{csv: {path: s.csv, columns: [v], time: day, series: name, known: open, calendar: [month], length: 4}}",
        {
            "s.csv": lines(
                "day,name,v,open",
                *(f"2024-01-{d:02},{n},{d},1" for n in "ab" for d in range(1, 29)),
                times=1,
            )
        },
    ),
    "idx": Whole(
        "{idx: {images: i, labels: l, held_out: 0.5}}",
        {"i": idx((4, 2, 2), bytes(16)), "l": idx((4,), bytes([0, 1, 0, 1]))},
    ),
    "image_folder": Whole(
        "{image_folder: {path: p, size: 4}}",
        {f"p/{'ab'[k % 2]}/{k}.png": picture(k) for k in range(10)},
    ),
    "jpeg": Whole(
        "{image_folder: {path: p, size: 4}}",
        {f"p/{'ab'[k % 2]}/{k}.jpg": picture(k, kind="jpeg") for k in range(10)},
    ),
    "image_table": Whole(
        "{image_table: {path: t.csv, image: file, target: n, size: 4}}",
        {
            "t.csv": lines("file,n", *(f"{k}.png,{k}" for k in range(8)), times=1),
            **_PICTURES,
        },
    ),
    "captioned_images": Whole(
        "{captioned_images: {path: t.tsv, size: 4, held_out: 0.4}}",
        {
            "t.tsv": lines("", *(f"{k}.png\ta picture {k}" for k in range(8)), times=1),
            **_PICTURES,
        },
    ),
    "mask_folder": Whole(
        "{mask_folder: {path: p, size: 4, held_out: 0.4}}",
        {f"p/images/{k}.png": picture(k) for k in range(6)}
        | {f"p/masks/{k}.png": picture(k, "L") for k in range(6)},
    ),
    "video_folder": Whole(
        "{video_folder: {path: p, size: 4, frames: 2, held_out: 0.4}}",
        {
            f"p/{'ab'[k % 2]}/{k}.gif": picture(k, frames=3, kind="gif")
            for k in range(10)
        },
    ),
    "conll": Whole(
        "{conll: {path: c.txt}}",
        {"c.txt": lines("", "The O", "sea B-X", "", "It O", "", times=20)},
    ),
    "squad": Whole(
        "{squad: {path: s.json, held_out: 0.4}}", {"s.json": as_json(_SQUAD)}
    ),
    "dialogues": Whole(
        "{dialogues: {path: d.jsonl, tokens: characters}}",
        {"d.jsonl": lines("", json.dumps({"messages": _DIALOGUE}), times=20)},
    ),
    "speech": Whole(
        "{speech: {path: t.tsv, rate: 8000, mels: 8, held_out: 0.4}}",
        {
            "t.tsv": lines("", *(f"{k}.wav\tone two" for k in range(6)), times=1),
            **{f"{k}.wav": sound() for k in range(6)},
        },
    ),
    "box_folder": Whole(
        "{box_folder: {path: b.json, size: 4, held_out: 0.4}}",
        {"b.json": as_json(_BOXES), **_PICTURES},
    ),
}
"""For each data set that reads files, data that is whole."""


def write_broken(name: str, folder: Path, outside: Path, seed: int) -> str:
    """Write the files of a data set, one of them broken; what was done, in words."""
    rng = random.Random(seed)
    whole = WHOLE[name]
    for file, data in whole.files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(data)
    file = rng.choice([*whole.files, next(iter(whole.files))])
    path = folder / file
    breaks: list[Callable[[Path, Path, random.Random], str]] = [_bytes, _bytes, _kind]
    if path.suffix == ".json" or path.suffix == ".jsonl":
        breaks += [_json] * 6
    elif path.suffix in (".csv", ".tsv", ".txt"):
        breaks += [_field] * 4
    return f"{name} {seed}: {file}: {rng.choice(breaks)(path, outside, rng)}"


def _bytes(path: Path, outside: Path, rng: random.Random) -> str:
    data = damaged(path.read_bytes(), rng)
    path.write_bytes(data)
    return repr(data[:40])


def _kind(path: Path, outside: Path, rng: random.Random) -> str:
    """In place of a file: something that is no file, or a file of another kind."""
    data = path.read_bytes()
    path.unlink()
    what = rng.choice(["link", "loop", "device", "pipe", "folder", "nothing", "other"])
    match what:
        case "link":
            path.symlink_to(outside / "victim")
        case "loop":
            path.symlink_to(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "other":
            others = [
                picture(1),
                sound(),
                b"a,b\n1,2\n",
                data[::-1],
                b"\x1f\x8b" + data,
            ]
            path.write_bytes(rng.choice(others))
    return what


def _json(path: Path, outside: Path, rng: random.Random) -> str:
    """A value of a JSON file, or of a line of one, lies."""
    text = path.read_text()
    rows = text.splitlines() if path.suffix == ".jsonl" else [text]
    at = rng.randrange(len(rows))
    value = as_json(changed(json.loads(rows[at]), rng, outside)).decode()
    path.write_text("\n".join([*rows[:at], value, *rows[at + 1 :]]))
    return value[:60]


_FIELDS: Final[tuple[Any, ...]] = (
    *("", " ", "nan", "inf", "1e999", "9" * 400, "-1", "0x10", "1,5", '"', '"a', "\\"),
    *(ESCAPES, "\x00", "\ufeff", "\u2028", "a" * 200_000, "../../outside/victim"),
    *("/etc/passwd", "/dev/zero", "https://example.org/a.png", "~root", "2024-13-01"),
    *("0001-01-01", "9999-12-31", "-", "a.png\tb\tc", "\r", "=1+1"),
)


def _field(path: Path, outside: Path, rng: random.Random) -> str:
    """A field of a table, or of some of its lines, is another."""
    text = path.read_text()
    separator = {".csv": ",", ".tsv": "\t"}.get(path.suffix, " ")
    rows = list(csv.reader(text.splitlines(), delimiter=separator)) or [[""]]
    value = rng.choice(_FIELDS)
    column = rng.randrange(max(1, max(map(len, rows))))
    chosen = range(len(rows)) if rng.random() < 0.2 else [rng.randrange(len(rows))]
    for at in chosen:
        if column < len(rows[at]):
            rows[at][column] = value
    path.write_text(
        "\n".join(separator.join(row) for row in rows), errors="surrogatepass"
    )
    return f"column {column}, lines {len(chosen)}: {value[:40]!r}"
