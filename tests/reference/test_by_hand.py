"""Networks of sequences against their formulas, written once more with torch alone."""

from __future__ import annotations

import math
from collections.abc import Mapping

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


class PointerGenerator(nn.Module):
    """See et al., 2017, equations 1 to 11, one step after the other."""

    def __init__(self, vocab: int, extra: int, width: int, hidden: int) -> None:
        super().__init__()
        self.extra = extra
        self.embedding = nn.Embedding(vocab, width, padding_idx=0)
        self.encoder = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
        self.keys = nn.Linear(2 * hidden, 2 * hidden, bias=False)
        self.reduce_hidden = nn.Linear(2 * hidden, hidden)
        self.reduce_cell = nn.Linear(2 * hidden, hidden)
        self.lstm = nn.LSTMCell(width, hidden)
        self.query = nn.Linear(hidden, 2 * hidden)
        self.of_coverage = nn.Linear(1, 2 * hidden, bias=False)
        self.score = nn.Linear(2 * hidden, 1, bias=False)
        self.readout = nn.Linear(3 * hidden, hidden)
        self.head = nn.Linear(hidden, vocab)
        self.switch = nn.Linear(3 * hidden + width, 1)

    def forward(
        self, source: Tensor, extended: Tensor, target: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        memory, (hidden, cell) = self.encoder(self.embedding(source))
        h = torch.relu(self.reduce_hidden(torch.cat([hidden[0], hidden[1]], -1)))
        c = torch.relu(self.reduce_cell(torch.cat([cell[0], cell[1]], -1)))
        coverage = memory.new_zeros(source.shape)
        steps = []
        for x in self.embedding(target).unbind(1):
            h, c = self.lstm(x, (h, c))
            features = self.keys(memory) + self.query(h)[:, None]
            features = features + self.of_coverage(coverage[..., None])
            scores = self.score(torch.tanh(features))[..., 0]
            attention = scores.masked_fill(source == 0, -torch.inf).softmax(1)
            context = (attention[..., None] * memory).sum(1)
            words = self.head(self.readout(torch.cat([h, context], -1))).softmax(1)
            p_gen = torch.sigmoid(self.switch(torch.cat([h, context, x], -1)))
            all_words = torch.arange(words.shape[1] + self.extra)
            is_word = extended[..., None] == all_words  # of each place of the source
            copied = (attention[..., None] * is_word).sum(1)
            generated = F.pad(words, (0, self.extra))
            p = p_gen * generated + (1 - p_gen) * copied
            steps.append((p, attention, coverage))
            coverage = coverage + attention
        first, second, third = zip(*steps, strict=True)
        return torch.stack(first, 1), torch.stack(second, 1), torch.stack(third, 1)


POINTER = {"vocab": 23, "extra": 4, "width": 6, "hidden": 10}


def _summaries() -> tuple[Tensor, Tensor, Tensor]:
    """Sources of unequal length, some words of which are not in the vocabulary."""
    source = torch.randint(3, 23, (3, 8))
    source[1, 5:] = source[2, 2:] = 0
    extended = source.where(torch.rand(3, 8) < 0.7, torch.randint(23, 27, (3, 8)))
    return source, extended.where(source > 0, 0), torch.randint(3, 23, (3, 5))


def test_pointer_generator() -> None:
    texts = _summaries()
    check_equal(
        generated("pointer_generator")(**POINTER),
        PointerGenerator(**POINTER),
        _pointer_names,
        lambda model: model(*texts),
        lambda model: model(*texts),
    )


def _pointer_names(tensors: Tensors) -> Named:
    rules = {
        r"(lstm\..*)": r"decoder.\1",
        r"((?:query|of_coverage|score)\..*)": r"decoder.attention.\1",
        r"(.*)": r"\1",
    }
    return {renamed(name, rules): tensor for name, tensor in tensors.items()}


def test_probabilities_of_a_pointer_generator_sum_to_one() -> None:
    model = generated("pointer_generator")(**POINTER).eval()
    source, extended, target = _summaries()
    probabilities, attention, coverage = model(source, extended, target)
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(3, 5))
    torch.testing.assert_close(coverage[:, 1:], attention.cumsum(1)[:, :-1])
    state = model.init_state(source, extended)
    steps = [model.step(one, state)[0] for one in target.split(1, dim=1)]
    torch.testing.assert_close(torch.cat(steps, 1), probabilities)


class Tagger(nn.Module):
    """Huang et al., 2015: f(i, t) of section 2.5 from both directions of an LSTM, and A, the scores of transitions."""

    def __init__(self, vocab: int, tags: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab, width, padding_idx=0)
        self.forwards = nn.LSTM(width, hidden, batch_first=True)
        self.backwards = nn.LSTM(width, hidden, batch_first=True)
        self.head = nn.Linear(2 * hidden, tags)
        self.transitions = nn.Parameter(torch.empty(tags, tags))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        x = self.embedding(tokens)
        before, _ = self.forwards(x)
        after, _ = self.backwards(x.flip(1))
        return self.head(torch.cat([before, after.flip(1)], -1)), self.transitions


def test_tagger() -> None:
    tokens = torch.randint(23, (3, 7))
    settings = {"vocab": 23, "tags": 5, "width": 6, "hidden": 4}
    check_equal(
        generated("tagger")(**settings, dropout=0.0),
        Tagger(**settings),
        _tagger_names,
        lambda model: model(tokens),
        lambda model: model(tokens),
    )


def _tagger_names(tensors: Tensors) -> Named:
    rules = {
        r"forwards\.(.*)": r"lstm.\1",
        r"backwards\.(.*)": r"lstm.\1_reverse",
        r"(.*)": r"\1",
    }
    return {renamed(name, rules): tensor for name, tensor in tensors.items()}


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
