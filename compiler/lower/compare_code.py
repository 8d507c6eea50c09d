"""A class in one use of it, and what is wrong with it there."""

from __future__ import annotations

from compiler.codegen.expression_layout import flat
from compiler.codegen.python import Call, Expr, Name, lit
from compiler.codegen.traversal import filled, mapped
from compiler.ir.typed import Instance
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan


class Invalid(Exception):
    """A class does not do in a use what the graph says."""

    def __init__(self, plan: ClassPlan, layer: str, use: Instance, reason: str) -> None:
        super().__init__(f"{plan.scope.name}.{layer}: {reason}")
        self.plan, self.layer, self.use, self.reason = plan, layer, use, reason


class Comparison:
    """Compares a class in one use with what the graph says; `layer` is what is looked at."""

    def __init__(self, ir: ClassIR, use: Instance, layer: str = "") -> None:
        self.ir, self.plan, self.use, self.layer = ir, ir.plan, use, layer
        self.held = {held.typed.node.name: held for held in ir.held}

    def wrong(self, reason: str) -> Invalid:
        return Invalid(self.plan, self.layer, self.use, reason)

    def same(self, found: object, wanted: object, what: str) -> None:
        if found != wanted:
            raise self.wrong(f"{what} is {found}, not {wanted}")

    def same_code(self, found: Expr, wanted: Expr | None, what: str) -> None:
        """Hold code against other code that may differ in what changes no result."""
        if found != wanted and _plain(found) != (wanted and _plain(wanted)):
            raise self.wrong(f"{what} is {_shown(found)}, not {_shown(wanted)}")


def _shown(code: Expr | None) -> str:
    """Code as it is read, each value by its layer."""

    def name(key: object) -> Expr:
        word = getattr(key, "layer", None) or getattr(key, "name", None)
        return Name(word if isinstance(word, str) and word.isidentifier() else "_")

    return "nothing" if code is None else flat(filled(code, name))


def _plain(code: Expr) -> Expr:
    """Code without what changes no result: the place of a result, and arguments that say what is so without them."""
    if isinstance(code, Call):
        args = list(map(_plain, code.args))
        while args and args[-1] == lit(None):
            args.pop()
        kwargs = tuple(
            (key, _plain(value))
            for key, value in code.kwargs
            if key != "inplace" and not _is_default(key, value)
        )
        return Call(_plain(code.func), tuple(args), kwargs)
    return mapped(code, _plain)


def _is_default(key: str, value: Expr) -> bool:
    """Whether an argument stands for an optional input that is not there, or says that no mask is causal."""
    if key.endswith("is_causal"):
        return value == lit(False)
    return value == lit(None)
