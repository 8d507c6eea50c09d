"""Compare modules with the interpreter on the same weights and inputs: outputs, gradients and states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, partial
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from compiler.ir.typed import Instance
from compiler.op.binding import BindingError
from compiler.op.errors import OpError
from runtime.interpret import Interpreter, OutputMismatchError
from runtime.samples import SymbolSizes, random_inputs

RAISED_BY_TORCH: Final = (
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
RAISED_BY_INTERPRETER: Final = (
    *RAISED_BY_TORCH,
    BindingError,
    OpError,
    KeyError,
    OutputMismatchError,
)

_TOLERANCES: Final = {torch.float64: (1e-6, 1e-8), torch.float32: (1e-3, 1e-4)}
"""Relative and absolute tolerance."""
_JOLTS, _OF_NOISE, _MOST_NOISE = 3, 10, 1e-7
"""How often last bits are changed to see what rounding does; how many times as much is no difference; and how
large it is at most, as a part of the largest number."""
_INTEGER_LIMITS: Final = (7, 2, 1, 0)
"""Integer inputs are below the first of these that every embedding of the network accepts; 0 means that all are 1."""
_FEW_VALUES: Final = 32
"""Initial values of smaller random tensors are too few to compare."""
_MANY_VALUES: Final = 256
"""Of fewer values, the mean and the standard deviation differ more by chance."""

_RANDOM_FUNCTIONS: Final = (
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
"""Parts of the names of torch functions that use random numbers."""


class _ReseededRandom(TorchFunctionMode):
    """Every random function starts from the same random state, so that the order of calls does not matter."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if _may_use_random_numbers(getattr(func, "__name__", "")):
            torch.default_generator.manual_seed(0)
        return func(*args, **(kwargs or {}))


@cache
def _may_use_random_numbers(name: str) -> bool:
    """Whether a torch function of this name may use random numbers; there are a few hundred names."""
    return any(part in name for part in _RANDOM_FUNCTIONS)


class ModuleComparison:
    """Compares generated modules with the interpreter of the same network, in float64.

    The interpreter runs once for all modules. One that differs is not compared any further. If an op of the network
    only supports float32, all run in float32.

    Args:
        modules: new modules by name; their initial weights are compared, and then replaced by the interpreter's.
        make_interpreter: makes an interpreter from a dtype and a seed.
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        make_interpreter: Callable[[torch.dtype, int], Interpreter],
    ) -> None:
        self._modules, self._make_interpreter = dict(modules), make_interpreter
        self._use(torch.float64)

    def _use(self, dtype: torch.dtype) -> None:
        self._dtype, self._interpreter = dtype, self._make_interpreter(dtype, 0)
        for module in self._modules.values():
            module.to(dtype)

    def compare_state(self) -> dict[str, list[str]]:
        """Compare names, shapes and initial values of parameters and buffers.

        Returns:
            The differences of each module that has some.
        """
        expected = self._interpreter.state_dict()
        make_other = partial(self._make_interpreter, self._dtype, 1)
        is_random = _Randomness(expected, make_other)
        found = {
            name: self._type_differences(module)
            or list(_initial_differences(module.state_dict(), expected, is_random))
            for name, module in self._modules.items()
        }
        differing = self._drop_differing(found)
        for module in self._modules.values():
            module.load_state_dict(expected)
        return differing

    def _type_differences(self, module: nn.Module) -> list[str]:
        interpreter = self._interpreter
        return [
            *_name_differences(
                "tensor", _tensor_types(module), _tensor_types(interpreter)
            ),
            *_name_differences(
                "parameter", _parameter_types(module), _parameter_types(interpreter)
            ),
        ]

    def _drop_differing(self, found: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """The modules that differ, which are not compared any further."""
        differing = {name: problems for name, problems in found.items() if problems}
        for name in differing:
            del self._modules[name]
        return differing

    def compare_pass(
        self,
        instance: Instance,
        sizes: SymbolSizes,
        absent: frozenset[str] = frozenset(),
        *,
        training: bool = False,
        must_run: bool = True,
    ) -> dict[str, list[str]]:
        """Compare a forward and a backward pass.

        Args:
            instance: the network, with the inputs that it gets.
            sizes: the value of each symbol.
            absent: optional inputs to omit.
            training: whether to run in training mode; running statistics are compared, too.
            must_run: whether it is a difference if the interpreter fails in evaluation mode.

        Returns:
            The differences of each module that has some.
        """
        if not self._modules:
            return {}
        self._interpreter.train(training)
        expected, inputs = self._interpret(instance, sizes, absent)
        if isinstance(expected, Exception):
            problem = f"the interpreter raises {described(expected)}"
            reported = [problem] if must_run and not training else []
            return self._drop_differing(dict.fromkeys(self._modules, reported))
        found = {}
        for name, module in self._modules.items():
            module.train(training)
            found[name] = self._pass_differences(module, instance, inputs, expected)
        return self._drop_differing(found)

    def _pass_differences(
        self,
        module: nn.Module,
        instance: Instance,
        inputs: Mapping[str, Tensor],
        expected: Mapping[str, Tensor],
    ) -> list[str]:
        given = [inputs.get(port) for port in instance.scope.inputs]
        while given and given[-1] is None:
            given.pop()
        ports, names = list(instance.scope.inputs)[: len(given)], instance.scope.outputs

        def call_module(inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor | None]:
            output = module(*(inputs.get(port) for port in ports))
            outputs = output if isinstance(output, tuple) else (output,)
            if len(outputs) != len(names):
                raise TypeError(f"{len(outputs)} outputs, not {len(names)}")
            return dict(zip(names, outputs, strict=True))

        parameters = dict(module.named_parameters())
        actual = _outputs_and_gradients(call_module, parameters, inputs)
        if isinstance(actual, Exception):
            return [f"raises {actual!r}"]
        tolerances = _TOLERANCES[self._dtype]
        problems = list(_value_differences(actual, expected, tolerances))
        if problems:
            noise = self._noise(inputs, expected)
            problems = list(_value_differences(actual, expected, tolerances, noise))
        if module.training:
            states = module.state_dict(), self._interpreter.state_dict()
            differences = _value_differences(*states, tolerances)
            problems += [f"the state {difference}" for difference in differences]
        return problems

    def _noise(
        self, inputs: Mapping[str, Tensor], expected: Mapping[str, Tensor]
    ) -> dict[str, float]:
        """By how much values may differ by rounding: what changes with the last bits of inputs and parameters.

        Sums in another order give other last bits, and a sine of 1e9 makes them visible. What changes by more than
        rounding can, as where the last bits decide which of two numbers is the larger, is no noise.
        """
        state = {k: t.clone() for k, t in self._interpreter.state_dict().items()}
        generator = torch.Generator().manual_seed(0)

        def jolted(tensor: Tensor) -> Tensor:
            if not tensor.is_floating_point():
                return tensor
            bits = torch.randint(-1, 2, tensor.shape, generator=generator)
            return tensor * (1 + bits.to(tensor.dtype) * torch.finfo(tensor.dtype).eps)

        tensors = [t.double().abs().nan_to_num(0.0) for t in expected.values()]
        cap = _MOST_NOISE * max(
            (float(t.max()) for t in tensors if t.numel()), default=0.0
        )
        noise = dict.fromkeys(expected, 0.0)
        for _ in range(_JOLTS):
            with torch.no_grad():
                for parameter in self._interpreter.named_parameters().values():
                    parameter.copy_(jolted(parameter))
            found = _outputs_and_gradients(
                lambda inputs: self._interpreter(**inputs),
                self._interpreter.named_parameters(),
                {port: jolted(tensor) for port, tensor in inputs.items()},
            )
            self._interpreter.load_state_dict(state)
            if not isinstance(found, Exception):
                for name, tensor in expected.items():
                    moved = (found[name].double() - tensor.double()).abs()
                    most = float(moved.nan_to_num(0.0).max()) if moved.numel() else 0.0
                    noise[name] = max(noise[name], min(_OF_NOISE * most, cap))
        return noise

    def _interpret(
        self, instance: Instance, sizes: SymbolSizes, absent: frozenset[str]
    ) -> tuple[dict[str, Tensor] | Exception, dict[str, Tensor]]:
        """The interpreter's outputs and gradients, or its error, and the inputs: with the largest integers accepted."""
        state = self._interpreter.state_dict()
        state = {name: tensor.clone() for name, tensor in state.items()}
        for limit in _INTEGER_LIMITS:
            inputs = random_inputs(instance, sizes, limit, self._dtype)
            inputs = {port: inputs[port] for port in inputs if port not in absent}
            found = _outputs_and_gradients(
                lambda inputs: self._interpreter(**inputs),
                self._interpreter.named_parameters(),
                inputs,
            )
            if not isinstance(found, Exception):
                break
            self._interpreter.load_state_dict(state)
            if self._dtype == torch.float64 and _is_dtype_error(found):
                training = self._interpreter.training
                self._use(torch.float32)
                for module in self._modules.values():
                    module.load_state_dict(self._interpreter.state_dict())
                self._interpreter.train(training)
                return self._interpret(instance, sizes, absent)
        return found, inputs


def described(error: Exception) -> str:
    """An error in a message: of an op's requirement what it says, without its other fields."""
    if isinstance(error, OpError):
        return f"OpError: {error.worded(error.port)}"
    return repr(error)


def _is_dtype_error(error: Exception) -> bool:
    """Whether torch requires another dtype: some ops return float32 for every network."""
    words, said = ("dtype", "float", "double", "scalar type"), str(error).lower()
    return isinstance(error, RuntimeError) and any(word in said for word in words)


def _outputs_and_gradients(
    call: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor | None]],
    parameters: Mapping[str, nn.Parameter],
    inputs: Mapping[str, Tensor],
) -> dict[str, Tensor] | Exception:
    """The outputs by name, and the gradient of each float input and parameter; or the error that was raised.

    Gradients are of a sum in which every element of the outputs has another weight.
    """
    inputs = {port: tensor.clone() for port, tensor in inputs.items()}
    float_inputs = {
        port: tensor.requires_grad_()
        for port, tensor in inputs.items()
        if tensor.is_floating_point()
    }
    try:
        with _ReseededRandom():
            outputs = {k: t for k, t in call(inputs).items() if t is not None}
            differentiable = [t for t in outputs.values() if t.requires_grad]
            leaves = {**float_inputs, **parameters}
            total = sum((_weighted_sum(t) for t in differentiable), torch.zeros(()))
            gradients: Sequence[Tensor | None] = [None] * len(leaves)
            if differentiable and leaves:
                gradients = _gradients(total, list(leaves.values()))
    except RAISED_BY_INTERPRETER as error:
        return error
    found = {name: tensor.detach() for name, tensor in outputs.items()}
    for (name, leaf), gradient in zip(leaves.items(), gradients, strict=True):
        zeros = torch.zeros_like(leaf)
        found[f"gradient of {name}"] = zeros if gradient is None else gradient
    return found


def _gradients(total: Tensor, leaves: Sequence[Tensor]) -> Sequence[Tensor | None]:
    """The gradients of a number; none where torch has no derivative for an op, as for floor_divide."""
    try:
        return torch.autograd.grad(total, leaves, allow_unused=True)
    except RuntimeError as error:
        if "derivative for" not in str(error):
            raise
        return [None] * len(leaves)


def _weighted_sum(tensor: Tensor) -> Tensor:
    """A sum in which every element has another weight."""
    weights = torch.arange(tensor.numel(), dtype=tensor.dtype).sin() + 1.5
    return (tensor.reshape(-1) * weights).sum()


def _value_differences(
    actual: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    tolerances: tuple[float, float],
    noise: Mapping[str, float] = MappingProxyType({}),
) -> Iterator[str]:
    """What differs by more than the tolerances, and than `noise` of a name."""
    relative, absolute = tolerances
    yield from (f"{name} is not None" for name in actual if name not in expected)
    for name, tensor in expected.items():
        found = actual.get(name)
        if found is None:
            yield f"{name} is None"
        elif found.shape != tensor.shape or found.dtype != tensor.dtype:
            yield f"{name} is {_format_type(found)}, not {_format_type(tensor)}"
        elif found.equal(tensor):  # most are, and it is ten times as fast
            continue
        elif not torch.allclose(
            found, tensor, relative, absolute + noise.get(name, 0.0), equal_nan=True
        ):
            difference = (found.double() - tensor.double()).abs()
            yield f"{name} differs by {difference.nan_to_num(torch.inf).max():.3g}"


def _format_type(tensor: Tensor) -> str:
    """For example `float64[2, 3]`."""
    return f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"


def _tensor_types(module: nn.Module | Interpreter) -> dict[str, str]:
    return {name: _format_type(tensor) for name, tensor in module.state_dict().items()}


def _parameter_types(module: nn.Module | Interpreter) -> dict[str, str]:
    named: Iterable[tuple[str, Tensor]] = dict(module.named_parameters()).items()
    return {name: _format_type(tensor) for name, tensor in named}


def _name_differences(
    what: str, actual: Mapping[str, str], expected: Mapping[str, str]
) -> Iterator[str]:
    for name in [*expected, *(name for name in actual if name not in expected)]:
        if name not in actual:
            yield f"the {what} {name} of {expected[name]} is missing"
        elif name not in expected:
            yield f"the {what} {name} of {actual[name]} is not expected"
        elif actual[name] != expected[name]:
            yield f"the {what} {name} is {actual[name]}, not {expected[name]}"


class _Randomness:
    """Which initial values are random: those that another seed changes. Asked only where values differ."""

    def __init__(
        self, expected: Mapping[str, Tensor], make_other: Callable[[], Interpreter]
    ) -> None:
        self._expected, self._make_other = expected, make_other

    def __call__(self, name: str) -> bool:
        return not self._expected[name].equal(self._reseeded[name])

    @cached_property
    def _reseeded(self) -> Mapping[str, Tensor]:
        return self._make_other().state_dict()


def _initial_differences(
    actual: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    is_random: Callable[[str], bool],
) -> Iterator[str]:
    for name, tensor in expected.items():
        if actual[name].equal(tensor):  # most are: both draw from one seed
            continue
        if not _similar(actual[name], tensor, is_random=is_random(name)):
            found, wanted = _describe(actual[name]), _describe(tensor)
            yield f"{name} is initialised with {found}, not {wanted}"


def _similar(actual: Tensor, expected: Tensor, is_random: bool) -> bool:
    """Whether initial values are equal, or if they are random of similar mean and standard deviation."""
    if not is_random:
        return torch.allclose(actual, expected)
    if expected.numel() < _FEW_VALUES:
        return expected.numel() == 1 or not bool((actual == actual.flatten()[0]).all())
    std, actual_std = expected.std(), actual.std()
    most = 2 if expected.numel() >= _MANY_VALUES else 3
    near = bool((actual.mean() - expected.mean()).abs() < (most - 1) * std)
    return near and bool(std / most < actual_std) and bool(actual_std < most * std)


def _describe(tensor: Tensor) -> str:
    values = tensor.double()
    if not values.numel() or values.min() == values.max():
        return f"{values.flatten()[:1].tolist()}"
    return f"mean {values.mean():.3g} and standard deviation {values.std():.3g}"
