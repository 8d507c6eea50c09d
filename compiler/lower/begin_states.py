"""How the layers of a class go on from piece to piece of a sequence: what they are given, and what they begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from compiler.codegen.python import (
    Attribute,
    Call,
    Compare,
    Comprehension,
    Conditional,
    Expr,
    Name,
    Placeholder,
    call,
    lit,
)
from compiler.codegen.traversal import used_names
from compiler.ir.graph import Scope
from compiler.ir.module import Capacity, LayerState, Offset
from compiler.ir.typed import TypedNode
from compiler.lower.class_ir import count_code
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.class_steps import ClassNames, ClassSteps, LayerMemory, Steps
from compiler.lower.draft import Draft, member
from compiler.lower.emit import LayerCode
from compiler.lower.parted import Unwritten
from compiler.lower.scope_code import value_code
from compiler.op.op import Op

Given = Mapping[str, Expr | tuple[Expr, ...] | None]


def resumed(draft: Draft, layer: str, plans: Sequence[ClassPlan]) -> dict[str, Expr]:
    """What a block is given to go on from, by keyword."""
    options: dict[str, Expr] = {}
    own, steps = draft.steps, draft.all_steps
    if own is None or steps is None or layer not in own.dynamic:
        return options
    callee = next((one for one in map(steps.of, plans) if one is not None), None)
    if callee is not None and layer in own.kept:
        state = Placeholder(LayerState(layer, own.is_copied(layer)))
        options[callee.state_argument] = state
    if callee is not None and any(_is_placed(steps, plan) for plan in plans):
        options[callee.offset_argument] = Placeholder(Offset())
    return options


def _is_placed(steps: Steps, plan: ClassPlan) -> bool:
    """Whether a class takes the first position of a piece."""
    return steps.of(plan) is not None and steps.begin(plan).offset


def initial_states(draft: Draft, given: Mapping[str, Given]) -> dict[str, Expr]:
    """What each layer keeps before the first piece; `given` are the inputs of the blocks."""
    if draft.steps is None:
        return {}
    return {
        name: _initial(draft, draft.steps, name, kept, given.get(name, {}))
        for name, kept in draft.steps.kept.items()
    }


def _initial(
    draft: Draft, own: ClassSteps, name: str, kept: LayerMemory, given: Given
) -> Expr:
    typed, runs = draft.plan.layers[name], draft.plan.runs(name)
    if typed.node.layer.scan is not None:
        made = _with_batch(call("StepCarry"), kept)
    elif isinstance(typed.target, Scope):
        repeat = typed.node.layer.repeat
        copies = draft.built[name] and repeat is not None and not repeat.share
        module = Name("layer") if copies else Placeholder(member(typed))
        arguments = _begun(draft, typed, kept, given)
        made = call(Attribute(module, "init_state"), *arguments)
    else:
        made = _with_batch(_of_op(draft, typed, runs), kept)
    return _for_copies(draft, typed, made, kept)


def _of_op(draft: Draft, typed: TypedNode, runs: Sequence[Run]) -> Expr:
    def begin(op: Op, code: LayerCode) -> Expr:
        if not op.state_library:
            (axis,) = draft.columns_of(typed.node.name).values()
            draft.library.add(op.column_library)
            return call("SoFar", code.capacity(), dim=axis)
        draft.library.add(op.state_library)
        return op.initial_state(code)

    made = draft.emit(typed, runs, begin).value
    assert made is not None
    return made


def _with_batch(made: Expr, kept: LayerMemory) -> Expr:
    """What a layer keeps, with the dimension that is the batch unless that is the first."""
    if kept.batch == 0:
        return made
    assert isinstance(made, Call)
    return replace(made, kwargs=(*made.kwargs, ("batch", lit(kept.batch))))


def _begun(
    draft: Draft, typed: TypedNode, kept: LayerMemory, given: Given
) -> Iterator[Expr]:
    """The arguments of `init_state` of a block.

    Raises:
        Unwritten: where each copy would be begun with an item of its own.
    """
    assert draft.all_steps is not None
    for port in draft.all_steps.begin(kept.plans[0]).ports:
        if port in typed.each:
            reason = f"the items of {port} are computed once, and pieces read them"
            raise Unwritten(draft.plan, typed.node.name, reason)
        value = given.get(port)
        assert not isinstance(value, tuple)
        yield lit(None) if value is None else value
    if kept.bounded:
        yield Placeholder(Capacity())


def _for_copies(draft: Draft, typed: TypedNode, made: Expr, kept: LayerMemory) -> Expr:
    """What a layer keeps: something for each copy, or nothing where it is off."""
    name, layer = typed.node.name, typed.node.layer
    built, held = draft.built[name], Placeholder(member(typed))
    if layer.repeat is None:
        if draft.plan.built_when(name) is None or draft.plan.builds(name) is True:
            return made
        there = (
            Compare("is not", held, lit(None))
            if built
            else value_code(draft.plan.built_when(name))
        )
        return Conditional(there, made, lit(None))
    copies = built and not layer.repeat.share
    each = held if copies else call("range", count_code(typed))
    if "layer" not in used_names(made):
        return Comprehension(made, Name("_"), each, is_list=True)
    # a list of modules does not say to type checkers which they are
    test = call("isinstance", Name("layer"), Placeholder(ClassNames(kept.plans)))
    return Comprehension(made, Name("layer"), each, test, is_list=True)
