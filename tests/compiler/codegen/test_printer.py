"""What the printer writes, shown beside what it writes it from."""

from __future__ import annotations

import subprocess

from compiler.codegen.printer import print_module
from compiler.codegen.python import (
    Binary,
    Comprehension,
    Conditional,
    Expr,
    Literal,
    Name,
    Subscript,
    TupleExpr,
    attr,
    call,
    lit,
    method,
)
from compiler.codegen.statements import (
    Assign,
    Class,
    CommentLine,
    ExprStatement,
    For,
    Function,
    FunctionParameter,
    If,
    Import,
    Module,
    Return,
    Stmt,
    assign,
)
from tests.compiler.codegen.test_fixed_point import RUFF, ruff_format

TENSOR = Name("Tensor")
NONE = Literal(None)
SUPER = ExprStatement(method(call("super"), "__init__"))


def printed(*body: Stmt) -> str:
    """The statements as text, checked against the formatter."""
    text = print_module(Module(body=body))
    assert text == ruff_format(text)
    return text


def split_heads(name: str) -> Expr:
    heads = method(Name(name), "unflatten", -1, (Name("self.heads"), -1))
    return method(heads, "transpose", 1, 2)


def test_a_module_reads_as_if_a_person_had_written_it() -> None:
    init = Function(
        "__init__",
        (
            FunctionParameter("self"),
            FunctionParameter("d", Name("int")),
            FunctionParameter("heads", Name("int")),
            FunctionParameter("dropout", Name("float"), lit(0.1)),
        ),
        NONE,
        (
            SUPER,
            assign("self.heads", Name("heads")),
            assign("self.dropout", Name("dropout")),
            assign(
                "self.c_attn",
                call("nn.Linear", Name("d"), Binary("*", lit(3), Name("d"))),
            ),
        ),
    )
    attention = call(
        "F.scaled_dot_product_attention",
        split_heads("query"),
        split_heads("key"),
        split_heads("value"),
        dropout_p=Conditional(Name("self.training"), Name("self.dropout"), lit(0.0)),
        is_causal=True,
    )
    parts = (Name("query"), Name("key"), Name("value"))
    chunks = method("c_attn", "chunk", 3, dim=-1)
    merged = method(method("attention", "transpose", 1, 2), "flatten", -2)
    forward = Function(
        "forward",
        (FunctionParameter("self"), FunctionParameter("x", TENSOR)),
        TENSOR,
        (
            assign("c_attn", call("self.c_attn", Name("x")), comment="[B, T, 3 * D]"),
            Assign(parts, chunks, comment="3 of [B, T, D]"),
            assign("attention", attention),
            Return(merged, "[B, T, D]"),
        ),
    )
    docstring = "x: float[B, T, D] -> float[B, T, D]"
    imports = (
        Import("torch.nn", ("functional as F",)),
        Import("torch", ("nn", "Tensor")),
        Import("__future__", ("annotations",)),
        Import("torch"),
        Import("math"),
        Import("torch"),
    )
    attention_class = Class(
        "Attention", (Name("nn.Module"),), docstring, (init, forward)
    )
    module = Module(
        "GPT2.\n\n    tokens: int[B, T] -> logits",
        imports,
        (assign("__all__", ["Attention"]), attention_class),
    )
    text = print_module(module)
    assert text == ruff_format(text)
    assert (
        text
        == '''"""GPT2.

tokens: int[B, T] -> logits
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Attention"]


class Attention(nn.Module):
    """x: float[B, T, D] -> float[B, T, D]"""

    def __init__(self, d: int, heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.c_attn = nn.Linear(d, 3 * d)

    def forward(self, x: Tensor) -> Tensor:
        c_attn = self.c_attn(x)  # [B, T, 3 * D]
        query, key, value = c_attn.chunk(3, dim=-1)  # 3 of [B, T, D]
        attention = F.scaled_dot_product_attention(
            query.unflatten(-1, (self.heads, -1)).transpose(1, 2),
            key.unflatten(-1, (self.heads, -1)).transpose(1, 2),
            value.unflatten(-1, (self.heads, -1)).transpose(1, 2),
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=True,
        )
        return attention.transpose(1, 2).flatten(-2)  # [B, T, D]
'''
    )


def test_imports_are_in_isort_s_order() -> None:
    names = ("zeta", "Alpha", "BETA", "gamma as g", "Tensor", "T")
    imports = (Import("torch", names), Import("os"), Import("abc", ("ABC",)))
    text = print_module(Module("", (*imports, Import("torch.nn.functional as F"))))
    command = [RUFF, "check", "--isolated", "--select=I", "--diff", "-"]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert text == ruff_format(text)


def test_conditions_and_loops() -> None:
    linear = call("isinstance", Name("module"), Name("nn.Linear"))
    embedding = call("isinstance", Name("module"), Name("nn.Embedding"))
    normal = ExprStatement(call("init.normal_", Name("module.weight"), std=0.02))
    other = If(embedding, (normal,), (), "ties included")
    loop = For(
        Name("module"), call("self.modules"), (If(linear, (normal,), (other,)),), "all"
    )
    last = If(Name("x"), (), (CommentLine("nothing to do"),))
    assert printed(loop, last) == (
        "for module in self.modules():  # all\n"
        "    if isinstance(module, nn.Linear):\n"
        "        init.normal_(module.weight, std=0.02)\n"
        "    elif isinstance(module, nn.Embedding):  # ties included\n"
        "        init.normal_(module.weight, std=0.02)\n"
        "if x:\n"
        "    pass\n"
        "else:\n"
        "    # nothing to do\n"
        "    pass\n"
    )


def test_a_comment_that_does_not_fit_stands_above() -> None:
    name = "x" * 70
    short, long = "c" * 10, "c" * 11  # 70 + " = 1" + "  # " + 10 is 88
    assert printed(assign(name, 1, comment=short)) == f"{name} = 1  # {short}\n"
    assert printed(assign(name, 1, comment=long)) == f"# {long}\n{name} = 1\n"


def test_a_call_breaks_for_its_comment() -> None:
    broken = assign("x", call("f", Name("a" * 50), Name("b" * 50)), comment="c")
    assert printed(broken) == f"x = f(\n    {'a' * 50},\n    {'b' * 50},\n)  # c\n"
    near = assign("x", call("f", Name("a" * 40)), comment="c" * 50)
    assert printed(near) == f"x = f(\n    {'a' * 40}\n)  # {'c' * 50}\n"


def test_what_is_too_long_breaks_at_its_outermost_brackets() -> None:
    a, b = Name("a" * 40), Name("b" * 45)
    inner = call("g", Name("c" * 45), Name("d" * 45))
    assert printed(assign("x", call("f", a, inner, key=Binary("+", a, b)))) == (
        f"x = f(\n"
        f"    {a.id},\n"
        f"    g(\n"
        f"        {'c' * 45},\n"
        f"        {'d' * 45},\n"
        f"    ),\n"
        f"    key=(\n"
        f"        {a.id}\n"
        f"        + {b.id}\n"
        f"    ),\n"
        f")\n"
    )


def test_sums_conditions_and_chains_break_in_parentheses() -> None:
    a, b = Name("a" * 40), Name("b" * 45)
    assert (
        printed(assign("x", Binary("+", a, b)))
        == f"x = (\n    {a.id}\n    + {b.id}\n)\n"
    )
    choice = Conditional(Name("t"), a, b)
    assert printed(Return(choice)) == (
        f"return (\n    {a.id}\n    if t\n    else {b.id}\n)\n"
    )
    chain = method(method(method(a, "view", 1, 2), "transpose", 1, 2), "flatten", -2)
    chain = method(chain, "sum", dim=-1)
    assert printed(assign("self.x", chain)) == (
        f"self.x = (\n"
        f"    {a.id}.view(1, 2)\n"
        f"    .transpose(1, 2)\n"
        f"    .flatten(-2)\n"
        f"    .sum(dim=-1)\n"
        f")\n"
    )


def test_a_tuple_of_one_target_keeps_its_comma() -> None:
    one = TupleExpr((Name("a"),))
    assert printed(Assign((one,), Name("x"))) == "(a,) = x\n"
    assert printed(For(one, Name("x"), (Return(),))).startswith("for (a,) in x:")


def test_a_long_return_of_several_values() -> None:
    values = tuple(Name(x * 30) for x in "abc")
    assert printed(Return(TupleExpr(values[:2]))) == f"return {'a' * 30}, {'b' * 30}\n"
    assert printed(Return(TupleExpr(values))) == (
        f"return (\n    {'a' * 30},\n    {'b' * 30},\n    {'c' * 30},\n)\n"
    )


def test_signatures_break_one_parameter_a_line() -> None:
    names = ["vocab", "context", "width", "depth", "heads"]
    params = tuple(FunctionParameter(name, Name("int"), lit(12)) for name in names)
    function = Function(
        "__init__", (FunctionParameter("self"), FunctionParameter("*"), *params), NONE
    )
    assert printed(Class("Net", (Name("nn.Module"),), "", (function,))) == (
        "class Net(nn.Module):\n"
        "    def __init__(\n"
        "        self,\n"
        "        *,\n"
        "        vocab: int = 12,\n"
        "        context: int = 12,\n"
        "        width: int = 12,\n"
        "        depth: int = 12,\n"
        "        heads: int = 12,\n"
        "    ) -> None:\n"
        "        pass\n"
    )


def test_module_lists_and_subscripts() -> None:
    block = call("Block", Name("width"), Name("heads"))
    stack = call(
        "nn.ModuleList", Comprehension(block, Name("_"), call("range", Name("depth")))
    )
    assert printed(assign("self.h", stack)) == (
        "self.h = nn.ModuleList(Block(width, heads) for _ in range(depth))\n"
    )
    hint = Subscript(Name("tuple"), (TENSOR, TENSOR))
    function = Function(
        "step", (FunctionParameter("self"),), hint, (Return(attr("self", "x")),)
    )
    assert printed(function).startswith("def step(self) -> tuple[Tensor, Tensor]:\n")


def test_an_empty_module_is_empty() -> None:
    assert print_module(Module()) == ""
    assert print_module(Module("Doc.")) == '"""Doc."""\n'


def test_the_width_is_a_choice() -> None:
    module = Module(body=(assign("x", call("f", Name("aaaa"), Name("bbbb"))),))
    assert print_module(module, width=12) == "x = f(\n    aaaa,\n    bbbb,\n)\n"
