"""Names with values, for the tests of expressions."""

from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import Value, evaluate, parse_expression
from compiler.symbolic.symbols import NETWORKS, InputDim, ListItem


def dimension(name: str) -> Dim:
    """A dimension of the networks' inputs."""
    return Dim.symbol(InputDim(NETWORKS, name))


WIDTHS_2 = Dim.symbol(ListItem(NETWORKS, "widths", (2,)))
H, D = dimension("H"), dimension("D")
ENV: dict[str, Value] = {
    "H": H,
    "D": D,
    "four": Dim.of(4),
    "width": 768,
    "heads": 12,
    "rate": 0.5,
    "flag": True,
    "norm": "layer_norm",
    "widths": (64, 128, WIDTHS_2),
    "none": (),
    "long": (1,) * 257,
}


def value(text: str) -> Value:
    """What a text means, where the names have these values."""
    return evaluate(parse_expression(text), ENV)
