"""TypedGraph -> Python: one class for each block and network, and the library modules that they stand on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from compiler.codegen.python import Compare, Expr, ListExpr, Literal, Name, lit
from compiler.codegen.statements import Assign, Class, Import, Module, Stmt
from compiler.codegen.traversal import used_names
from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import SpecError
from compiler.ir.typed import Instance, TypedGraph
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan, name_classes
from compiler.lower.class_steps import Steps, Stream
from compiler.lower.constructors import Constructors
from compiler.lower.decided import decided
from compiler.lower.deepest import too_deep
from compiler.lower.demands import RefusedZeros, bounds
from compiler.lower.documentation import module_docstring
from compiler.lower.initialization import (
    params_in_blocks,
    reset_lines,
    starts_itself,
)
from compiler.lower.library_code import library_code
from compiler.lower.merge_classes import (
    IMPORTS,
    Merger,
    of_networks,
    stepped_classes,
    unwritten_diagnostic,
)
from compiler.lower.own_modules import (
    RecurrentModules,
    named_after_torch,
    with_own_modules,
)
from compiler.lower.parted import Unwritten
from compiler.lower.print_class import print_class
from compiler.lower.print_module_ir import print_module_ir
from compiler.lower.probe import Prober
from compiler.lower.required import Required
from compiler.lower.required_numbers import required_numbers
from compiler.lower.simplify_required import is_length
from compiler.lower.state_types import state_class
from compiler.lower.unused_zeros import unused_zeros
from compiler.op.library_sources import class_names
from compiler.symbolic.evaluate import Value


def lower(
    typed: TypedGraph,
    recurrent: RecurrentModules = "torch",
    stream: Stream | None = None,
    *,
    every_line: bool = False,
) -> Module:
    """The Python module of a spec; `codegen.printer.print_module` makes it text.

    `recurrent` says whose LSTM, GRU and RNN it has: torch's, or portable ones that it carries, which torch.compile
    and torch.export take whole.

    The graph must have been inferred without errors.

    Raises:
        SpecError: where no class says what a layer does.
    """
    assert not typed.failed, "a graph with errors has no code"
    spec = typed.graph.spec
    try:
        classes, constructors, steps = stepped_classes(
            Merger(typed), stream, lambda merger: _proven(merger, stream)
        )
        if recurrent == "torch":
            classes = list(map(with_own_modules, classes))
        printer = _FilePrinter(
            classes, constructors, typed, recurrent, steps, every_line
        )
        printed = printer.with_states(printer.each_once())
    except Unwritten as error:
        raise SpecError((unwritten_diagnostic(error),)) from error
    networks = [ir for ir in classes if ir.plan.scope.kind == "network"]
    carried = {name for ir in classes for name in ir.library}
    if any(steps is not None and steps.keeps(ir.plan) for ir in classes):
        carried.add("step_state")
    library = library_code(sorted(carried))
    exported = map(lit, sorted(ir.plan.name for ir in networks))
    names: Stmt = Assign((Name("__all__"),), ListExpr(tuple(exported)))
    body: tuple[Stmt, ...] = (*library.code, *printed)
    document = typed.graph.document
    files = [PurePath(f).name for f in (document.source.file, *document.bases)]
    docstring = module_docstring(spec, [ir.plan for ir in networks], files)
    return Module(docstring, _imports(body, library.imports), (names, *body))


def module_ir(typed: TypedGraph) -> str:
    """The Module IR of a graph without errors, as text.

    Raises:
        SpecError: where no class says what a layer does.
    """
    try:
        classes, constructors = proven(typed)
    except Unwritten as error:
        raise SpecError((unwritten_diagnostic(error),)) from error
    return print_module_ir(typed.graph.spec.name, classes, constructors)


def proven(typed: TypedGraph) -> tuple[list[ClassIR], Constructors]:
    """The classes, with arguments only for params at whose other values they hold, too."""
    return _proven(Merger(typed))


def _proven(
    merger: Merger, stream: Stream | None = None
) -> tuple[list[ClassIR], Constructors]:
    """The classes, with arguments only for params at whose other values they hold, too, and in pieces alike.

    Each time a param is fixed the others are tried again.
    """
    typed = merger.typed
    if not typed.params:
        classes, constructors, _ = merger.merged()
        required = required_numbers(classes, constructors, merger.spec.init)
        return _bounded(
            classes, constructors, required, RefusedZeros(), {}
        ), constructors
    prober = Prober(typed, None if stream is None else _step_elsewhere(typed, stream))
    params = typed.graph.spec.params
    merger.fixed = {n: v for n, v in typed.params.items() if params[n].type == "op"}
    while True:
        classes, constructors, validator = merger.merged()
        found = decided(classes, constructors)
        literal = found.params | params_in_blocks(classes, merger.spec)
        if literal - merger.fixed.keys():
            merger.fix(literal)
            continue
        networks = of_networks(typed, classes)
        taken = {n for ir in networks.values() for n in constructors.of(ir.plan).params}
        conditions = {
            name: found.conditions.get(id(ir.plan), ()) for name, ir in networks.items()
        }
        held = prober.probe(networks, validator, taken, merger.fixed, conditions)
        if not held.fixed:
            required = required_numbers(classes, constructors, merger.spec.init)
            own = [
                one for ir in networks.values() for one in required.get(id(ir.plan), ())
            ]
            zeros = unused_zeros(sorted(held.positive), own, typed.params)
            positive = held.positive - prober.holding(
                networks, validator, merger.fixed, dict(zeros)
            )
            uses = prober.compiled(networks, merger.fixed)
            none = RefusedZeros(positive, held.copied)
            classes = _bounded(classes, constructors, required, none, uses)
            return [
                _with_depths(ir, constructors, held.most, typed.params)
                for ir in classes
            ], constructors
        merger.fix(held.fixed)


def _step_elsewhere(typed: TypedGraph, stream: Stream) -> Callable[[TypedGraph], bool]:
    """Whether a graph at other values is run in pieces by the same code."""
    from compiler.lower.step_elsewhere import StepElsewhere  # few networks have steps

    return StepElsewhere(typed, stream).holds


def _bounded(
    classes: Sequence[ClassIR],
    constructors: Constructors,
    required: Mapping[int, Sequence[Required]],
    refused: RefusedZeros,
    compiled: Mapping[int, Sequence[Instance]],
) -> list[ClassIR]:
    """The classes, whose constructors refuse what the spec does not compile with.

    `required` is what each class requires, by the identity of its plan; `compiled` are networks at all values that are
    known to compile, by the identity of their plans.
    """
    found: list[ClassIR] = []
    for ir in classes:
        taken = constructors.of(ir.plan)
        known = [test for test, _ in ir.demands]
        own = required.get(id(ir.plan), ())
        uses = compiled.get(id(ir.plan), ir.plan.uses)
        more = bounds(ir.plan, taken, refused, own, known, uses)
        new = [one for one in more if one[0] not in known]
        # Lengths first: items are compared with other numbers after that.
        lengths = [one for one in ir.demands if _is_of_length(one[0])]
        others = [one for one in ir.demands if one not in lengths]
        found.append(replace(ir, demands=(*lengths, *new, *others)))
    return found


def _with_depths(
    ir: ClassIR,
    constructors: Constructors,
    most: Mapping[str, int],
    values: Mapping[str, Value],
) -> ClassIR:
    """A network that refuses more copies and levels than its inputs can be divided for, of those that it takes."""
    taken = constructors.of(ir.plan).params
    own = {name: depth for name, depth in most.items() if name in taken}
    if not own or ir.plan.scope.kind != "network":
        return ir
    return replace(ir, demands=(*ir.demands, *too_deep(own, values)))


def _is_of_length(test: Expr) -> bool:
    """Whether a test is about how long a list is, compared with a number."""
    match test:
        case Compare("<", length, Literal()):
            return is_length(length)
    return False


@dataclass(frozen=True)
class _FilePrinter:
    """Prints the classes of a file."""

    classes: list[ClassIR]
    constructors: Constructors
    typed: TypedGraph
    recurrent: RecurrentModules
    steps: Steps | None = None
    every_line: bool = False
    """Whether `forward` assigns what every layer gives to a variable."""

    def with_states(self, printed: Iterable[Class]) -> list[Class]:
        """The classes, each after that of what it keeps between the pieces of a sequence."""
        if self.steps is None:
            return list(printed)
        by_name = {ir.plan.name: ir for ir in reversed(self.classes)}
        pairs = ((state_class(by_name[one.name], self.steps), one) for one in printed)
        return [one for pair in pairs for one in pair if one is not None]

    def each_once(self) -> list[Class]:
        """The classes, those of one name whose text is the same as one, as two groups may be that are called alike.

        One comes after those that it uses, so that their names are settled when its text is compared.
        """
        names = Counter(ir.plan.wanted for ir in self.classes)
        texts: list[Class] = []
        plans: dict[Class, ClassPlan] = {}
        same: list[tuple[ClassPlan, ClassPlan]] = []
        for ir in self.classes:
            plan, text = ir.plan, self._printed(ir)
            texts.append(text)
            if names[plan.wanted] == 1:  # a text need not be hashed to be the only one
                continue
            known = plans.setdefault(replace(text, name=plan.wanted), plan)
            if known is not plan:
                same.append((plan, known))
                plan.name = known.name
        if not same:
            return texts
        gone = {id(plan) for plan, _ in same}
        kept = [ir for ir in self.classes if id(ir.plan) not in gone]
        carried = {name for ir in self.classes for name in ir.library}
        name_classes([ir.plan for ir in kept], {*IMPORTS, *class_names(carried)})
        for plan, known in same:
            plan.name = known.name
        return [self._printed(ir) for ir in kept]

    def _printed(self, ir: ClassIR) -> Class:
        spec = self.typed.graph.spec
        reset = reset_lines(ir, self.classes, spec, self.typed.params)
        if self.recurrent == "torch":
            reset = named_after_torch(reset)
        calls_reset = bool(reset) and starts_itself(ir, spec)
        return print_class(
            ir,
            self.constructors,
            spec,
            reset,
            calls_reset,
            self.steps,
            every_line=self.every_line,
        )


def _imports(body: tuple[Stmt, ...], library: tuple[Import, ...]) -> tuple[Import, ...]:
    used = used_names(body)
    return (
        Import("__future__", ("annotations",)),
        *library,
        *(item for name, item in IMPORTS.items() if name in used),
    )
