"""torch's own encoder and decoder in one."""

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
    """Encoder and decoder (Vaswani et al., 2017), without embeddings and head.

    src float[B, S, E], tgt float[B, T, E] -> float[B, T, E]. The masks of pairs are
    bool[S, S], [T, T] and (of the decoder's keys in the encoder) [T, S], or begin with
    B; those of keys are bool[B, S] and [B, T]; in all, true takes part, the opposite of
    torch's. `tgt_is_causal`: position t of the target sees s <= t.
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
