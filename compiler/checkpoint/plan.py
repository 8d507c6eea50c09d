"""Which published tensors each tensor of a network is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from compiler.checkpoint.assemble import TooMuch, WorkLimit, make
from compiler.checkpoint.assembly import Assembly, Taken
from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import RequestError
from compiler.ir.tensors import OwnTensor, own_tensors
from compiler.ir.typed import Instance, TypedGraph
from compiler.language.checkpoint import Composition, Section
from compiler.language.name_patterns import NamePattern
from compiler.parse.path_error import Path, PathError
from compiler.symbolic.evaluate import Value

MOST_TENSORS = 200_000
MOST_WORK = 5_000_000
"""How much is planned, before a spec is refused as too large."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor of the network, how it is made, and the rule for it ("": equal names).

    Of several `assemblies`, the first whose tensors exist is used; there is none if a rule
    leaves the tensor as it is initialised.
    """

    tensor: OwnTensor
    assemblies: tuple[Assembly, ...]
    rule: str = ""
    optional: bool = False
    """Whether the tensor is left as it begins where the file has nothing of it."""


@dataclass(frozen=True)
class Plan:
    """How all tensors of one network are made."""

    network: str
    entries: tuple[Entry, ...]
    ignore: tuple[NamePattern, ...] = ()
    prefix: str = ""
    """The leading part that the names in a file may lack, or have besides."""
    spelled: Callable[[str], tuple[str, ...]] = lambda name: (name,)
    """The names that a name in the file may have had when it was published."""

    def ignores(self, name: str) -> bool:
        """Whether the rules ignore a tensor of the file."""
        spelled = self.spelled(name)
        return any(
            pattern.match(one) is not None for pattern in self.ignore for one in spelled
        )


def plans(typed: TypedGraph) -> list[Plan]:
    """A plan for each network in the spec's checkpoint; without a checkpoint, tensors match by equal names.

    Raises:
        RequestError: if the networks have too many tensors.
        PathError: if a rule is invalid; this cannot happen for a spec that compiles.
    """
    checkpoint = typed.graph.spec.checkpoint
    if checkpoint is None:
        return own_plans(typed)
    budget = WorkLimit(MOST_WORK)
    try:
        return [
            _plan(typed.networks[name], name, Rules(section, typed.params, budget))
            for name, section in checkpoint.sections.items()
        ]
    except TooMuch:
        message = "the checkpoint has too many rules, or too long, for so many tensors"
        raise RequestError(message) from None


def own_plans(typed: TypedGraph) -> list[Plan]:
    """The plans for a file with the spec's own names; of several networks, names start with the network's."""
    return [
        Plan(name, tuple(_own_entry(name, one) for one in _tensors_of(instance)))
        for name, instance in typed.networks.items()
    ]


def _own_entry(network: str, tensor: OwnTensor) -> Entry:
    name = f"{network}.{tensor.name}" if network else tensor.name
    return Entry(tensor, (Taken(name),))


def _plan(instance: Instance, name: str, rules: Rules) -> Plan:
    entries = tuple(map(rules.entry, _tensors_of(instance)))
    return Plan(name, entries, rules.ignore, rules.prefix)


def _tensors_of(instance: Instance) -> list[OwnTensor]:
    found: list[OwnTensor] = []
    for tensor in own_tensors(instance):
        found.append(tensor)
        if len(found) > MOST_TENSORS:
            raise RequestError(
                f"the network has too many tensors: more than {MOST_TENSORS:,}"
            )
    return found


class Rules:
    """The rules of a section, with the params of the spec."""

    def __init__(
        self, section: Section, params: Mapping[str, Value], budget: WorkLimit
    ) -> None:
        self.rules: list[tuple[NamePattern, list[Composition | None]]] = section.rules()
        self.ignore, self.prefix = tuple(section.ignore), section.prefix
        self.params, self.budget = params, budget

    def entry(self, tensor: OwnTensor) -> Entry:
        """The entry of a tensor by the first rule that matches.

        Raises:
            PathError: if the rule is invalid.
            TooMuch: if the work limit is exceeded.
        """
        self.budget.spend(len(self.rules) + 1)
        for pattern, compositions in self.rules:
            captures = pattern.match(tensor.name)
            if captures is not None:
                values = {**self.params, **captures}
                made = tuple(
                    self._make(composition, values, (pattern.text, *number))
                    for number, composition in numbered(compositions)
                )
                return Entry(tensor, made, pattern.text, None in compositions)
        return Entry(tensor, (Taken(tensor.name),))

    def _make(
        self, composition: Composition, values: Mapping[str, Value], place: Path
    ) -> Assembly:
        try:
            return make(composition, values, self.budget)
        except PathError as error:
            raise error.below(*place) from None


def numbered(
    compositions: list[Composition | None],
) -> Iterator[tuple[Path, Composition]]:
    """The alternatives of a rule with their paths below it; a single one has the rule's own path."""
    for number, composition in enumerate(compositions):
        if composition is not None:
            yield (number,) if len(compositions) > 1 else (), composition


def origins(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Tied tensors: by the name of the first, all entries that may fill it, its own first."""
    entries = list(entries)
    groups: dict[str, list[Entry]] = {
        entry.tensor.name: [entry] for entry in entries if not entry.tensor.origin
    }
    for entry in entries:
        if entry.tensor.origin:
            groups[entry.tensor.origin].append(entry)
    return groups
