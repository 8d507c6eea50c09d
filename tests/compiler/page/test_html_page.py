"""The HTML page: one file that loads nothing, in which a spec's text is text."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

import layergraph as lg
from compiler import compile_spec
from compiler.diagnostics.diagnostic import DiagramError, RequestError
from compiler.diagnostics.limits import UNLIMITED
from compiler.diagnostics.source import Source
from compiler.diagram.diagram import Diagram
from compiler.page.text_places import TextPlaces
from compiler.program import Program


def page(program: Program, **options: Any) -> str:
    return program.diagram(**options).html


def data(text: str) -> Any:
    (found,) = re.findall(r'id="data">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def compiled(folder: Path, text: str) -> Program:
    file = folder / "net.yaml"
    file.write_text(text, encoding="utf-8")
    return compile_spec(file, strict=False, limits=UNLIMITED)


def names(scope: Any) -> list[str]:
    return [box["name"] for box in scope["boxes"]]


def test_gpt2_in_one_small_file() -> None:
    text = page(lg.compile("gpt2"))
    assert len(text.encode()) < 200_000
    found = data(text)
    assert found["title"] == "GPT2"
    assert [scope["name"] for scope in found["scopes"]] == [
        "GPT2",
        "Block",
        "CausalSelfAttention",
        "MLP",
    ]
    network, block, *_ = found["scopes"]
    (repeated,) = [box for box in network["boxes"] if box["name"] == "h"]
    assert repeated["caption"] == ["h", "Block · 85.1 M", "× 12"]
    assert repeated["open"] == ["h", "Block", "× 12"]
    assert found["scopes"][repeated["opens"]] is block
    assert repeated["parameters"] == "85,054,464"
    assert repeated["formula"] == "12 * depth * width * width + 13 * depth * width"
    assert repeated["count"] == 12
    assert found["open"] == [[0], [0, "h"], [0, "h", "attn"], [0, "h", "mlp"]]


def test_a_layer_says_where_it_is_written() -> None:
    found = data(page(lg.compile("gpt2")))
    lines = found["files"][0]["text"].split("\n")
    for scope in found["scopes"]:
        for box in scope["boxes"]:
            file, first, last = box["at"]
            assert file == 0
            name = (
                "out|c_proj|resid_dropout|dropout"
                if box["name"] == "output"
                else box["name"]
            )
            assert re.match(rf"\s*({name}):", lines[first - 1]), box
            assert last >= first


def test_arrows_name_the_ports_that_they_join() -> None:
    found = data(page(lg.compile("transformer")))
    layer = next(one for one in found["scopes"] if one["name"] == "EncoderLayer")
    at = {name: number for number, name in enumerate(names(layer))}
    (edge,) = [
        edge for edge in layer["edges"] if edge[:2] == [at["x"], at["self_attention"]]
    ]
    assert edge[4] == [["", "memory"], ["", "query"]]


def test_an_arrow_leaves_a_scan_by_its_own_output() -> None:
    found = data(page(lg.compile("elman")))
    network, cell = found["scopes"]
    at = {name: number for number, name in enumerate(names(network))}
    (edge,) = [
        one for one in network["edges"] if one[:2] == [at["recurrence"], at["head"]]
    ]
    assert edge[4] == [["y", "input"]]
    assert cell["loops"] == ["h"]
    (state,) = [
        box for box in cell["boxes"] if (box["kind"], box["name"]) == ("input", "h")
    ]
    assert state["text"].endswith("starts from zeros.")


def test_nothing_is_loaded_and_nothing_runs_but_the_page() -> None:
    text = page(lg.compile("cnn"))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    style = text.partition("<style>")[2].partition("</style>")[0]

    def hashed(part: str) -> str:
        return base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashed(script)}'; "
        f"style-src 'sha256-{hashed(style)}'; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(
        r"""\b(src|href)\s*=|\son\w+\s*=\s*["']|@import|url\(http""",
        text.replace(script, ""),
    )
    assert "sourceMappingURL" not in script


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '" onload="alert(1)',
    "&lt;b&gt;",
    "<img src=x onerror=alert(1)>",
    "]]>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_the_spec_stays_text(tmp_path: Path, text: str) -> None:
    spec = {
        "name": "Net",
        "description": text,
        "inputs": {"x": "float[B, 8]"},
        "layers": {"fc": {"op": "linear", "out_features": 4, "description": text}},
    }
    found = page(compiled(tmp_path, json.dumps(spec) + f"\n# {text}"))
    assert found.count("<script") == 2
    assert found.count("</script") == 2
    assert "<!--" not in found
    assert "alert(1)>" not in found
    shown = data(found)
    assert shown["lines"][0] == text
    assert shown["scopes"][0]["boxes"][1]["text"] == text


def test_what_a_reader_would_not_see_is_written_out() -> None:
    text = Source("net.yaml", "a\x1b[2J\u202eb\r\n\u2028<!--\n")
    (file,) = TextPlaces("net.yaml", {"net.yaml": text}).files()
    assert file == {"name": "net.yaml", "text": "a\\x1b[2J\\u202eb\n\\u2028<!--\n"}


def test_a_page_does_not_say_where_it_was_made(tmp_path: Path) -> None:
    net = "name: Net\ninputs: {x: 'float[B, 8]'}\nlayers: {act: relu}\n"
    text = page(compiled(tmp_path, net))
    assert str(tmp_path) not in text
    assert data(text)["files"] == [{"name": "net.yaml", "text": net}]


def test_several_networks_are_in_one_page() -> None:
    found = data(page(lg.compile("gan")))
    assert [one["name"] for one in found["networks"]] == ["generator", "discriminator"]
    assert len({one["scope"] for one in found["networks"]}) == 2


def test_a_network_or_a_block_alone() -> None:
    gan = data(page(lg.compile("gan"), network="discriminator"))
    assert [one["name"] for one in gan["networks"]] == ["discriminator"]
    block = data(page(lg.compile("gpt2"), block="MLP"))
    assert block["scopes"][0]["name"] == "MLP"


def test_options_say_what_is_open_at_first() -> None:
    assert data(page(lg.compile("gpt2"), depth=0))["open"] == [[0]]
    found = data(page(lg.compile("gpt2"), depth=0, expand=["h"]))["open"]
    assert found == [[0], [0, "h"]]


def test_links_lead_to_the_file() -> None:
    prefix = "https://example.org/blob/main/"
    found = data(page(lg.compile("specs/gpt2.yaml"), links=prefix))
    assert found["files"][0]["link"] == prefix + "specs/gpt2.yaml"
    with pytest.raises(RequestError, match="javascript"):
        page(lg.compile("gpt2"), links="javascript:alert(1)//")


def test_a_page_has_no_width_of_its_own() -> None:
    with pytest.raises(RequestError, match="window"):
        page(lg.compile("cnn"), width="174mm")


def test_errors_are_shown_with_their_places(tmp_path: Path) -> None:
    program = compiled(
        tmp_path,
        "name: Net\ninputs: {x: 'float[B, 8]', y: 'float[B, 9]'}\n"
        "layers:\n  sum: {op: add, in: [x, y]}\n",
    )
    found = data(page(program))
    (problem,) = found["problems"]
    assert problem["code"] == "shape-mismatch"
    assert problem["at"] == [0, 4, 4]
    (box,) = [box for box in found["scopes"][0]["boxes"] if box["name"] == "sum"]
    assert box["error"]
    assert any("e" in edge[3] for edge in found["scopes"][0]["edges"])


def test_imported_blocks_lead_to_their_files() -> None:
    found = data(page(lg.compile("albert")))
    files = [one["name"] for one in found["files"]]
    assert files[0] == "albert.yaml"
    assert len(files) > 1
    used = {box["at"][0] for one in found["scopes"] for box in one["boxes"]}
    assert used == set(range(len(files)))


@pytest.mark.parametrize("repeat", [10, 1000])
def test_copies_cost_nothing(tmp_path: Path, repeat: int) -> None:
    text = f"""
name: Net
inputs: {{x: 'float[B, 8]'}}
layers:
  a: {{op: Outer, repeat: {repeat}}}
  b: {{op: Outer}}
blocks:
  Outer:
    inputs: {{x: 'float[B, D]'}}
    layers: {{c: {{op: Inner, repeat: {repeat}}}, d: Inner, e: Inner}}
  Inner:
    inputs: {{x: 'float[B, D]'}}
    layers: {{f: relu, g: {{op: linear, out_features: D}}}}
"""
    found = data(page(compiled(tmp_path, text)))
    assert len(found["scopes"]) <= 6


def test_a_tower_of_blocks_is_as_high_as_it_is_written(tmp_path: Path) -> None:
    """Two uses of each block in the next: a million million paths."""
    text = "name: Net\ninputs: {x: 'float[B, 8]'}\nlayers: {a: {op: B0, p: 1}, b: {op: B0, p: 2}}\nblocks:\n"
    for n in range(40):
        text += f"""
  B{n}:
    params: {{p: int}}
    inputs: {{x: 'float[B, D]'}}
    layers: {{a: {{op: B{n + 1}, p: p, repeat: 2}}, b: {{op: B{n + 1}, p: 3 - p}}}}
"""
    text += "  B40: {params: {p: int}, inputs: {x: 'float[B, D]'}, layers: [{op: dropout, p: 1 / p}]}\n"
    found = data(page(compiled(tmp_path, text)))
    assert len(found["scopes"]) == 1 + 2 * 41


def test_all_layers_of_a_long_scope_are_in_the_page(tmp_path: Path) -> None:
    layers = "".join(f"  l{n}: relu\n" for n in range(1000))
    found = data(
        page(
            compiled(
                tmp_path, f"name: Net\ninputs: {{x: 'float[B, 8]'}}\nlayers:\n{layers}"
            )
        )
    )
    (scope,) = found["scopes"]
    assert len(scope["boxes"]) == 1002
    assert len(scope["edges"]) == 1001
    assert scope["ends"] == 16


def test_many_inputs_are_one_box(tmp_path: Path) -> None:
    inputs = ", ".join(f"x{n}: 'float[B]'" for n in range(200))
    names_of_all = ", ".join(f"x{n}" for n in range(200))
    text = (
        f"name: Net\ninputs: {{{inputs}}}\n"
        f"layers: {{all: {{op: Sum, in: [{names_of_all}]}}}}\n"
        f"blocks: {{Sum: {{inputs: {{{inputs}}}, layers: {{a: relu}}}}}}\n"
    )
    found = data(page(compiled(tmp_path, text)))
    network = found["scopes"][0]
    assert "… 168 more inputs" in names(network)
    assert len(set(names(network))) == len(names(network))


def test_arrows_to_outputs_leave_by_their_own_ports(tmp_path: Path) -> None:
    text = """
name: Net
inputs: {x: 'float[B, 8]'}
layers: {two: Two}
outputs: {first: two.a, second: two.b}
blocks:
  Two:
    inputs: {x: 'float[B, D]'}
    layers: {a: relu, b: tanh}
    outputs: {a: a, b: b}
"""
    network = data(page(compiled(tmp_path, text)))["scopes"][0]
    assert [edge[4] for edge in network["edges"]] == [
        [["", "x"]],
        [["a", ""]],
        [["b", ""]],
    ]


def test_changes_have_no_page() -> None:
    drawn = lg.compile("cnn").diagram()
    with pytest.raises(DiagramError, match="no HTML page"):
        _ = Diagram(drawn.name, drawn.drawing).html


def test_every_shipped_network_has_a_page() -> None:
    for file in sorted(Path("specs").glob("*.yaml"))[::7]:
        found = data(page(lg.compile(file)))
        for scope in found["scopes"]:
            count = len(scope["boxes"])
            assert all(edge[0] < count and edge[1] < count for edge in scope["edges"])
            for box in scope["boxes"]:
                assert box.get("opens", 0) < len(found["scopes"])
