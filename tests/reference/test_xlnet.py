"""XLNet against transformers, with padding and segments and without."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from transformers import XLNetConfig, XLNetModel

from runtime.load import build_on_meta
from tests.reference.equality import check_equal, count, generated, translation

SMALL = {"vocab": 61, "width": 12, "depth": 2, "heads": 3, "hidden": 20, "dropout": 0.0}


class Exact(XLNetModel):  # type: ignore[misc]
    """Theirs with distances in the precision of its weights, where it takes single precision."""

    def relative_positional_encoding(
        self, qlen: int, klen: int, bsz: int | None = None, device: Any = None
    ) -> torch.Tensor:
        dtype = self.word_embedding.weight.dtype
        distances = torch.arange(klen, -qlen, -1, dtype=dtype)
        steps = torch.arange(0, self.d_model, 2, dtype=dtype) / self.d_model
        found: torch.Tensor = self.positional_embedding(distances, 10000.0**-steps, bsz)
        return found


def _theirs() -> nn.Module:
    config = XLNetConfig(
        vocab_size=61, d_model=12, n_layer=2, n_head=3, d_inner=20, dropout=0.0
    )
    theirs = Exact(config)
    theirs.mask_emb = None  # of the second stream, which pre-training alone has
    return theirs


@pytest.mark.parametrize("masked", [False, True])
def test_xlnet(masked: bool) -> None:
    """With segments and without; what theirs gives of padded tokens means nothing."""
    tokens = torch.randint(4, 61, (3, 7))
    mask = (torch.arange(7) < torch.tensor([[7], [2], [6]])) | (not masked)
    segments = torch.tensor([[0, 0, 1, 1, 1, 2, 0]]).expand(3, 7)

    def ours(model: nn.Module) -> tuple[torch.Tensor, ...]:
        torch.set_default_dtype(next(model.parameters()).dtype)
        given = mask if masked else None
        found = [model(tokens, given, one)[mask] for one in (segments, None)]
        torch.set_default_dtype(torch.float32)
        return tuple(found)

    def theirs(model: nn.Module) -> tuple[torch.Tensor, ...]:
        given = mask.to(next(model.parameters()).dtype) if masked else None
        found = (
            model(tokens, attention_mask=given, token_type_ids=one)
            for one in (segments, None)
        )
        return tuple(one.last_hidden_state[mask] for one in found)

    check_equal(
        generated("xlnet")(**SMALL),
        _theirs(),
        translation("xlnet", **SMALL),
        ours,
        theirs,
    )


@pytest.mark.parametrize("sizes", [(768, 12, 12), (1024, 24, 16)])
def test_counts(sizes: tuple[int, int, int]) -> None:
    width, depth, heads = sizes
    config = XLNetConfig(d_model=width, n_layer=depth, n_head=heads, d_inner=4 * width)
    theirs = build_on_meta(XLNetModel, config)
    assert isinstance(theirs.mask_emb, nn.Parameter)
    ours = build_on_meta(generated("xlnet"), width=width, depth=depth, heads=heads)
    assert count(ours) == count(theirs) - theirs.mask_emb.numel()
