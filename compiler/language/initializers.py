"""How weights start: the functions that a spec may name, most of them torch.nn.init's, with their arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import PydanticCustomError

from compiler.diagnostics.diagnostic import suggest

FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "zeros": (),
    "ones": (),
    "constant": ("val",),
    "uniform": ("a", "b"),
    "normal": ("mean", "std"),
    "trunc_normal": ("mean", "std", "a", "b"),
    "xavier_uniform": ("gain",),
    "xavier_normal": ("gain",),
    "kaiming_uniform": ("a", "mode", "nonlinearity"),
    "kaiming_normal": ("a", "mode", "nonlinearity"),
    "orthogonal": ("gain",),
    "dirac": ("groups",),
    "log_arange": (),
}
"""Name (torch's, without the trailing underscore) -> arguments (torch's own).

`log_arange` is none of torch's: log 1, log 2, ... along the last dimension, as S4D-Real
and Mamba start the logarithms of their rates of decay (Gu et al., 2022).
"""

_WORDS: Final = {
    "mode": ("fan_in", "fan_out"),
    "nonlinearity": (
        "linear",
        "conv1d",
        "conv2d",
        "conv3d",
        "sigmoid",
        "tanh",
        "relu",
        "leaky_relu",
        "selu",
    ),
}


@dataclass(frozen=True, slots=True)
class Initializer:
    """`{normal: {std: 0.02}}`: one of the functions and its arguments."""

    name: str
    arguments: tuple[tuple[str, int | float | str], ...] = ()


def parse_initializer(value: Any) -> Initializer:
    """Read `zeros`, `{normal: {std: 0.02}}` or `{constant: 0.5}`."""
    if isinstance(value, str):
        value = {value: {}}
    if not isinstance(value, dict) or len(value) != 1:
        raise _fault(
            "an initialisation is a name, or one name with its arguments: {normal: {std: 0.02}}",
            (),
        )
    ((name, given),) = value.items()
    if name not in FUNCTIONS:
        raise _fault(
            f"{name} is not an initialisation",
            (),
            suggest(name, FUNCTIONS) or _known(),
        )
    if not isinstance(given, dict):
        given = {"val": given} if name == "constant" else {"": given}
    arguments = tuple(
        (key, _argument(name, key, item, (name,))) for key, item in given.items()
    )
    if name == "constant" and not arguments:
        raise _fault("constant needs its value: {constant: 0.5}", ())
    return Initializer(name, arguments)


def _argument(
    name: str, key: str, value: Any, place: tuple[str | int, ...]
) -> int | float | str:
    if key not in FUNCTIONS[name]:
        takes = ", ".join(FUNCTIONS[name]) or "no arguments"
        raise _fault(
            f"{name} has no argument {key}" if key else f"{name} takes named arguments",
            place,
            f"{name} takes {takes}",
        )
    if key in _WORDS:
        if value not in _WORDS[key]:
            raise _fault(f"{key} is one of {', '.join(_WORDS[key])}", (*place, key))
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _fault(f"{key} must be a number", (*place, key))
    return value


def _known() -> str:
    return f"known are {', '.join(FUNCTIONS)}"


def _fault(
    message: str, place: tuple[str | int, ...], help: str = ""
) -> PydanticCustomError:
    return PydanticCustomError(
        "bad-init", "{message}", {"message": message, "at": place, "help": help}
    )
