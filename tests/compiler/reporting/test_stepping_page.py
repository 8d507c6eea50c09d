from compiler.op.flow import no_rule
from compiler.op.registry import ops
from compiler.reporting.stepping_page import PAGE, stepping_page


def test_page_is_up_to_date() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == stepping_page(written), "run `make docs`"


def test_every_op_has_a_rule() -> None:
    assert not [name for name, op in ops().items() if op.flow is no_rule]
    assert all(op.flow.text.endswith(".") for op in ops().values())
