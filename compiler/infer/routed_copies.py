"""Routed copies: experts, each of which runs on the tokens that are sent to it."""

from __future__ import annotations

from compiler.elaborate.wiring import EXPERTS, WEIGHTS
from compiler.infer.instances import InstanceBuilder, single_types
from compiler.infer.resolved_layer import ResolvedLayer, RunLayer
from compiler.infer.stacks import named_count
from compiler.ir.graph import Node, Ref, Scope
from compiler.ir.typed import LayerCall, Routed, TypedNode, Types
from compiler.op.context import Context
from compiler.op.errors import OpError, kind_mismatch
from compiler.op.op import Op, product
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import InputDim
from compiler.symbolic.tensor import TensorType


def run_routed(
    layer: ResolvedLayer,
    types: Types,
    count: int,
    instance: InstanceBuilder,
    run_layer: RunLayer,
) -> TypedNode:
    """Copies that are experts, all alike; the types are those of an expert that is sent all tokens.

    Raises:
        OpError: where they are no experts, or the routing is not for them.
    """
    node, target = layer.node, layer.target
    if layer.counted:
        message = "experts are alike, and these depend on their number i"
        raise OpError("bad-repeat", message, "", "repeat")
    counted = _is_counted(node, count, instance)
    port, rows = _sent(instance.context, target, types)
    assert isinstance(target, Scope)
    given = dict.fromkeys(set(types) - {EXPERTS, WEIGHTS})
    some = _some_tokens(target, rows)
    alone = run_layer(layer, {**given, port: some}, 0)
    _width_of(alone, some.shape[0])
    call = run_layer(layer, {**given, port: rows}, 0)
    output, width = _width_of(call, rows.shape[0])
    tokens, experts = types[port], types[EXPERTS]
    assert isinstance(tokens, TensorType) and isinstance(experts, TensorType)
    assert alone.instance is not None
    return TypedNode(
        node,
        target,
        layer.refs,
        (call.times(count),),
        {output: tokens.with_size(-1, width)},
        layer.arguments,
        routed=Routed(experts.shape[-1], alone.instance, counted),
    )


def _sent(
    context: Context, target: type[Op] | Scope, types: Types
) -> tuple[str, TensorType]:
    """The port of the tokens, and the type of all tokens one below the other.

    Raises:
        OpError: where tokens, experts and weights do not go together.
    """
    if not isinstance(target, Scope) or target.kind != "block":
        message = "routed copies are those of a block, which runs on some of the tokens"
        raise OpError("bad-repeat", message, "", "repeat")
    others = [port for port, kind in types.items() if kind is not None]
    port, *more = (one for one in others if one not in (EXPERTS, WEIGHTS))
    if more:
        message = f"an expert takes the tokens that are sent to it, and no {more[0]}"
        help = "concatenate what it needs of each token, along the last dimension"
        raise OpError("bad-repeat", message, more[0], help=help)
    tokens, experts, weights = (types[one] for one in (port, EXPERTS, WEIGHTS))
    assert isinstance(tokens, TensorType)
    assert isinstance(experts, TensorType) and isinstance(weights, TensorType)
    context.require_least_rank(port, tokens, 2)
    for name, kind, wanted in ((EXPERTS, experts, "int"), (WEIGHTS, weights, "float")):
        if kind.kind != wanted:
            raise kind_mismatch(name, kind, [wanted])
        context.require_rank(name, kind, tokens.rank)
        message = f"each token needs its {name}: they have its dimensions but the last"
        for one, other in zip(kind.shape[:-1], tokens.shape[:-1], strict=True):
            context.require_equal(message, one, other, name)
    message = "each expert of a token needs a weight"
    context.require_equal(message, weights.shape[-1], experts.shape[-1], WEIGHTS)
    rows = product(tokens.shape[:-1])
    return port, TensorType(tokens.kind, (rows, tokens.shape[-1]))


def _some_tokens(target: Scope, kind: TensorType) -> TensorType:
    """The type of the tokens that are sent to one expert, of a number that nothing else has."""
    number = InputDim((*target.owner, "sent"), "N")
    return kind.with_size(0, Dim.symbol(number))


def _width_of(call: LayerCall, rows: Dim) -> tuple[str, Dim]:
    """The output of an expert, and its width.

    Raises:
        OpError: where it is not one vector for each token.
    """
    if len(call.outputs) != 1:
        message = f"an expert gives one tensor, and this gives {len(call.outputs)}"
        raise OpError("bad-repeat", message, "", "repeat")
    ((port, kind),) = call.outputs.items()
    if kind.kind != "float" or kind.rank != 2 or kind.shape[0] != rows:
        message = (
            f"an expert gives a vector for each of its N tokens, and this gives {kind}"
        )
        raise OpError("bad-repeat", message, "", "repeat")
    return port, kind.shape[1]


def _is_counted(node: Node, count: int, instance: InstanceBuilder) -> bool:
    """Whether the layer that chooses says from how many experts it does: as many as there are copies.

    Raises:
        OpError: where there are more or fewer.
    """
    ref, repeat = node.inputs.get(EXPERTS), node.layer.repeat
    source = instance.nodes.get(ref.node) if isinstance(ref, Ref) else None
    if source is None or len(source.calls) != 1 or source.calls[0].op is None:
        return False
    assert isinstance(ref, Ref) and repeat is not None
    (call,) = source.calls
    port = ref.port or next(iter(call.outputs))
    choices = source.calls[0].op.choices(port, **single_types(call.inputs))
    if choices is None:
        return False
    if not instance.context.equal(choices, named_count(repeat.count, instance)):
        experts = instance.context.value(choices)
        message = f"{ref} chooses from {experts} experts, and there are {count} copies"
        raise OpError("bad-repeat", message, "", "repeat")
    return True
