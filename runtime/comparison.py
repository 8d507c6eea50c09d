"""A module and the interpreter on the same weights and inputs: the same numbers, gradients and states, or why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from compiler.ir.typed import Instance
from compiler.op.binding import BindingError
from compiler.op.errors import OpError
from runtime.interpret import Interpreter, OutputMismatchError
from runtime.samples import SymbolSizes, random_inputs

RAISED_BY_TORCH = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    IndexError,
    NameError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
RAISED_BY_MEANING = (
    *RAISED_BY_TORCH,
    BindingError,
    OpError,
    KeyError,
    OutputMismatchError,
)

_TOLERANCES = {torch.float64: (1e-6, 1e-8), torch.float32: (1e-3, 1e-4)}
_ENTRIES = (7, 2, 1, 0)
"""Below which number integers are drawn, the first that every table of the network has; 0 is for ones."""


class _EqualDraws(TorchFunctionMode):
    """Every random function starts from the same state, so that their order does not matter."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if any(word in name for word in _RANDOM):
            torch.default_generator.manual_seed(0)
        return func(*args, **(kwargs or {}))


_RANDOM = (
    "attention",
    "bernoulli",
    "drop",
    "exponential",
    "fractional",
    "gru",
    "gumbel",
    "lstm",
    "multinomial",
    "normal",
    "rand",
    "rnn",
    "rrelu",
    "transformer",
    "uniform",
)


class Comparison:
    """A generated module beside the interpreter of the same network, in float64.

    Where an op of the network knows float32 alone, both are compared in float32. A fresh module is given: how its
    weights start is compared before it takes over those of the interpreter, which is made from a dtype and a seed.
    """

    def __init__(
        self, module: nn.Module, interpreter: Callable[[torch.dtype, int], Interpreter]
    ) -> None:
        self._module, self._make = module, interpreter
        self._use(torch.float64)

    def _use(self, dtype: torch.dtype) -> None:
        self._dtype, self._meaning = dtype, self._make(dtype, 0)
        self._module.to(dtype)

    def state(self) -> list[str]:
        """The tensors by name, learned or not, with their shapes; then how they start."""
        problems = [
            *_differ("tensor", _shapes(self._module), _shapes(self._meaning)),
            *_differ("parameter", _learned(self._module), _learned(self._meaning)),
        ]
        if problems:
            return problems
        own, wanted = self._module.state_dict(), self._meaning.state_dict()
        other = self._make(self._dtype, 1).state_dict()
        starts = [
            f"{name} starts with {_described(own[name])}, not {_described(tensor)}"
            for name, tensor in wanted.items()
            if not _alike(own[name], tensor, drawn=not tensor.equal(other[name]))
        ]
        self._module.load_state_dict(wanted)
        return starts

    def run(
        self,
        instance: Instance,
        sizes: SymbolSizes,
        absent: frozenset[str] = frozenset(),
        *,
        training: bool = False,
        certain: bool = True,
    ) -> list[str]:
        """One pass forward and back; where it is not `certain` that the network runs, only if the interpreter does."""
        self._meaning.train(training)
        self._module.train(training)
        wanted, inputs = self._interpreted(instance, sizes, absent)
        if isinstance(wanted, Exception):
            return [f"has no meaning: {wanted!r}"] if certain and not training else []
        order = [inputs.get(port) for port in instance.scope.inputs]
        while order and order[-1] is None:
            order.pop()
        names = list(instance.outputs)

        def module(given: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
            ports = [*instance.scope.inputs][: len(order)]
            outputs = self._module(*(given.get(port) for port in ports))
            several = outputs if isinstance(outputs, tuple) else (outputs,)
            if len(several) != len(names):
                raise TypeError(f"{len(several)} outputs, and not {len(names)}")
            return dict(zip(names, several, strict=True))

        found = _ran(module, dict(self._module.named_parameters()), inputs)
        if isinstance(found, Exception):
            return [f"raises {found!r}"]
        states = self._module.state_dict()
        problems = list(_unequal(found, wanted, _TOLERANCES[self._dtype]))
        if training:
            now = self._meaning.state_dict()
            pairs = _unequal(states, now, _TOLERANCES[self._dtype])
            problems += [f"the state {one}" for one in pairs]
        return problems

    def _interpreted(
        self, instance: Instance, sizes: SymbolSizes, absent: frozenset[str]
    ) -> tuple[dict[str, Tensor] | Exception, dict[str, Tensor]]:
        """What the interpreter gives, for the largest integers that it takes, and the inputs."""
        before = self._meaning.state_dict()
        before = {name: tensor.clone() for name, tensor in before.items()}
        for below in _ENTRIES:
            inputs = random_inputs(instance, sizes, below, self._dtype)
            inputs = {port: inputs[port] for port in inputs if port not in absent}
            found = _ran(
                lambda given: self._meaning(**given),
                self._meaning.named_parameters(),
                inputs,
            )
            if not isinstance(found, Exception):
                break
            self._meaning.load_state_dict(before)
            if self._dtype == torch.float64 and _is_of_dtypes(found):
                self._use(torch.float32)
                self._module.load_state_dict(self._meaning.state_dict())
                self._meaning.train(self._module.training)
                return self._interpreted(instance, sizes, absent)
        return found, inputs


def _is_of_dtypes(error: Exception) -> bool:
    """Whether torch wants other floats: some ops give float32 whatever the network is in."""
    words = ("dtype", "Float", "Double", "scalar type")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def _ran(
    call: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]],
    parameters: Mapping[str, nn.Parameter],
    inputs: Mapping[str, Tensor],
) -> dict[str, Tensor] | Exception:
    """The outputs, and the gradients of all that has one, of a sum with a weight for every element."""
    given = {port: tensor.clone() for port, tensor in inputs.items()}
    floats = {
        port: tensor.requires_grad_()
        for port, tensor in given.items()
        if tensor.is_floating_point()
    }
    try:
        with _EqualDraws():
            outputs = dict(call(given))
            reached = [t for t in outputs.values() if t.requires_grad]
            leaves = {**floats, **parameters}
            total = sum((_weighted(t) for t in reached), torch.zeros(()))
            gradients: Sequence[Tensor | None] = [None] * len(leaves)
            if reached and leaves:
                gradients = torch.autograd.grad(
                    total, list(leaves.values()), allow_unused=True
                )
    except RAISED_BY_MEANING as error:
        return error
    found = {name: tensor.detach() for name, tensor in outputs.items()}
    for (name, leaf), gradient in zip(leaves.items(), gradients, strict=True):
        zeros = torch.zeros_like(leaf)
        found[f"gradient of {name}"] = zeros if gradient is None else gradient
    return found


def _weighted(tensor: Tensor) -> Tensor:
    """A sum in which every element counts differently."""
    weights = torch.arange(tensor.numel(), dtype=tensor.dtype).sin() + 1.5
    return (tensor.reshape(-1) * weights).sum()


def _unequal(
    found: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    tolerances: tuple[float, float],
) -> Iterator[str]:
    relative, absolute = tolerances
    for name, tensor in wanted.items():
        own = found[name]
        if own.shape != tensor.shape or own.dtype != tensor.dtype:
            yield f"{name} is {_typed(own)}, not {_typed(tensor)}"
        elif not torch.allclose(own, tensor, relative, absolute, equal_nan=True):
            most = (own.double() - tensor.double()).abs().nan_to_num(torch.inf).max()
            yield f"{name} differs by {most:.3g}"


def _typed(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"


def _shapes(held: nn.Module | Interpreter) -> dict[str, str]:
    return {name: _typed(tensor) for name, tensor in held.state_dict().items()}


def _learned(held: nn.Module | Interpreter) -> dict[str, str]:
    named: Iterable[tuple[str, Tensor]] = dict(held.named_parameters()).items()
    return {name: _typed(tensor) for name, tensor in named}


def _differ(
    what: str, found: Mapping[str, str], wanted: Mapping[str, str]
) -> Iterator[str]:
    for name in [*wanted, *(name for name in found if name not in wanted)]:
        if name not in found:
            yield f"there is no {what} {name} of {wanted[name]}"
        elif name not in wanted:
            yield f"the {what} {name} of {found[name]} should not be there"
        elif found[name] != wanted[name]:
            yield f"the {what} {name} is {found[name]}, not {wanted[name]}"


_FEW = 32
"""So many numbers tell how they were drawn."""


def _alike(own: Tensor, wanted: Tensor, drawn: bool) -> bool:
    """Whether two tensors start alike: equal where nothing is drawn, else of about the same mean and spread."""
    if not drawn:
        return torch.allclose(own, wanted)
    if wanted.numel() < _FEW:
        return True
    spread, own_spread = wanted.std(), own.std()
    near = bool((own.mean() - wanted.mean()).abs() < spread)
    return near and bool(spread / 2 < own_spread) and bool(own_spread < 2 * spread)


def _described(tensor: Tensor) -> str:
    values = tensor.double()
    if not values.numel() or values.min() == values.max():
        return f"{values.flatten()[:1].tolist()}"
    return f"mean {values.mean():.3g} and deviation {values.std():.3g}"
