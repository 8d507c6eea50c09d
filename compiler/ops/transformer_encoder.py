"""The Transformer encoder and its layer."""

from __future__ import annotations

from typing import Any

from compiler.codegen.python import Call, Conditional, Expr, call, lit
from compiler.op.op import Code, Port, Shape
from compiler.op.registry import register
from compiler.ops._transformer_base import AttentionPorts, TransformerOp
from compiler.ops.recurrent import LayerCount
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("transformer_encoder_layer", torch="torch.nn.TransformerEncoderLayer")
class TransformerEncoderLayer(TransformerOp):
    """Self-attention and an MLP, each with residual and layer norm.

    src float[B, S, E] -> float[B, S, E]; B is optional. `src_mask` is bool[S, S] or [B,
    S, S], `src_key_padding_mask` bool[B, S]. In both, True means attend, the opposite
    of torch's. `is_causal`: position t attends to s <= t.
    """

    is_causal: bool = False

    module = "nn.TransformerEncoderLayer"
    detects_causality = False
    inputs = (
        Port("src"),
        Port("src_mask", ("bool",), optional=True),
        Port("src_key_padding_mask", ("bool",), optional=True),
    )
    attentions = (
        AttentionPorts("src", "src", "src_mask", "src_key_padding_mask", "is_causal"),
    )

    def weights(self, src: TensorType, **masks: Any) -> dict[str, Shape]:
        return self.layer_weights(src, "self_attn")

    def flops(
        self, outputs: tuple[TensorType, ...], src: TensorType, **masks: Any
    ) -> Dim:
        return self.layer_flops(src, src)

    def build(self, code: Code, src: TensorType, **masks: Any) -> Call:
        return self.layer(code, "TransformerEncoderLayer", src)


class TransformerStack(TransformerOp):
    """Base class of encoder and decoder: `num_layers` layers, and a final layer norm if `norm`."""

    num_layers: LayerCount
    norm: bool = False

    def stacked(self, layer: dict[str, Shape], input: TensorType) -> dict[str, Shape]:
        """The weights of all layers, given those of one."""
        found = {
            f"layers.{i}.{name}": shape
            for i in range(self.num_layers)
            for name, shape in layer.items()
        }
        return found | (self.norm_weights(input, "norm") if self.norm else {})

    def options(self, code: Code, input: TensorType) -> dict[str, Expr]:
        """The arguments of torch's class after the layer."""
        count = {"num_layers": code.argument("num_layers")}
        if not self.norm and not code.chosen("norm"):
            return count
        names = {"eps": "layer_norm_eps", "bias": "bias"}
        given = {k: code.argument(v) for k, v in names.items() if code.given(v)}
        made: Expr = call("nn.LayerNorm", code.size(input.shape[-1]), **given)
        if code.chosen("norm"):
            made = Conditional(code.argument("norm"), made, lit(None))
        return count | {"norm": made}


@register("transformer_encoder", torch="torch.nn.TransformerEncoder")
class TransformerEncoder(TransformerStack):
    """A stack of transformer_encoder_layer, with a final layer norm if `norm`.

    src float[B, S, E] -> float[B, S, E]; B is optional. `mask` is bool[S, S] or [B, S,
    S], `src_key_padding_mask` bool[B, S]. In both, True means attend, the opposite of
    torch's. `is_causal`: position t attends to s <= t. As in torch, all layers have the
    same initial weights.
    """

    is_causal: bool = False

    module = "nn.TransformerEncoder"
    inputs = (
        Port("src"),
        Port("mask", ("bool",), optional=True),
        Port("src_key_padding_mask", ("bool",), optional=True),
    )
    attentions = (
        AttentionPorts("src", "src", "mask", "src_key_padding_mask", "is_causal"),
    )

    def weights(self, src: TensorType, **masks: Any) -> dict[str, Shape]:
        return self.stacked(self.layer_weights(src, "self_attn"), src)

    def flops(
        self, outputs: tuple[TensorType, ...], src: TensorType, **masks: Any
    ) -> Dim:
        return self.layer_flops(src, src) * self.num_layers

    def build(self, code: Code, src: TensorType, **masks: Any) -> Call:
        layer = self.layer(code, "TransformerEncoderLayer", src)
        options = self.options(code, src)
        # nested tensors would make torch inspect the values of masks, and warn
        return call(self.module, layer, **options, enable_nested_tensor=False)
