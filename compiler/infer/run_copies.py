"""Run the copies of a repeated layer: those that are equal once."""

from __future__ import annotations

from compiler.infer.instances import InstanceBuilder
from compiler.infer.repeats import (
    chain,
    copies_are_equal,
    equal_arguments,
    equal_by_floats,
    for_copy,
    in_copy,
    note_same,
)
from compiler.infer.resolved_layer import ResolvedLayer, RunLayer
from compiler.ir.typed import LayerCall, Types
from compiler.op.errors import OpError


def run_copies(
    layer: ResolvedLayer,
    types: Types,
    count: int,
    instance: InstanceBuilder,
    run_layer: RunLayer,
) -> tuple[LayerCall, ...]:
    """The runs of so many copies, each on what the one before it gives.

    Raises:
        OpError: where a copy does not take what it is given, or the copies of a group differ.
    """
    context, counted = instance.context, layer.counted
    calls: list[LayerCall] = []
    state = dict(types)
    done = 0
    while done < count:
        given = for_copy(state, layer.each, done)
        with in_copy(done, given, context):
            call = run_layer(layer, given, done)
        if done + 1 < count:
            state = chain(layer.node.layer, call.outputs, state, layer.each)
        following = for_copy(state, layer.each, min(done + 1, count - 1))
        equal = copies_are_equal(given, following, context)
        if layer.group and not equal:
            raise _changing_group()
        if layer.group and done + 1 < count:
            note_same(given, following, layer.node, context)
        if equal and not layer.group:
            equal = not equal_by_floats(given, following, instance.names)
        run = _alike(layer, instance, done, count, counted) if equal else 1
        run = run if not layer.each else 1  # later items may be of other types
        last = calls[-1] if calls else None
        if last is not None and last.same_as(call):
            calls[-1] = last.times(last.count + run)
        else:
            calls.append(call.times(run))
        done += run
    return tuple(calls)


def _alike(
    layer: ResolvedLayer,
    instance: InstanceBuilder,
    done: int,
    count: int,
    counted: bool,
) -> int:
    """How many copies on equal inputs are equal."""
    if not counted:
        return count - done
    if layer.group:
        return 1
    return equal_arguments(instance, layer.varied, done, count)


def _changing_group() -> OpError:
    """The copies of a group have one class, which has no name for what changes."""
    message = "a repeated group gives what it takes, and this one changes the type"
    help = "write it as a block, whose inputs have types of their own"
    return OpError("repeat-mismatch", message, help=help)
