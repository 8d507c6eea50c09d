"""nn.Transformer without nested tensors."""

from __future__ import annotations

from typing import Any

from torch import nn


class StackedTransformer(nn.Transformer):
    """Encoder and decoder, as nn.Transformer with batch_first.

    src: float[B, S, E], tgt: float[B, T, E] -> float[B, T, E]

    In evaluation, torch's encoder would convert padded inputs to nested tensors, for
    which it inspects the values of masks, and warn; this one does not.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        *,
        layer_norm_eps: float = 1e-5,
        bias: bool = True,
        **options: Any,
    ) -> None:
        options |= {"layer_norm_eps": layer_norm_eps, "bias": bias, "batch_first": True}
        layer = nn.TransformerEncoderLayer(d_model, nhead, **options)
        norm = nn.LayerNorm(d_model, eps=layer_norm_eps, bias=bias)
        encoder = nn.TransformerEncoder(
            layer, num_encoder_layers, norm, enable_nested_tensor=False
        )
        super().__init__(
            d_model,
            nhead,
            num_decoder_layers=num_decoder_layers,
            custom_encoder=encoder,
            **options,
        )
