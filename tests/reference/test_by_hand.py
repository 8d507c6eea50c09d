"""Architectures against their formulas, written once more with torch alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.reference.equality import check_equal, generated, renamed

Tensors = Mapping[str, Tensor]
Named = dict[str, Tensor]


class Elman(nn.Module):
    """h = tanh(W x + b + U h), one step after the other."""

    def __init__(self, vocab: int, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.embedding = nn.Embedding(vocab, width)
        self.from_input = nn.Linear(width, hidden)
        self.from_state = nn.Linear(hidden, hidden, bias=False)
        self.head = nn.Linear(hidden, vocab)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        h = x.new_zeros(len(x), self.hidden)
        rows = []
        for t in range(tokens.shape[1]):
            h = torch.tanh(self.from_input(x[:, t]) + self.from_state(h))
            rows.append(self.head(h))
        return torch.stack(rows, 1)


def test_elman() -> None:
    tokens = torch.randint(23, (3, 7))
    check_equal(
        generated("elman")(vocab=23, width=6, hidden=10),
        Elman(23, 6, 10),
        lambda tensors: {_in_cell(name): tensor for name, tensor in tensors.items()},
        lambda model: (model(tokens),),
        lambda model: (model(tokens),),
    )


def _in_cell(name: str) -> str:
    return f"recurrence.{name}" if name.startswith("from_") else name


class LanguageModel(nn.Module):
    """torch's own LSTM between two tables."""

    def __init__(self, vocab: int, width: int, depth: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab, width)
        self.lstm = nn.LSTM(width, width, depth, batch_first=True)
        self.head = nn.Linear(width, vocab)

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.head(self.lstm(self.embedding(tokens))[0])
        return logits


def test_rnn() -> None:
    tokens = torch.randint(23, (3, 7))
    check_equal(
        generated("rnn")(vocab=23, width=10, depth=3, dropout=0.0),
        LanguageModel(23, 10, 3),
        dict,
        lambda model: (model(tokens),),
        lambda model: (model(tokens),),
    )


class Bahdanau(nn.Module):
    """A GRU reads; a GRU writes, looking at what was read before each step."""

    def __init__(self, vocab: int, width: int, hidden: int) -> None:
        super().__init__()
        self.source_embedding = nn.Embedding(vocab, width, padding_idx=0)
        self.target_embedding = nn.Embedding(vocab, width, padding_idx=0)
        self.encoder = nn.GRU(width, hidden, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(hidden, hidden)
        self.keys = nn.Linear(2 * hidden, hidden, bias=False)
        self.query = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.cell = nn.GRUCell(width + 2 * hidden, hidden)
        self.readout = nn.Linear(width + 3 * hidden, hidden)
        self.head = nn.Linear(hidden, vocab)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        memory, last = self.encoder(self.source_embedding(source))
        h = torch.tanh(self.bridge(last[1]))
        keys, x = self.keys(memory), self.target_embedding(target)
        rows = []
        for t in range(target.shape[1]):
            scores = self.score(torch.tanh(self.query(h)[:, None] + keys))[..., 0]
            scores = torch.where(source == 0, -torch.inf, scores)
            context = (scores.softmax(-1)[..., None] * memory).sum(1)
            h = self.cell(torch.cat([x[:, t], context], -1), h)
            read = torch.cat([h, context, x[:, t]], -1)
            rows.append(self.head(torch.tanh(self.readout(read))))
        return torch.stack(rows, 1)


BAHDANAU = {
    r"(query|score)\.(\w+)": r"decoder.context.\1.\2",
    r"cell\.(\w+)": r"decoder.state.\1",
    r"(readout\.\w+)": r"decoder.\1",
    r"(.*)": r"\1",
}


def test_encoder_decoder() -> None:
    source, target = torch.randint(1, 29, (3, 8)), torch.randint(1, 29, (3, 6))
    source[0, 5:] = source[1, 2:] = target[2, 4:] = 0
    check_equal(
        generated("encoder_decoder")(
            source_vocab=29, target_vocab=29, width=6, hidden=10, dropout=0.0
        ),
        Bahdanau(29, 6, 10),
        lambda tensors: {renamed(n, BAHDANAU): t for n, t in tensors.items()},
        lambda model: (model(source, target),),
        lambda model: (model(source, target),),
    )


class Translator(nn.Module):
    """torch's own Transformer layers, which norm after each sum."""

    def __init__(self, vocab: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        shape = (width, heads, 5 * width, 0.0)
        self.embedding = nn.Embedding(vocab, width)
        self.encoder = nn.ModuleList(
            nn.TransformerEncoderLayer(*shape, batch_first=True) for _ in range(depth)
        )
        self.decoder = nn.ModuleList(
            nn.TransformerDecoderLayer(*shape, batch_first=True) for _ in range(depth)
        )

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        absent = source == 0
        memory, x = self.embed(source), self.embed(target)
        later = torch.ones(target.shape[1], target.shape[1]).triu(1).bool()
        for layer in self.encoder:
            memory = layer(memory, src_key_padding_mask=absent)
        for layer in self.decoder:
            x = layer(x, memory, tgt_mask=later, memory_key_padding_mask=absent)
        logits: Tensor = F.linear(x, self.embedding.weight)
        return logits

    def embed(self, tokens: Tensor) -> Tensor:
        """The table's rows times the root of the width, and the place as waves."""
        rows: Tensor = self.embedding(tokens)
        width = rows.shape[2]
        place = torch.arange(tokens.shape[1], dtype=torch.float64)
        waves = torch.empty(tokens.shape[1], width, dtype=torch.float64)
        for k in range(width):
            angle = place / 10000 ** (2 * (k // 2) / width)
            waves[:, k] = angle.cos() if k % 2 else angle.sin()
        return rows * math.sqrt(width) + waves.to(rows.dtype)


LAYERS = {
    r"(encoder|decoder)\.(\d)\.linear1\.(\w+)": r"\1.\2.feed_forward.widen.\3",
    r"(encoder|decoder)\.(\d)\.linear2\.(\w+)": r"\1.\2.feed_forward.narrow.\3",
    r"(encoder|decoder)\.(\d)\.norm1\.(\w+)": r"\1.\2.attended.norm.\3",
    r"encoder\.(\d)\.norm2\.(\w+)": r"encoder.\1.out.norm.\2",
    r"decoder\.(\d)\.norm2\.(\w+)": r"decoder.\1.informed.norm.\2",
    r"decoder\.(\d)\.norm3\.(\w+)": r"decoder.\1.out.norm.\2",
    r"(.*\.)self_attn\.out_proj\.(\w+)": r"\1self_attention.project.\2",
    r"(.*\.)multihead_attn\.out_proj\.(\w+)": r"\1cross_attention.project.\2",
    r"(.*\.)self_attn\.in_proj_(\w+)": r"\1self_attention.%s.\2",
    r"(.*\.)multihead_attn\.in_proj_(\w+)": r"\1cross_attention.%s.\2",
    r"embedding\.weight": "embed.embedding.weight",
}


def _transformer_names(tensors: Tensors) -> Named:
    """torch packs the three projections; the head's weight is the table's."""
    made = {}
    for name, tensor in tensors.items():
        ours = renamed(name, LAYERS)
        if "%s" in ours:
            for part, piece in zip("qkv", tensor.chunk(3), strict=True):
                made[ours % part] = piece
        else:
            made[ours] = tensor
            if ours == "embed.embedding.weight":
                made["head.weight"] = tensor
    return made


def test_transformer() -> None:
    source, target = torch.randint(1, 29, (3, 8)), torch.randint(1, 29, (3, 6))
    source[0, 5:] = source[1, 2:] = target[2, 4:] = 0
    check_equal(
        generated("transformer")(
            vocab=29, width=24, depth=2, heads=3, hidden=120, dropout=0.0
        ),
        Translator(29, 24, 2, 3),
        _transformer_names,
        lambda model: (model(source, target),),
        lambda model: (model(source, target),),
    )


def _in_order(theirs: nn.Module, ours: nn.Module) -> Callable[[Tensors], Named]:
    """From names to names, where both models have their layers in one order."""
    names = dict(zip(theirs.state_dict(), ours.state_dict(), strict=True))
    return lambda tensors: {names[name]: tensor for name, tensor in tensors.items()}


def test_cnn() -> None:
    ours = generated("cnn")()
    theirs = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )
    _check_images(ours, theirs, _in_order(theirs, ours), torch.randn(3, 1, 28, 28))


def test_gan_generator() -> None:
    ours = generated("gan", "generator")(latent=10, width=4)
    theirs = nn.Sequential(
        nn.Unflatten(1, (10, 1, 1)),
        *_up(10, 32, stride=1, padding=0),
        *_up(32, 16),
        *_up(16, 8),
        *_up(8, 4),
        nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    )
    _check_images(ours, theirs, _in_order(theirs, ours), torch.randn(3, 10))


def _up(before: int, after: int, stride: int = 2, padding: int = 1) -> list[nn.Module]:
    conv = nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False)
    return [conv, nn.BatchNorm2d(after), nn.ReLU()]


def test_gan_discriminator() -> None:
    ours = generated("gan", "discriminator")(width=4)
    theirs = nn.Sequential(
        nn.Conv2d(3, 4, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2),
        *_down(4, 8),
        *_down(8, 16),
        *_down(16, 32),
        nn.Conv2d(32, 1, 4, bias=False),
        nn.Flatten(),
    )
    _check_images(ours, theirs, _in_order(theirs, ours), torch.randn(3, 3, 64, 64))


def _down(before: int, after: int) -> list[nn.Module]:
    conv = nn.Conv2d(before, after, 4, 2, 1, bias=False)
    return [conv, nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]


class FlatUNet(nn.Module):
    """Lists of levels, and a stack of what the way down leaves for the way up."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        widths = [width * 2**k for k in range(depth + 1)]
        self.encode = nn.ModuleList(map(self.block, [1, *widths], widths))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in widths[:-1]
        )
        self.decode = nn.ModuleList(self.block(2 * w, w) for w in widths[:-1])
        self.head = nn.Conv2d(width, 2, 1)

    @staticmethod
    def block(before: int, after: int) -> nn.Module:
        """Two convolutions, each with its norm."""
        return nn.Sequential(
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for k, encode in enumerate(self.encode):
            x = encode(F.max_pool2d(x, 2) if k else x)
            skips.append(x)
        for k in reversed(range(len(self.up))):
            x = self.decode[k](torch.cat([skips[k], self.up[k](x)], 1))
        logits: Tensor = self.head(x)
        return logits


PARTS = {"0": "conv1", "1": "bn1", "3": "conv2", "4": "bn2"}


def _unet_names(tensors: Tensors) -> Named:
    """`encode.2.0.weight` to `body.below.level.below.level.encode.conv1.weight`."""
    made = {}
    for name, tensor in tensors.items():
        kind, *rest = name.split(".")
        if kind != "head":
            level = "body" + ".below.level" * int(rest.pop(0))
            part = "below.up" if kind == "up" else f"{kind}.{PARTS[rest.pop(0)]}"
            name = f"{level}.{part}.{rest[0]}"
        made[name] = tensor
    return made


def test_unet() -> None:
    ours, theirs = generated("unet")(width=4, depth=3), FlatUNet(4, 3)
    _check_images(ours, theirs, _unet_names, torch.randn(2, 1, 32, 48))


def _check_images(
    ours: nn.Module,
    theirs: nn.Module,
    translate: Callable[[Tensors], Named],
    image: Tensor,
) -> None:
    def run(model: nn.Module) -> tuple[Tensor]:
        return (model(image.to(next(model.parameters()).dtype)),)

    check_equal(ours, theirs, translate, run, run)
