"""Cuts `forward` in two where a part of it does not depend on what is streamed, and is computed once for all pieces."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace

from compiler.codegen.python import Expr, Placeholder
from compiler.codegen.traversal import placeholders
from compiler.ir.module import Body, Local, Offset, Origin, Stmt, definitions, reads
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_steps import Begin, Steps
from compiler.lower.parted import Unwritten


def cut_static(ir: ClassIR, steps: Steps) -> ClassIR:
    """A class with its static statements as a body of their own; how it begins is settled for those that use it.

    The values that they give are inputs of the other body; in a network static inputs are among them.
    """
    own, body = ir.steps, ir.body
    if own is None:
        return ir
    static = tuple(s for s in body.statements if s.layer and s.layer in own.static)
    dynamic = tuple(s for s in body.statements if s not in static)
    made = {value for statement in static for value in definitions(statement)}
    fixed = {value: port for port, value in body.inputs if port not in own.streamed}
    wanted = list(_read(dynamic, body.outputs))
    network = ir.plan.scope.kind == "network"
    made_here = [key for key in wanted if key in made]
    _require_tensors(ir, made_here)
    passed = [key for key in wanted if network and key in fixed]
    read_before = set(_read(static, ()))
    begun = {
        port
        for port, value in body.inputs
        if value in fixed
        and (value in read_before or value in _given(ir) or value in passed)
    }
    ordered = tuple(port for port in ir.plan.ports() if port in begun)
    kept = (*made_here, *passed)
    names = {key: _name(body.origins[key.number], fixed.get(key)) for key in kept}
    values = tuple(names[key] for key in kept)
    has_offset = any(isinstance(k, Offset) for s in dynamic for k in reads(s))
    batches = _batches(ir, steps, names, fixed)
    optional = frozenset(names[key] for key in kept if _may_be_none(ir, key, fixed))
    steps.settle(ir.plan, Begin(has_offset, ordered, values, batches, optional))
    idle = network and any(value in fixed for _, value in body.inputs)
    if not kept and not idle:
        return ir
    before = Body(
        tuple((p, v) for p, v in body.inputs if v in read_before),
        static,
        tuple(map(Placeholder, made_here)),
        body.origins,
    )
    ports = tuple((p, v) for p, v in body.inputs if not network or v not in fixed)
    extra = tuple((names[key], key) for key in kept)
    moved = [
        out for out in body.outputs if not network or not _is_static(out, made, fixed)
    ]
    after = replace(
        body, inputs=(*ports, *extra), statements=dynamic, outputs=tuple(moved)
    )
    return replace(
        ir,
        body=after,
        before=before if static else None,
        prepared=tuple(made_here),
        passed=tuple(passed),
        inputs=body.inputs,
        outputs=body.outputs,
    )


def _require_tensors(ir: ClassIR, values: Iterable[Local]) -> None:
    """What is computed once for all pieces is tensors.

    Raises:
        Unwritten: where it is a list of them.
    """
    for value in values:
        origin = ir.body.origins[value.number]
        if origin.step == "list":
            reason = f"the list {origin.port} is computed once, and pieces read it"
            raise Unwritten(ir.plan, origin.layer, reason)


def _batches(
    ir: ClassIR, steps: Steps, names: Mapping[Local, str], fixed: Mapping[Local, str]
) -> dict[str, int | None]:
    """The dimensions of values that are computed once that are the batch, where that is not the first."""
    found: dict[str, int | None] = {}
    for value, name in names.items():
        layer, kinds = ir.body.origins[value.number].layer, []
        for use in ir.plan.uses:
            kind = use.inputs.get(fixed.get(value, ""))
            if value not in fixed and layer in use.nodes:
                outputs = use.nodes[layer].outputs
                port = ir.body.origins[value.number].port
                kind = outputs.get(port, next(iter(outputs.values()), None))
            kinds += [] if kind is None else [(use, kind)]
        found[name] = steps.batch_axis(ir.plan, layer, kinds)
    return {name: axis for name, axis in found.items() if axis != 0}


def _may_be_none(ir: ClassIR, value: Local, fixed: Mapping[Local, str]) -> bool:
    """Whether a value that does not change from piece to piece may be absent."""
    if value in fixed:
        return ir.plan.is_optional(fixed[value])
    return ir.plan.may_lack(ir.body.origins[value.number].layer)


def _is_static(output: Expr, made: Iterable[Local], fixed: Iterable[Local]) -> bool:
    keys = set(placeholders(output))
    return bool(keys) and keys <= {*made, *fixed}


def _given(ir: ClassIR) -> set[Hashable]:
    """The values that the states of layers begin with."""
    return {key for code in ir.initial.values() for key in placeholders(code)}


def _read(statements: Iterable[Stmt], outputs: Sequence[Expr]) -> Iterable[Local]:
    """The values that statements and outputs read, each once."""
    keys = [key for statement in statements for key in reads(statement)]
    keys += [key for output in outputs for key in placeholders(output)]
    return dict.fromkeys(key for key in keys if isinstance(key, Local))


def _name(origin: Origin, port: str | None) -> str:
    """What a value is called that is computed once."""
    if port is not None:
        return port
    if origin.step:
        return origin.step
    plain = origin.port in ("", "output", "0")
    return origin.layer if plain else f"{origin.layer}_{origin.port}"
