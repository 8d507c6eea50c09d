"""The rules for names in a spec: each can become an identifier, a file name and a label."""

from __future__ import annotations

import keyword
import re
from typing import Final

from compiler.expr.syntax import CONSTANTS

MAX_LENGTH: Final = 100

_SNAKE = re.compile(r"[a-z][a-z0-9_]*")
_CAPITAL = re.compile(r"[A-Z][A-Za-z0-9_]*")
_CAPWORDS = re.compile(r"[A-Z][A-Za-z0-9]*")

MODULE_ATTRIBUTES: Final = frozenset(
    [
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
        "reset_parameters",
    ]
)
"""The attributes of torch.nn.Module (and `reset_parameters`), which a layer cannot take over."""

GENERATED_CLASSES: Final = frozenset({"Tensor", "F"})
"""Names that a generated file uses for itself."""


def snake_case(name: str) -> str:
    """The error in the name of a layer, param or input; "" if it is valid."""
    if not _fits(_SNAKE, name):
        return "it is written in snake_case: a lower-case letter, then lower-case letters, digits and _"
    if keyword.iskeyword(name):
        return f"it is a word of the Python language; {name}_1 would do"
    return ""


def param_name(name: str) -> str:
    """The error in the name of a param, which expressions use."""
    if name in CONSTANTS:
        return f"in expressions it is the number {CONSTANTS[name]:.5g}"
    return snake_case(name)


def layer_name(name: str) -> str:
    """The error in the name of a layer, which becomes an attribute of a torch module."""
    if name in MODULE_ATTRIBUTES:
        return "torch.nn.Module has an attribute of that name"
    return snake_case(name)


def symbol_name(name: str) -> str:
    """The error in the name of a symbolic dimension."""
    return (
        "" if _fits(_CAPITAL, name) else "it starts with a capital, such as B, T or Cin"
    )


def class_name(name: str) -> str:
    """The error in the name of a network or block, which becomes a class."""
    if not _fits(_CAPWORDS, name):
        return "it is written in CapWords, such as TransformerBlock"
    return (
        "it is a word of the Python language"
        if keyword.iskeyword(name) or name in GENERATED_CLASSES
        else ""
    )


def network_name(name: str) -> str:
    """The error in the name of one of several networks, whose class has it in CapWords."""
    wrong = snake_case(name)
    if wrong or not class_name(cap_words(name)):
        return wrong
    return f"its class would be {cap_words(name)}, which Python or the file has already"


def cap_words(snake: str) -> str:
    """`down_sample` -> `DownSample`: the class of a group or a network."""
    return "".join(part[:1].upper() + part[1:] for part in snake.split("_"))


def snake(name: str) -> str:
    """`ConvBlock-1` -> `conv_block_1`: a similar name in snake_case; "" if there is none."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z0-9]+", "_", name[:MAX_LENGTH])
    found = words.strip("_").lower()
    return "" if snake_case(found) else found


def capital(name: str) -> str:
    """`my net` -> `MyNet`: a similar name in CapWords; "" if there is none."""
    found = cap_words(re.sub(r"[^A-Za-z0-9]+", "_", name[:MAX_LENGTH]))
    return "" if class_name(found) else found


def _fits(pattern: re.Pattern[str], name: str) -> bool:
    return len(name) <= MAX_LENGTH and pattern.fullmatch(name) is not None
