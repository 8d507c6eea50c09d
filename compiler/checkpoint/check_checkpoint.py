"""Check the rules of a checkpoint: each must be valid, and match a tensor."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from compiler.checkpoint.assemble import TooMuch, WorkLimit
from compiler.checkpoint.assembly import Reshaped, shown
from compiler.checkpoint.distinct_copies import distinct_copies
from compiler.checkpoint.plan import Entry, Rules, numbered
from compiler.diagnostics.diagnostic import Diagnostic, Report
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import listed, shorten
from compiler.expr.syntax import Variable, names_in
from compiler.ir.graph import Place
from compiler.ir.tensors import OwnTensor, count_tensors, own_tensors
from compiler.ir.typed import Instance, TypedGraph
from compiler.language.checkpoint import Composition
from compiler.language.name_patterns import NameTemplate
from compiler.parse.path_error import PathError

_WORK = 300_000
"""How much of a checkpoint is looked at when a spec is compiled."""
_NAMES = 1_000
"""Tensors that a rule for none of them is compared with."""


def check_checkpoint(typed: TypedGraph) -> tuple[Diagnostic, ...]:
    """The errors in the rules of a spec's checkpoint.

    The graph must have been inferred without errors. Whether all tensors
    exist is checked against a file.
    """
    report, budget = Report(), WorkLimit(_WORK)
    checkpoint = typed.graph.spec.checkpoint
    document = typed.graph.document
    for network, section in checkpoint.sections.items() if checkpoint else ():
        if network not in typed.networks:  # a file of blocks alone
            continue
        below = ("checkpoint", network) if network else ("checkpoint",)
        place = Place(document, (*below, "tensors"))
        rules = Rules(section, typed.params, budget)
        _Checker(typed, rules, place, report).check(typed.networks[network])
    return report.diagnostics


class _Checker:
    def __init__(
        self, typed: TypedGraph, rules: Rules, place: Place, report: Report
    ) -> None:
        self.typed, self.rules = typed, rules
        self.place, self.report = place, report

    def check(self, instance: Instance) -> None:
        """Report names that mean nothing; and where there are none, rules that give no tensor."""
        before = len(self.report.diagnostics)
        for pattern, compositions in self.rules.rules:
            known = {*self.typed.params, *pattern.captures}
            for number, composition in numbered(compositions):
                place = self.place.at(pattern.text, *number)
                self._names(composition, known, pattern.rest, place)
        if len(self.report.diagnostics) == before:
            self._tensors(instance)

    def _names(
        self, composition: Composition, known: set[str], rest: str, place: Place
    ) -> None:
        known = known | set(composition.over or ())
        if isinstance(composition.name, NameTemplate):
            self._template(composition.name, known, rest, place)
        for below, item in composition.numbers:
            for unknown in sorted(names_in(item.expr) - known)[:1]:
                self._unknown(unknown, known, place.at(*below).span())
        for part, at in _parts(composition, place):
            self._names(part, known, rest, at)

    def _template(
        self, template: NameTemplate, known: set[str], rest: str, place: Place
    ) -> None:
        for hole in template.holes():
            span = place.part(hole.start - hole.star, hole.start + hole.expr.end)
            several = isinstance(hole.expr, Variable) and hole.expr.id == rest
            if unknown := sorted(names_in(hole.expr) - known):
                self._unknown(unknown[0], known, span)
            elif hole.star and not several:
                message = "* is for a capture that takes several parts of a name"
                self.report.error("bad-rule", span, message)

    def _unknown(self, name: str, known: set[str], span: Span) -> None:
        message = f"nothing captures {shorten(name)}, and it is no param"
        help = self.report.like(name, known) or f"known are {listed(sorted(known))}"
        self.report.error("unknown-name", span, message, help=help, missing=name)

    def _tensors(self, instance: Instance) -> None:
        used: set[str] = set()
        numbers = distinct_copies(self.rules.rules)
        try:
            for tensor in own_tensors(instance, numbers=numbers):
                used.add(self._rule(tensor))
        except TooMuch:
            return  # it is said when a file is held against it
        work = count_tensors(instance) * (len(self.rules.rules) + 1)
        if (
            not self.typed.adjusted and work <= _WORK
        ):  # other params may switch layers off
            self._unused(used, instance)

    def _rule(self, tensor: OwnTensor) -> str:
        """The rule for a tensor, what is wrong with it reported."""
        try:
            entry = self.rules.entry(tensor)
        except PathError as error:
            span = error.span(self.place.document, self.place.path)
            self.report.error(error.code, span, error.message, path=tensor.name)
            return str(error.path[0])
        self._shapes(entry)
        return entry.rule

    def _shapes(self, entry: Entry) -> None:
        tensor = entry.tensor
        for number, assembly in enumerate(entry.assemblies):
            if not isinstance(assembly, Reshaped) or -1 in assembly.shape:
                continue
            if assembly.shape != tensor.shape:
                given, wanted = shown(assembly.shape), shown(tensor.shape)
                message = f"reshape gives {given}, and {tensor.name} is {wanted}"
                several = len(entry.assemblies) > 1 or entry.optional
                below = (number,) if several else ()
                span = self.place.at(entry.rule, *below, "reshape").span()
                self.report.error("bad-rule", span, message)

    def _unused(self, used: set[str], instance: Instance) -> None:
        unused = [one for one, _ in self.rules.rules if one.text not in used]
        some = islice(own_tensors(instance), _NAMES if unused else 0)
        known = [tensor.name for tensor in some]
        for pattern in unused:
            if self.report.full:
                break
            taken = any(pattern.match(name) is not None for name in known)
            first = "the rules before it are for its tensors"
            help = first if taken else self.report.like(pattern.text, known)
            span = self.place.span(pattern.text, key=True)
            message = f"no tensor of the network is left for {shorten(pattern.text)}"
            self.report.warning("unused-rule", span, message, help=help)


def _parts(
    composition: Composition, place: Place
) -> Iterator[tuple[Composition, Place]]:
    """The compositions that one is made of, and where they stand."""
    if composition.source is not None:
        yield composition.source, place.at("from")
    for key in ("concat", "stack"):
        for number, part in enumerate(getattr(composition, key) or ()):
            yield part, place.at(key, number)
