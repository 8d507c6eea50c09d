"""Names with values, for the tests of expressions."""

from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import Value, evaluate, parse_expression

H, D = Dim.symbol("H"), Dim.symbol("D")
ENV: dict[str, Value] = {
    "H": H,
    "D": D,
    "four": Dim.of(4),
    "width": 768,
    "heads": 12,
    "rate": 0.5,
    "flag": True,
    "norm": "layer_norm",
    "widths": (64, 128, Dim.symbol("widths[2]")),
    "none": (),
}


def value(text: str) -> Value:
    """What a text means, where the names have these values."""
    return evaluate(parse_expression(text), ENV)
