"""Base class of nn.Transformer and its encoder and decoder: layer arguments, weights and masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from compiler.codegen.python import Call, Expr, call, lit
from compiler.dataclass import dataclass
from compiler.op.arg_types import NonNegative, Probability, Size
from compiler.op.combine_flows import join, without
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.op import Code, Op, Shape
from compiler.ops._attention_flow import CAUSAL, AttentionFlow, key_labels, pair_labels
from compiler.ops._nn_attention_masks import (
    blocked_pairs,
    later_keys,
    padding_mask,
    require_mask,
    require_padding_mask,
)
from compiler.ops.multihead_attention import MultiheadAttention
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

_LAYER_OPTIONS: Final = (
    "dim_feedforward",
    "dropout",
    "activation",
    "layer_norm_eps",
    "norm_first",
    "bias",
)
"""The arguments of a layer that have a default."""


@dataclass(frozen=True, slots=True)
class AttentionPorts:
    """The input ports of one attention: query, key, mask of query-key pairs, and mask of keys."""

    query: str
    key: str
    pairs: str
    keys: str
    causal: str = ""
    """The op's argument (and torch's keyword) that makes it causal; "" if it is never causal."""


class TransformerOp(Op):
    """Base class of the Transformer ops. Sequences are [B, S, E] or [S, E]; in masks, True means attend."""

    nhead: Size
    dim_feedforward: Size = Dim.of(2048)
    dropout: Probability = 0.1
    activation: Literal["relu", "gelu"] = "relu"
    layer_norm_eps: NonNegative = 1e-5
    norm_first: bool = False
    bias: bool = True

    family: ClassVar[str] = "attention"
    refused_by_module = ("dropout",)
    attentions: ClassVar[tuple[AttentionPorts, ...]]
    detects_causality: ClassVar[bool] = True
    """Whether torch, unless passed `is_causal`, compares a mask with the causal mask.

    Such a test of values breaks torch.compile and torch.export.
    """
    chains = False

    def infer(self, ctx: Context, *args: Any, **inputs: Any) -> TensorType:
        first = self.attentions[0].query
        self._require_width(ctx, first, inputs[first])
        for one in self.attentions:
            query, key = inputs[one.query], inputs[one.key]
            self._require_sequence(ctx, one.key, key, query)
            pairs, keys = inputs.get(one.pairs), inputs.get(one.keys)
            require_mask(ctx, self.name, one.pairs, pairs, query, key, self.nhead)
            require_padding_mask(ctx, self.name, one.keys, keys, key)
        found: TensorType = inputs[self.attentions[-1].query]
        return found

    @flow_rule("attention")
    def flow(self, call: FlowCall) -> Dependence:
        """Layer after layer, each attention reads what its flag and masks leave; the rest mixes channels."""
        flows = {one.query: call[one.query] for one in self.attentions}
        flows |= {one.key: call[one.key] for one in self.attentions}
        for query in dict.fromkeys(one.query for one in self.attentions):
            for _ in range(self._layer_count(query)):
                before = flows[query]
                for one in self.attentions:
                    if one.query == query:
                        flows[query] = self._attended(call, one, flows)
                if flows[query] == before:
                    break
        return flows[self.attentions[-1].query]

    def _layer_count(self, query: str) -> int:
        """How many layers a sequence goes through."""
        own = {"src": "num_encoder_layers", "tgt": "num_decoder_layers"}[query]
        return int(getattr(self, own, getattr(self, "num_layers", 1)))

    def _attended(
        self, call: FlowCall, one: AttentionPorts, flows: Mapping[str, Dependence]
    ) -> Dependence:
        """A sequence after an attention with its residual, and the mixing of channels."""
        kind, key = call.type(one.query), (flows[one.key], call.type(one.key))
        operand = flows[one.query], kind
        masks = [(m, pair_labels(m[1], kind)) for m in call.operands(one.pairs)]
        masks += [(m, key_labels(kind)) for m in call.operands(one.keys)]
        causal = bool(one.causal) and bool(getattr(self, one.causal))
        regions = [CAUSAL] if causal else []
        found = AttentionFlow(call, operand, key, key, masks, (), regions, self.nhead)
        joined = join(call, [operand, (found.output(), kind)], kind)
        return without(joined, {kind.rank - 1}, f"{self.name} has T as its channels")

    def _require_width(self, ctx: Context, port: str, tensor: TensorType) -> None:
        ctx.require_rank(port, tensor, 2, 3)
        width = tensor.shape[-1]
        ctx.require_least(f"{port}'s width", width, 1, port)
        ctx.require_multiple(f"{port}'s width", width, "nhead", self.nhead, "nhead")

    def _require_sequence(
        self, ctx: Context, port: str, tensor: TensorType, like: TensorType
    ) -> None:
        ctx.require_rank(port, tensor, like.rank)
        message = f"{self.name} needs sequences of the same width"
        ctx.require_equal(message, tensor.shape[-1], like.shape[-1], port)
        if tensor.rank == 3:
            message = f"{self.name} needs sequences of the same batch size"
            ctx.require_equal(message, tensor.shape[0], like.shape[0], port)

    def attention(self) -> MultiheadAttention:
        """The attention op inside a layer."""
        return MultiheadAttention({"num_heads": self.nhead, "bias": self.bias})

    def layer_weights(self, input: TensorType, *attentions: str) -> dict[str, Shape]:
        """The weights of a layer whose attentions have these names."""
        width, hidden = input.shape[-1], self.dim_feedforward
        found = self.attention().weights(input)
        tensors = {f"{name}.{k}": v for name in attentions for k, v in found.items()}
        matrices = {"linear1": (hidden, width), "linear2": (width, hidden)}
        for name, shape in matrices.items():
            tensors[f"{name}.weight"] = shape
            tensors |= {f"{name}.bias": shape[:1]} if self.bias else {}
        for i in range(len(attentions) + 1):
            tensors |= self.norm_weights(input, f"norm{i + 1}")
        return tensors

    def norm_weights(self, input: TensorType, name: str) -> dict[str, Shape]:
        """The weights of a layer norm."""
        parts = ("weight", "bias") if self.bias else ("weight",)
        return {f"{name}.{part}": input.shape[-1:] for part in parts}

    def layer_flops(self, query: TensorType, *keys: TensorType) -> Dim:
        """The FLOPs of a layer that attends to each of these key sequences."""
        attention, found = self.attention(), query.numel * self.dim_feedforward * 4
        for key in keys:
            found = found + attention.flops((query,), query, key)
        return found

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        return (
            f"{ctx.value(self.nhead)} heads, {ctx.value(self.dim_feedforward)} hidden"
        )

    def layer(self, code: Code, kind: str, input: TensorType) -> Call:
        """`nn.TransformerEncoderLayer(512, 8, batch_first=True)`."""
        given = {key: code.argument(key) for key in _LAYER_OPTIONS if code.given(key)}
        positional = code.size(input.shape[-1]), code.argument("nhead")
        return call(f"nn.{kind}", *positional, **given, batch_first=True)

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Expr:
        sequences = dict.fromkeys(
            port for one in reversed(self.attentions) for port in (one.query, one.key)
        )
        options: dict[str, Expr] = {}
        for one in self.attentions:
            options |= self._options(code, one, inputs)
        ordered = [port.name for port in self.inputs if port.name in sequences]
        return call(code.module(), *(inputs[port] for port in ordered), **options)

    def _options(
        self, code: Code, one: AttentionPorts, inputs: Mapping[str, Expr | None]
    ) -> dict[str, Expr]:
        """Torch's keyword arguments for the masks of one attention."""
        query, key, pairs = inputs[one.query], inputs[one.key], inputs[one.pairs]
        assert query is not None and key is not None
        kinds, later = (code.type(one.query), code.type(one.key)), None
        if one.causal and getattr(self, one.causal):
            later = later_keys(code, query, key, kinds)
        heads = code.argument("nhead")
        blocked = blocked_pairs(code, one.pairs, pairs, later, kinds[0], heads)
        options = {} if blocked is None else {one.pairs: blocked}
        options |= padding_mask(code, one.keys, inputs[one.keys])
        alone = later is not None and pairs is None
        if one.causal and blocked is not None and (alone or self.detects_causality):
            options[one.causal] = lit(alone)
        return options
