"""The parser of the expression language; written by hand, so that every error has its position."""

from collections.abc import Sequence
from dataclasses import replace

from compiler.expr.lexer import BOOLEANS, OF_LISTS, Token, number_value, tokenize
from compiler.expr.syntax import (
    COMPARE,
    CONSTANTS,
    ITEM_NUMBER,
    NOT,
    OR,
    POWER,
    PRECEDENCE,
    SIGN,
    BinaryOperation,
    BooleanLiteral,
    ComparisonOperation,
    CountedList,
    Expression,
    ExpressionError,
    FunctionCall,
    Given,
    IfElse,
    Indexing,
    ListLiteral,
    LogicalOperation,
    NamedNumber,
    NumberLiteral,
    Slicing,
    UnaryOperation,
    Variable,
    walk,
)

MAX_NODES = 256
MAX_DEPTH = 32
GIVEN = "given"
"""What asks for an input, not for a value."""
ARITY = {
    "min": (1, MAX_NODES),
    "max": (1, MAX_NODES),
    "sum": (1, 1),
    "prod": (1, 1),
    "ceil_div": (2, 2),
    "len": (1, 1),
    "round": (1, 1),
    "sqrt": (1, 1),
    "log": (1, 1),
    "exp": (1, 1),
}
"""The functions of the language, with the least and the greatest number of arguments."""


def parse_expression(
    text: str, *, max_nodes: int = MAX_NODES, max_depth: int = MAX_DEPTH
) -> Expression:
    """Parse an expression.

    Args:
        max_nodes: maximum size of the tree. At most `MAX_NODES`, on which all passes over a tree rely.
        max_depth: maximum depth of the tree. At most `MAX_DEPTH`, likewise.

    Raises:
        ExpressionError: if the text is not an expression, or exceeds one of the limits.
    """
    parser = _Parser(text, min(max_nodes, MAX_NODES), min(max_depth, MAX_DEPTH))
    return parser.parse()


class _Parser:
    """A precedence-climbing parser with one token of lookahead."""

    def __init__(self, text: str, max_nodes: int, max_depth: int) -> None:
        self._tokens = tokenize(text)
        self._token = next(self._tokens)
        self._end = 0
        self._nodes, self._max_nodes = 0, max_nodes
        self._depth, self._max_depth = 0, max_depth

    def parse(self) -> Expression:
        expr = self._expression()
        if self._token.kind != "end":
            raise self._unexpected("an operator")
        return expr

    def _expression(self) -> Expression:
        start = self._enter()
        expr = self._operation(OR)
        if self._accept("if"):
            test = self._operation(OR)
            self._expect("else")
            expr = self._node(IfElse(test, expr, self._expression()), start)
        self._depth -= 1
        return expr

    def _operation(self, least: int) -> Expression:
        """Operands joined by operators whose precedence is at least `least`."""
        start = self._token.start
        expr = self._prefix(least)
        while (precedence := self._precedence()) >= least:
            op = self._advance().text
            # Powers join from the right: 2 ** 3 ** 2 is 2 ** 9.
            right = self._operation(precedence + (precedence != POWER))
            expr = self._node(self._join(op, expr, right), start)
        return expr

    def _join(self, op: str, left: Expression, right: Expression) -> Expression:
        if op in ("and", "or"):
            operands = [left, right]
            while self._accept(op):
                operands.append(self._operation(PRECEDENCE[op] + 1))
            return LogicalOperation(op, tuple(operands))
        if PRECEDENCE[op] != COMPARE:
            return BinaryOperation(op, left, right)
        if self._precedence() == COMPARE:
            raise self._error(
                "comparisons cannot be chained; join two of them with `and`"
            )
        return ComparisonOperation(op, left, right)

    def _prefix(self, least: int) -> Expression:
        op = self._token.text
        if op not in ("not", "+", "-"):
            return self._postfix()
        if op == "not" and least > NOT:
            raise self._error("`not` needs parentheses here")
        start = self._enter()
        self._advance()
        operand = self._operation(NOT if op == "not" else SIGN)
        self._depth -= 1
        return self._node(UnaryOperation(op, operand), start)

    def _postfix(self) -> Expression:
        start = self._token.start
        expr = self._primary()
        while self._accept("["):
            expr = self._node(self._item(expr), start)
        if self._token.text == "(":
            if isinstance(expr, Variable) and expr.id == "range":
                raise self._error(
                    "a list counts up to a number, without `range`: [2 * i for i in 3]"
                )
            raise self._error(f"only {', '.join(ARITY)} can be called")
        return expr

    def _item(self, value: Expression) -> Expression:
        """What is in brackets behind a list: an index, or the bounds of a slice."""
        first = None if self._token.text == ":" else self._expression()
        if self._accept("]") and first is not None:
            return Indexing(value, first)
        self._expect(":")
        stop = None if self._token.text in "]:" else self._expression()
        if self._token.text == ":":
            raise self._error("slices have no step")
        self._expect("]")
        return Slicing(value, first, stop)

    def _primary(self) -> Expression:
        token = self._token
        if token.kind == "number":
            return self._node(NumberLiteral(number_value(self._advance())), token.start)
        if token.kind == "name":
            return self._name_or_call(self._advance())
        if self._accept("("):
            expr = self._expression()
            if self._token.text == ",":
                raise self._error("lists are written in brackets: [3, 3]")
            self._expect(")")
            return expr
        if self._accept("["):
            return self._node(self._list(), token.start)
        raise self._unexpected("an operand")

    def _list(self) -> Expression:
        """What is in the brackets of a list: its items, or the rule for them."""
        items: list[Expression] = []
        while not self._accept("]"):
            items.append(self._expression())
            if self._token.text == "for":
                return self._counted_list(items)
            if self._token.text != "]":
                self._expect(",")
        return ListLiteral(tuple(items))

    def _counted_list(self, items: Sequence[Expression]) -> CountedList:
        """The rule for the items of a list, from `for` on."""
        if len(items) != 1:
            raise self._unexpected("`]`")
        (item,) = items
        self._advance()
        if self._token.text != ITEM_NUMBER:
            message = f"the items are counted by {ITEM_NUMBER}: [2 * {ITEM_NUMBER} for {ITEM_NUMBER} in 4]"
            raise self._error(message)
        self._advance()
        self._expect("in")
        count = self._operation(OR)
        self._expect("]")
        inside = (part for one in (item, count) for part in walk(one))
        for part in inside:
            if isinstance(part, CountedList):  # 256 ** 4 items would be worked out
                message = f"{ITEM_NUMBER} counts one list: the inner one is a param of its own"
                raise ExpressionError(message, part.start, part.end)
        return CountedList(item, count)

    def _name_or_call(self, token: Token) -> Expression:
        if token.text in BOOLEANS:
            return self._node(BooleanLiteral(BOOLEANS[token.text]), token.start)
        if token.text in CONSTANTS:
            return self._node(NamedNumber(token.text), token.start)
        if token.text == GIVEN and self._accept("("):
            return self._node(self._given(), token.start)
        if token.text not in ARITY or not self._accept("("):
            return self._node(Variable(token.text), token.start)
        args = self._items(")")
        least, greatest = ARITY[token.text]
        if not least <= len(args) <= greatest:
            wanted = f"{least} or more" if greatest > least else str(least)
            message = f"`{token.text}` takes {wanted} arguments, not {len(args)}"
            raise ExpressionError(message, token.start, self._end)
        return self._node(FunctionCall(token.text, args), token.start)

    def _given(self) -> Expression:
        """The name of an input in parentheses, which is no value that could be computed with."""
        if self._token.kind != "name":
            raise self._error("`given` asks for an input by its name: given(mask)")
        name = self._advance().text
        self._expect(")")
        return Given(name)

    def _items(self, closing: str) -> tuple[Expression, ...]:
        """Expressions up to a bracket, which is read."""
        items: list[Expression] = []
        while not self._accept(closing):
            items.append(self._expression())
            if self._token.text != closing:
                self._expect(",")
        return tuple(items)

    def _precedence(self) -> int:
        return PRECEDENCE.get(self._token.text, -1)

    def _advance(self) -> Token:
        token = self._token
        self._end = token.end
        self._token = next(self._tokens)
        return token

    def _accept(self, text: str) -> bool:
        if self._token.text != text:
            return False
        self._advance()
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._unexpected(f"`{text}`")

    def _enter(self) -> int:
        self._depth += 1
        if self._depth > self._max_depth:
            raise self._error("the expression is nested too deeply")
        return self._token.start

    def _node(self, expr: Expression, start: int) -> Expression:
        self._nodes += 1
        if self._nodes > self._max_nodes:
            raise self._error("the expression is too long")
        return replace(expr, start=start, end=self._end)

    def _unexpected(self, wanted: str) -> ExpressionError:
        found = self._token.text
        if found in OF_LISTS:
            return self._error(
                f'`{found}` has its place in lists, in quotes: "[2 * i for i in 4]"'
            )
        found = found if self._token.kind == "end" else f"`{found[:40]}`"
        return self._error(f"expected {wanted}, found {found}")

    def _error(self, message: str) -> ExpressionError:
        return ExpressionError(message, self._token.start, self._token.end)
