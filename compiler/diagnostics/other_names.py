"""What other tools call ops and arguments, and what they are called here.

Names are compared without case, `_`, `-` and a prefix such as `nn.`, so that one entry is for all spellings. Names that
are those of an op here in another spelling (torch's `BatchNorm2d`) need no entry.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from compiler.diagnostics.replacement import did_you_mean
from compiler.diagnostics.text import either

_KERAS: Final[Mapping[str, str]] = {
    "AveragePooling1D": "avg_pool1d",
    "AveragePooling2D": "avg_pool2d",
    "AveragePooling3D": "avg_pool3d",
    "BatchNormalization": "batch_norm1d batch_norm2d batch_norm3d",
    "Concatenate": "concat",
    "Conv1DTranspose": "conv_transpose1d",
    "Conv2DTranspose": "conv_transpose2d",
    "Conv3DTranspose": "conv_transpose3d",
    "Cropping2D": "crop",
    "Dense": "linear",
    "Dot": "matmul einsum",
    "EinsumDense": "einsum",
    "GroupNormalization": "group_norm",
    "LayerNormalization": "layer_norm",
    "MaxPooling1D": "max_pool1d",
    "MaxPooling2D": "max_pool2d",
    "MaxPooling3D": "max_pool3d",
    "Multiply": "mul",
    "RMSNormalization": "rms_norm",
    "SimpleRNN": "rnn",
    "SpatialDropout1D": "dropout1d",
    "SpatialDropout2D": "dropout2d",
    "Subtract": "sub",
    "UpSampling2D": "upsample",
    "ZeroPadding1D": "zero_pad1d",
    "ZeroPadding2D": "zero_pad2d",
}
_TORCH: Final[Mapping[str, str]] = {
    "bmm": "matmul",
    "cat": "concat",
    "clip": "clamp",
    "divide": "div",
    "mm": "matmul",
    "multiply": "mul",
    "narrow": "slice",
    "negative": "neg",
    "scaled_dot_product_attention": "attention",
    "select": "index",
    "subtract": "sub",
    "swapaxes": "transpose",
    "view": "reshape",
}
_ONNX_AND_TENSORFLOW: Final[Mapping[str, str]] = {
    "BatchNorm": "batch_norm1d batch_norm2d batch_norm3d",
    "BiasAdd": "linear add",
    "Cast": "to",
    "expand_dims": "unsqueeze",
    "FullyConnected": "linear",
    "Gemm": "linear",
    "LRN": "local_response_norm",
    "reduce_max": "max",
    "reduce_mean": "mean",
    "reduce_sum": "sum",
    "Resize": "interpolate",
    "space_to_depth": "pixel_unshuffle",
    "depth_to_space": "pixel_shuffle",
}
_SHORT: Final[Mapping[str, str]] = {
    "adaptive_avg_pool": "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d",
    "adaptive_max_pool": "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d",
    "attn": "attention",
    "avg_pool": "avg_pool1d avg_pool2d avg_pool3d",
    "bn": "batch_norm1d batch_norm2d batch_norm3d",
    "conv": "conv1d conv2d conv3d",
    "convolution": "conv1d conv2d conv3d",
    "conv_transpose": "conv_transpose1d conv_transpose2d conv_transpose3d",
    "deconv": "conv_transpose1d conv_transpose2d conv_transpose3d",
    "deconv1d": "conv_transpose1d",
    "deconv2d": "conv_transpose2d",
    "deconv3d": "conv_transpose3d",
    "drop_connect": "stochastic_depth",
    "drop_path": "stochastic_depth",
    "embed": "embedding",
    "fc": "linear",
    "flash_attention": "attention",
    "gn": "group_norm",
    "instance_norm": "instance_norm1d instance_norm2d instance_norm3d",
    "ln": "layer_norm",
    "max_pool": "max_pool1d max_pool2d max_pool3d",
    "mha": "multihead_attention",
    "noop": "identity",
    "pos_embed": "position_embedding",
    "positional_embedding": "position_embedding",
    "positional_encoding": "sinusoidal_encoding position_embedding",
    "projection": "linear",
    "rope": "rotary_embedding",
    "sdpa": "attention",
    "self_attention": "multihead_attention attention",
    "swish": "silu",
    "token_embedding": "embedding",
}
_RESIDUAL = "a residual connection is `{op: add, in: [first, second]}`"
_ACTIVATION = "an activation is a layer of its own, such as `act: relu`"
_LIST = "layers run in the order in which they are written; a group is `layers:`"
_POOL = "is `adaptive_{}_pool2d` with `output_size: 1`, then `flatten`"
_EXPERTS = "experts are routed copies of a block, `repeat: {count: 8, routed: true}`, behind the op `routing`"
_GATED = "a gated unit is written out: two linear layers, an activation, and `mul`"
_MLP = "write the layers: linear, an activation, linear; or a block that has them"
_NO_PATCHES = (
    "patches are made by `conv2d`, its kernel_size and stride the size of a patch"
)
_SENTENCES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("residual", "skip", "shortcut", "skip_connection"), _RESIDUAL),
    **dict.fromkeys(("Activation", "act", "nonlinearity"), _ACTIVATION),
    **dict.fromkeys(("Sequential", "ModuleList", "ModuleDict"), _LIST),
    **dict.fromkeys(
        ("GlobalAveragePooling2D", "GlobalAveragePool", "global_avg_pool", "gap"),
        f"global average pooling {_POOL.format('avg')}",
    ),
    **dict.fromkeys(
        ("GlobalMaxPooling2D", "GlobalMaxPool", "global_max_pool"),
        f"global maximum pooling {_POOL.format('max')}",
    ),
    **dict.fromkeys(
        ("GlobalAveragePooling1D", "mean_pool"),
        "the mean over a dimension is `{op: mean, dim: 1}`",
    ),
    **dict.fromkeys(("moe", "mixture_of_experts", "sparse_moe"), _EXPERTS),
    **dict.fromkeys(("swiglu", "geglu", "reglu"), _GATED),
    **dict.fromkeys(("mlp", "ffn", "feed_forward"), _MLP),
    **dict.fromkeys(("patch_embed", "patch_embedding"), _NO_PATCHES),
    **dict.fromkeys(
        ("gqa", "mqa", "grouped_query_attention", "multi_query_attention"),
        "`attention` has fewer keys than queries where `num_kv_heads` says so",
    ),
    **dict.fromkeys(
        ("causal_attention", "masked_self_attention"),
        "`attention` takes `is_causal: true`",
    ),
    "cross_attention": "`attention` takes queries from one input, keys and values from another",
    "Average": "the mean of several tensors is `{op: add, in: [first, second]}`, then `scale`",
    **dict.fromkeys(
        ("Bidirectional", "bilstm", "bigru"),
        "`lstm`, `gru` and `rnn` take `bidirectional: true`",
    ),
    **dict.fromkeys(
        ("SeparableConv2D", "separable_conv"),
        "write two layers: `conv2d` with `groups`, then `conv2d` with `kernel_size: 1`",
    ),
    **dict.fromkeys(
        ("DepthwiseConv2D", "depthwise_conv"),
        "a depthwise convolution is `conv2d` with as many `groups` as channels",
    ),
    **dict.fromkeys(
        ("se", "squeeze_excite", "squeeze_excitation"),
        "write the layers: adaptive_avg_pool2d, conv2d, relu, conv2d, sigmoid, mul",
    ),
    "TimeDistributed": "a layer runs at every position of a sequence as it is: write that layer alone",
    "Input": "inputs are declared under `inputs:`",
    "Lambda": "a formula is written as layers; no text of a spec runs",
    **dict.fromkeys(
        ("CrossEntropyLoss", "cross_entropy", "MSELoss", "BCEWithLogitsLoss"),
        "a loss belongs to the task, not to the network",
    ),
    **dict.fromkeys(
        ("spectral_norm", "weight_norm"),
        "it is no layer: write it under `parametrize` of the layer whose weight it is",
    ),
    **dict.fromkeys(
        ("mamba", "ssm", "encoder", "decoder", "resnet_block", "bottleneck"),
        "write a block of this name under `blocks:`, or import one by `import:`",
    ),
}


def _folded(name: str) -> str:
    return name.rpartition(".")[2].replace("_", "").replace("-", "").casefold()


_OPS: Final[Mapping[str, tuple[str, ...]]] = {
    _folded(name): tuple(ops.split())
    for table in (_KERAS, _TORCH, _ONNX_AND_TENSORFLOW, _SHORT)
    for name, ops in table.items()
}
_OTHERS: Final = {_folded(name): sentence for name, sentence in _SENTENCES.items()}


NO_GUESS: Final = (
    "`ops --search WORD` looks for an op, and `--plugin FILE` adds one of your own"
)
"""What to do where an op is missing that nothing here resembles."""


def op_help(name: str) -> str:
    """What to write for an op that has another name elsewhere; "" for a name that is not known.

    >>> op_help("Dense"), op_help("nn.Sequential")[:25], op_help("linear")
    ('did you mean `linear`?', 'layers run in the order i', '')
    """
    meant = ops_meant(name)
    if len(meant) == 1:
        return did_you_mean(name, meant[0])
    ops = [f"`{op}`" for op in meant]
    return f"did you mean {either(ops)}?" if ops else _OTHERS.get(_folded(name), "")


def ops_meant(name: str) -> tuple[str, ...]:
    """The ops that have another name elsewhere."""
    return _OPS.get(_folded(name), ())


_OPERATION: Final = re.compile(r"([\w.]+) *([-+*/@]) *([\w.]+)")
_CALL: Final = re.compile(r"([a-z]\w*)\(([\w.]+(?:, *[\w.]+)*)\)")
_OPERATORS: Final[Mapping[str, str]] = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "@": "matmul",
}


def written_out(text: str) -> str:
    """The layer that a formula of layers stands for; "" for a text that is none.

    >>> written_out("x + fc"), written_out("relu(conv)")
    ('write {op: add, in: [x, fc]}', 'write {op: relu, in: conv}')
    >>> written_out("linear(16, 32)")
    'arguments have names: write {op: linear, ...}; `ops linear` lists them'
    """
    if operation := _OPERATION.fullmatch(text):
        first, operator, second = operation.groups()
        return f"write {{op: {_OPERATORS[operator]}, in: [{first}, {second}]}}"
    if call := _CALL.fullmatch(text):
        op, inputs = call.groups()
        if any(part.strip()[:1].isdigit() for part in inputs.split(",")):
            return (
                f"arguments have names: write {{op: {op}, ...}}; `ops {op}` lists them"
            )
        return f"write {{op: {op}, in: {f'[{inputs}]' if ',' in inputs else inputs}}}"
    return ""


_ARGUMENTS: Final[Mapping[str, str]] = {
    "axis": "dim",
    "axes": "dim dims",
    "bias_term": "bias",
    "channels": "out_channels",
    "alpha": "negative_slope",
    "d_model": "out_features",
    "factor": "scale_factor",
    "dil": "dilation",
    "dilation_rate": "dilation",
    "drop": "p dropout",
    "drop_rate": "p dropout",
    "dropout": "p",
    "dropout_rate": "p dropout",
    "embedding_size": "embedding_dim",
    "emb_dim": "embedding_dim",
    "epsilon": "eps",
    "features": "out_features out_channels",
    "filters": "out_channels",
    "filter_size": "kernel_size",
    "heads": "num_heads",
    "hidden": "hidden_size",
    "hidden_dim": "hidden_size",
    "hidden_units": "hidden_size out_features",
    "input_dim": "num_embeddings",
    "keep_dims": "keepdim",
    "keepdims": "keepdim",
    "kernel": "kernel_size",
    "ksize": "kernel_size",
    "n_channels": "out_channels",
    "n_filters": "out_channels",
    "n_head": "num_heads",
    "n_heads": "num_heads",
    "n_layers": "num_layers",
    "n_out": "out_features out_channels",
    "nhead": "num_heads",
    "num_classes": "out_features",
    "num_embed": "num_embeddings",
    "num_filters": "out_channels",
    "num_outputs": "out_features out_channels",
    "num_units": "out_features hidden_size",
    "out": "out_features out_channels",
    "out_dim": "out_features out_channels",
    "output_dim": "embedding_dim out_features",
    "output_channels": "out_channels",
    "output_size": "out_features out_channels",
    "pads": "padding",
    "perm": "dims",
    "pool_size": "kernel_size",
    "prob": "p",
    "probability": "p",
    "rate": "p dilation",
    "size": "output_size kernel_size out_features shape",
    "strides": "stride",
    "target_shape": "shape",
    "units": "out_features hidden_size",
    "use_bias": "bias",
    "vocab": "num_embeddings",
    "vocab_size": "num_embeddings",
    "window": "kernel_size",
}
_PORTS: Final[Mapping[str, str]] = {
    "attn_mask": "mask",
    "attention_mask": "mask key_padding_mask",
    "h0": "hidden",
    "hx": "hidden",
    "initial_state": "hidden",
    "k": "key",
    "keys": "key",
    "q": "query",
    "queries": "query",
    "v": "value",
    "values": "value",
}
_CHOICES: Final[Mapping[str, str]] = {
    "glorot_normal": "xavier_normal",
    "glorot_uniform": "xavier_uniform",
    "he_normal": "kaiming_normal",
    "he_uniform": "kaiming_uniform",
    "random_normal": "normal",
    "random_uniform": "uniform",
    "truncated_normal": "trunc_normal",
}
_PORTS_OF: Final = {_folded(name): ports.split() for name, ports in _PORTS.items()}
_ARGUMENTS_OF: Final = {_folded(n): names.split() for n, names in _ARGUMENTS.items()}


def argument(name: str, known: Collection[str]) -> str:
    """The argument that is meant by a name of another tool, of those that an op takes; "" if none is.

    >>> argument("filters", ["out_channels", "stride"]), argument("filters", ["dim"])
    ('out_channels', '')
    """
    found = _ARGUMENTS_OF.get(_folded(name), ())
    return next((one for one in found if one in known), "")


def port(name: str, known: Collection[str]) -> str:
    """The input of an op that is meant by a name of another tool; "" if none is.

    >>> port("q", ["query", "key"]), port("attn_mask", ["input"])
    ('query', '')
    """
    found = _PORTS_OF.get(_folded(name), ())
    return next((one for one in found if one in known), "")


def choice(name: str, known: Collection[str]) -> str:
    """The initialisation that is meant by a name of another tool; "" if none is."""
    found = _CHOICES.get(name, "")
    return found if found in known else ""


_TEMPLATE: Final = re.compile(r"\{\{([^{}]*)\}\}|\$?\{([^{}$]*)\}|\$([A-Z][A-Z_0-9]*)")


def template(text: str) -> tuple[int, int, str] | None:
    """Where a text has a template of another tool, and what to write instead; None where it has none.

    Such are `${width}` of Hydra and of shells, `{{ width }}` of Jinja, and `$WIDTH`.

    >>> template("2 * ${width}")
    (4, 12, 'templates are not filled in: a param is written by its name alone: width')
    """
    found = _TEMPLATE.search(text)
    if found is None:
        return None
    inside = next(group for group in found.groups() if group is not None).strip()
    if inside.isidentifier() and not inside.isupper():
        reason = f"a param is written by its name alone: {inside}"
        return *found.span(), f"templates are not filled in: {reason}"
    name = inside.rpartition(":")[2].lower()
    value = f"--set {name}=..." if name.isidentifier() else "--set NAME=..."
    reason = f"declare a param, and give its value by {value}"
    return *found.span(), f"variables of the environment are not read: {reason}"


_IMPORT: Final = "blocks of other files are imported: `import: {Block: path.yaml}`"
_SET: Final = "declare a param, and give its value by --set NAME=..."
TAGS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("!include", "!import", "!inc"), _IMPORT),
    **dict.fromkeys(("!env", "!ENV", "!env_var"), _SET),
}
"""What to write in place of a YAML tag that other tools have."""
