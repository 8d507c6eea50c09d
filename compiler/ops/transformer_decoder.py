"""The Transformer decoder and its layer."""

from __future__ import annotations

from typing import Any

from compiler.codegen.python import Call, call
from compiler.op.op import Code, Port, Shape
from compiler.op.registry import register
from compiler.ops._transformer_base import AttentionPorts, TransformerOp
from compiler.ops.transformer_encoder import TransformerStack
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

_INPUTS = (
    Port("tgt"),
    Port("memory"),
    Port("tgt_mask", ("bool",), optional=True),
    Port("memory_mask", ("bool",), optional=True),
    Port("tgt_key_padding_mask", ("bool",), optional=True),
    Port("memory_key_padding_mask", ("bool",), optional=True),
)
_ATTENTIONS = (
    AttentionPorts("tgt", "tgt", "tgt_mask", "tgt_key_padding_mask", "tgt_is_causal"),
    AttentionPorts("tgt", "memory", "memory_mask", "memory_key_padding_mask"),
)


@register("transformer_decoder_layer", torch="torch.nn.TransformerDecoderLayer")
class TransformerDecoderLayer(TransformerOp):
    """Self-attention, attention to `memory` and an MLP, each with residual and layer norm.

    tgt float[B, T, E], memory float[B, S, E] -> float[B, T, E]; B is optional.
    `tgt_mask` is bool[T, T], `memory_mask` bool[T, S], each with an optional B in
    front; the key padding masks are bool[B, T] and bool[B, S]. In all masks, True means
    attend, the opposite of torch's. `tgt_is_causal`: position t attends to s <= t.
    """

    tgt_is_causal: bool = False

    module = "nn.TransformerDecoderLayer"
    detects_causality = False
    inputs = _INPUTS
    attentions = _ATTENTIONS

    def weights(self, tgt: TensorType, **others: Any) -> dict[str, Shape]:
        return self.layer_weights(tgt, "self_attn", "multihead_attn")

    def flops(
        self,
        outputs: tuple[TensorType, ...],
        tgt: TensorType,
        memory: TensorType,
        **masks: Any,
    ) -> Dim:
        return self.layer_flops(tgt, tgt, memory)

    def build(self, code: Code, tgt: TensorType, **others: Any) -> Call:
        return self.layer(code, "TransformerDecoderLayer", tgt)


@register("transformer_decoder", torch="torch.nn.TransformerDecoder")
class TransformerDecoder(TransformerStack):
    """A stack of transformer_decoder_layer, with a final layer norm if `norm`.

    tgt float[B, T, E], memory float[B, S, E] -> float[B, T, E]; B is optional.
    `tgt_mask` is bool[T, T], `memory_mask` bool[T, S], each with an optional B in
    front; the key padding masks are bool[B, T] and bool[B, S]. In all masks, True means
    attend, the opposite of torch's. `tgt_is_causal`: position t attends to s <= t. As
    in torch, all layers have the same initial weights.
    """

    tgt_is_causal: bool = False

    module = "nn.TransformerDecoder"
    inputs = _INPUTS
    attentions = _ATTENTIONS

    def weights(self, tgt: TensorType, **others: Any) -> dict[str, Shape]:
        layer = self.layer_weights(tgt, "self_attn", "multihead_attn")
        return self.stacked(layer, tgt)

    def flops(
        self,
        outputs: tuple[TensorType, ...],
        tgt: TensorType,
        memory: TensorType,
        **masks: Any,
    ) -> Dim:
        return self.layer_flops(tgt, tgt, memory) * self.num_layers

    def build(self, code: Code, tgt: TensorType, **others: Any) -> Call:
        layer = self.layer(code, "TransformerDecoderLayer", tgt)
        return call(self.module, layer, **self.options(code, tgt))
