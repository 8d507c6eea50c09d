"""Prompts of unequal length in one batch: padded, with a mask, they give what each gives alone, in pieces too."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn

from runtime.decode import pad_left
from tests.generated.networks import small
from tests.generated.stepped import LENGTH, STEPPED, TEXTS, Stepped, first
from tests.programs import chosen

PIECES = ([1] * LENGTH, [LENGTH], [6, 1, 2, 1, 1])
STARTS = torch.tensor([[0], [4], [5]])
PADDING = 1
"""The token that fills texts up; no text has it."""


def _mask_of(spec: str) -> str:
    """The mask of the inputs that come in pieces; "" if there is none."""
    stepped = Stepped(small(spec))
    kinds = stepped.instance.inputs
    return next((n for n in stepped.axes if (k := kinds[n]) and k.kind == "bool"), "")


MASKS = {
    spec: found[1]
    for spec in STEPPED
    if (found := re.search(r"^  (\w+): bool\[B, T\]", TEXTS[spec], re.MULTILINE))
}
DECODERS = [spec for spec, mask in MASKS.items() if mask == "mask"]
"""Those without an encoder."""
ABSOLUTE = ("bart_base", "pegasus")
"""Their positions are those of columns: a text that begins later has others."""


def test_decoders_with_a_mask() -> None:
    assert len(MASKS) == 30 and len(DECODERS) == 27


@pytest.mark.parametrize("spec", chosen(STEPPED))
def test_the_mask_is_read_off_the_text(spec: str) -> None:
    assert _mask_of(spec) == MASKS.get(spec, "")


class _Padded(Stepped):
    """Texts that begin at some columns of a batch."""

    def __init__(self, spec: str) -> None:
        super().__init__(small(spec))
        self.mask = MASKS[spec]
        real = torch.arange(LENGTH) >= STARTS
        self.inputs[self.mask] = real
        (self.tokens,) = (name for name in self.axes if name != self.mask)
        self.inputs[self.tokens] = self.inputs[self.tokens].masked_fill(~real, PADDING)
        self.real = real

    def poison(self) -> None:
        """Make what padding is embedded as NaN."""
        for module in self.network.modules():
            if isinstance(module, nn.Embedding) and module.num_embeddings > PADDING:
                with torch.no_grad():
                    module.weight[PADDING] = torch.nan
                return

    def check(self, found: Tensor, wanted: Tensor, tolerance: float = 1e-10) -> None:
        """Real positions are equal; the logit of the padding token is left out."""
        found, wanted = (x[self.real] for x in (found, wanted))
        others = torch.arange(wanted.shape[-1]) != PADDING
        torch.testing.assert_close(
            found[:, others], wanted[:, others], rtol=0, atol=tolerance
        )


@pytest.mark.parametrize("spec", chosen(MASKS))
@torch.no_grad()
def test_pieces_of_padded_texts_give_what_the_whole_gives(spec: str) -> None:
    padded = _Padded(spec)
    wanted = padded.whole()
    for sizes in PIECES:
        for most in (None, LENGTH):
            padded.check(padded.pieces(sizes, padded.begin(most)), wanted)


@pytest.mark.parametrize("spec", chosen(MASKS))
def test_gradients_of_padded_texts(spec: str) -> None:
    padded = _Padded(spec)
    parameters = list(padded.network.parameters())
    wanted, found = padded.whole(), padded.pieces(PIECES[-1], padded.begin(None))
    weights = torch.randn_like(wanted) * padded.real[..., None]
    for one, other in zip(
        torch.autograd.grad((found * weights).sum(), parameters, allow_unused=True),
        torch.autograd.grad((wanted * weights).sum(), parameters, allow_unused=True),
        strict=True,
    ):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("spec", chosen(one for one in MASKS if one not in ABSOLUTE))
@torch.no_grad()
def test_a_padded_text_gives_what_it_gives_alone(spec: str) -> None:
    """Angles of positions are computed in float32."""
    padded = _Padded(spec)
    found = padded.pieces(PIECES[-1], padded.begin(LENGTH))
    for row, start in enumerate(STARTS.flatten().tolist()):
        alone = {
            name: x[row : row + 1, start:] if name in padded.axes else x[row : row + 1]
            for name, x in padded.inputs.items()
        }
        wanted = first(padded.network(**alone))
        torch.testing.assert_close(found[row, start:], wanted[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize("spec", chosen(MASKS))
@torch.no_grad()
def test_nan_in_padding_changes_nothing(spec: str) -> None:
    padded = _Padded(spec)
    wanted = padded.whole()
    padded.poison()
    padded.check(padded.whole(), wanted)
    for sizes in PIECES:
        padded.check(padded.pieces(sizes, padded.begin(LENGTH)), wanted)


@pytest.mark.parametrize("spec", DECODERS)
@torch.no_grad()
def test_a_mask_of_the_prompt_alone(spec: str) -> None:
    """What follows is attended to; so is what came before the first mask."""
    padded = _Padded(spec)
    wanted, inputs = padded.whole(), padded.inputs
    state, tokens = padded.begin(LENGTH), inputs[padded.tokens]
    mask = inputs[padded.mask]
    pieces = [padded.network.step(tokens[:, :7], state, mask=mask[:, :7])]
    pieces += [
        padded.network.step(tokens[:, n : n + 1], state) for n in range(7, LENGTH)
    ]
    padded.check(torch.cat(list(map(first, pieces)), 1), wanted)
    del inputs[padded.mask]
    state, late = padded.begin(LENGTH), torch.ones_like(mask)
    late[:, 5] = False
    inputs[padded.mask] = late
    wanted = padded.whole()
    pieces = [padded.network.step(tokens[:, :5], state)]
    pieces += [padded.network.step(tokens[:, 5:], state, mask=late[:, 5:])]
    padded.check(torch.cat(list(map(first, pieces)), 1), wanted)


@torch.no_grad()
def test_texts_padded_on_the_right_go_on_from_their_ends() -> None:
    padded = _Padded("llama3")
    lengths = LENGTH - STARTS
    right = padded.inputs["tokens"].gather(1, (torch.arange(LENGTH) + STARTS) % LENGTH)
    tokens, mask = pad_left(right, torch.arange(LENGTH) < lengths)
    assert torch.equal(tokens[mask], padded.inputs["tokens"][padded.real])
    assert torch.equal(mask, padded.real)
    again, same = pad_left(tokens, mask)
    assert torch.equal(again, tokens) and torch.equal(same, mask)
