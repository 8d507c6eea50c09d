"""The encoder-decoder nn.Transformer."""

from __future__ import annotations

from typing import Any

from compiler.op.arg_types import Size
from compiler.op.op import Port, Shape
from compiler.op.registry import register
from compiler.ops._transformer_base import AttentionPorts, TransformerOp
from compiler.ops.recurrent import LayerCount
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("transformer", torch="torch.nn.Transformer")
class Transformer(TransformerOp):
    """Transformer encoder and decoder, without embeddings and output layer.

    src float[B, S, E], tgt float[B, T, E] -> float[B, T, E]; B is optional. `src_mask`
    is bool[S, S], `tgt_mask` bool[T, T] and `memory_mask`, for the decoder's attention
    to the encoder, bool[T, S], each with an optional B in front. The key padding masks
    are bool[B, S] for src and memory, and bool[B, T] for tgt. In all masks, True means
    attend, the opposite of torch's. `src_is_causal`, `tgt_is_causal`: position t
    attends to s <= t.

    Source: Vaswani et al., "Attention Is All You Need", 2017.
    """

    nhead: Size = Dim.of(8)
    num_encoder_layers: LayerCount = 6
    num_decoder_layers: LayerCount = 6
    src_is_causal: bool = False
    tgt_is_causal: bool = False

    module = "StackedTransformer"
    library = "transformer"
    positional = ("nhead",)
    omitted = ("src_is_causal", "tgt_is_causal")
    inputs = (
        Port("src"),
        Port("tgt"),
        Port("src_mask", ("bool",), optional=True),
        Port("tgt_mask", ("bool",), optional=True),
        Port("memory_mask", ("bool",), optional=True),
        Port("src_key_padding_mask", ("bool",), optional=True),
        Port("tgt_key_padding_mask", ("bool",), optional=True),
        Port("memory_key_padding_mask", ("bool",), optional=True),
    )
    attentions = (
        AttentionPorts(
            "src", "src", "src_mask", "src_key_padding_mask", "src_is_causal"
        ),
        AttentionPorts(
            "tgt", "tgt", "tgt_mask", "tgt_key_padding_mask", "tgt_is_causal"
        ),
        AttentionPorts("tgt", "src", "memory_mask", "memory_key_padding_mask"),
    )

    def inferred(self, src: TensorType, **others: Any) -> dict[str, Dim]:
        return {"d_model": src.shape[-1]}

    def weights(self, src: TensorType, **others: Any) -> dict[str, Shape]:
        encoder = self.layer_weights(src, "self_attn")
        decoder = self.layer_weights(src, "self_attn", "multihead_attn")
        found: dict[str, Shape] = {}
        for part, layer, count in (
            ("encoder", encoder, self.num_encoder_layers),
            ("decoder", decoder, self.num_decoder_layers),
        ):
            for i in range(count):
                found |= {f"{part}.layers.{i}.{k}": v for k, v in layer.items()}
            found |= self.norm_weights(src, f"{part}.norm")
        return found

    def flops(
        self,
        outputs: tuple[TensorType, ...],
        src: TensorType,
        tgt: TensorType,
        **masks: Any,
    ) -> Dim:
        encoder = self.layer_flops(src, src) * self.num_encoder_layers
        return encoder + self.layer_flops(tgt, tgt, src) * self.num_decoder_layers
