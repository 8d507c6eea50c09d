"""The language server through the protocol, by a client that others wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from compiler.diagnostics.limits import Limits
from compiler.diagnostics.source import Source
from compiler.fmt.format_spec import format_spec
from layergraph.overrides import diagnose
from tests.lsp.editor import Editor, changed, marked, written

GPT2 = Path("specs/gpt2.yaml")
TEXT = GPT2.read_text(encoding="utf-8")
NET = """\
name: Net
params: {width: 8, norm: {type: op, default: layer_norm}}
dims: {T: {max: 16}}
inputs:
  x: float[B, T, 4]
layers:
  lstm: {op: lstm, hidden_size: width}
  last: {op: linear, out_features: 2 * width, in: lstm.output}
  normed: {op: $norm}
  block: {op: Part, size: width, in: {a: normed, b: last}}
  many: {op: linear, out_features: 8, repeat: 3}
blocks:
  Part:
    description: A sum.
    params: {size: int}
    inputs: {a: 'float[..., E]', b: 'float[..., E]'}
    layers:
      sum: {op: add, in: [a, b]}
      act: {op: gelu, approximate: tanh}
      out: {op: linear, out_features: size}
    outputs: {result: out}
"""


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    editor = Editor()
    yield editor
    assert editor.close() == 0


def net(editor: Editor, folder: Path, text: str) -> tuple[str, lsp.Position]:
    """A file with a text that has a place."""
    plain, place = marked(text)
    return editor.open(folder / "net.yaml", plain), place


def at(name: str, old: str, new: str) -> str:
    assert name.count(old) == 1, old
    return name.replace(old, new)


def labels(editor: Editor, folder: Path, old: str, new: str) -> list[str]:
    uri, place = net(editor, folder, at(NET, old, new))
    return editor.labels(uri, place)


def test_positions_are_in_the_units_of_the_editor(tmp_path: Path) -> None:
    text = NET.replace("    description: A sum.\n", "")
    text = at(text, "many: {op: linear", "many: {description: '😀é', op: liner")
    before = text.splitlines()[10].partition("liner")[0]
    for encoding, size in (("utf-16", 2), ("utf-8", 1), ("utf-32", 4)):
        editor = Editor(encodings=[lsp.PositionEncodingKind(encoding)])
        assert editor.capabilities.position_encoding == encoding
        form = encoding if size == 1 else f"{encoding}-le"
        column = len(before.encode(form)) // size
        uri = editor.open(tmp_path / "units.yaml", text)
        [found] = editor.diagnostics(uri)
        assert found.code == "unknown-op"
        assert found.range.start == lsp.Position(10, column), encoding
        assert found.range.end.character - found.range.start.character == 5
        editor.type(uri, text.replace("liner", "linear"))
        place = lsp.Position(10, column + 9)
        assert "at least 1; required" in editor.hover(uri, place)
        assert editor.close() == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("op: add, in: [wte", "op: ad, in: [wte"),
        ("repeat: depth", "repeat: dept"),
        ("vocab, bias: false", "vocab, bias: maybe"),
        ("in: [wte, wpe]", "in: [wte, lm_head]"),
        ("logits: lm_head", "logits: lm_head\n\tx: 1"),
        ("out_features: 3 * D", "out_features: 2 * D"),
        ("heads: 12, d", "heads: 7, d"),
        ("ln_f: layer_norm", "ln_f: layer_norm\n  ln_f: relu\n  waste: {op: gelu}"),
        ("expect:", "expect: ["),
    ],
)
def test_diagnostics_are_those_of_check(
    editor: Editor, tmp_path: Path, old: str, new: str
) -> None:
    text = TEXT.replace(old, new, 1) if old else TEXT
    file = tmp_path / "gpt2.yaml"
    file.write_text(text, encoding="utf-8")
    wanted = diagnose(file, "", (), Limits())
    uri = editor.open(file, "name: Other\nlayers: {}\n")
    editor.type(uri, text)
    found = editor.diagnostics(uri)
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        span = theirs.span
        assert ours.code == theirs.code
        assert (ours.range.start.line, ours.range.start.character) == (
            span.line - 1,
            span.column - 1,
        )
        assert ours.data["message"] == theirs.message
        assert ours.data["help"] == theirs.help
        assert str(ours.message).startswith(theirs.message)
        severity = {1: "error", 2: "warning"}[int(ours.severity or 0)]
        assert severity == theirs.severity


def test_related_places(editor: Editor, tmp_path: Path) -> None:
    text = at(NET, "params: {size: int}", "params: {size: int, size: int}")
    uri = editor.open(tmp_path / "a.yaml", text)
    [found] = editor.diagnostics(uri)
    [related] = found.related_information or []
    assert related.location.uri == uri
    assert related.location.range.start == lsp.Position(14, 13)
    text = at(NET, "in: [a, b]}", "in: [a, b]}\n      wrong: {op: reshape, shape: [7]}")
    uri = editor.open(tmp_path / "b.yaml", text)
    found = editor.diagnostics(uri)[0]
    [related] = found.related_information or []
    assert related.message == "in Net.block"
    assert related.location.range.start == lsp.Position(9, 2)


def test_files_that_are_no_specs_are_left_alone(editor: Editor, tmp_path: Path) -> None:
    compose = "version: '3'\nservices:\n  web: {image: x}\nnetworks:\n  a: {}\n"
    uri = editor.open(tmp_path / "docker-compose.yaml", compose)
    spec = editor.open(tmp_path / "b.yaml", at(NET, "op: add", "op: ad"))
    assert editor.diagnostics(spec)
    assert editor.times(uri) == 0
    assert editor.hints(uri) == {}
    editor.type(uri, f"# a layergraph spec\n{compose}")
    assert editor.diagnostics(uri)
    chosen = Editor(files=["**/*compose.yaml"])
    uri = chosen.open(tmp_path / "docker-compose.yaml", compose)
    assert chosen.diagnostics(uri)
    assert chosen.close() == 0


def test_hints(editor: Editor, tmp_path: Path) -> None:
    uri, _ = net(editor, tmp_path, NET)
    assert editor.hints(uri) == {
        7: "float[B, T, 8], float[1, B, 8], float[1, B, 8]",
        8: "float[B, T, 16]",
        9: "float[B, T, 16]",
        10: "float[B, T, 8]",
        11: "float[B, T, 8]",
        18: "float[B, T, 16]",
        19: "float[B, T, 16]",
        20: "float[B, T, 8]",
    }


def test_lenses(editor: Editor, tmp_path: Path) -> None:
    uri = editor.open(tmp_path / "a.yaml", TEXT)
    params = lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri))
    found = editor.run(editor.client.text_document_code_lens_async(params)) or []
    titles = [one.command.title for one in found if one.command]
    assert titles[0].startswith("124,439,808 parameters = 12 * depth * width")
    assert titles[1:] == [
        "7,087,872 parameters = 12 * D * D + 13 * D",
        "2,362,368 parameters = 4 * D * D + 4 * D",
        "4,722,432 parameters = 8 * D * D + 5 * D",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{op: lstm,", "{op: ls|tm,", "torch.nn.LSTM"),
        ("  last:", "  la|st:", "float[B, T, 16] = float[B, T, 2 * width]"),
        ("  last:", "  la|st:", "parameters: 144 = "),
        ("  last:", "  la|st:", "FLOPs: 256 * B * T"),
        ("2 * width", "2 * wi|dth", "param, default `8`"),
        ("size: width, in", "si|ze: width, in", "here: `8`"),
        ("max: 16", "m|ax: 16", "the greatest size"),
        ("dims: {T:", "dims: {|T:", "dimension"),
        ("lstm.output", "lstm.out|put", "float[B, T, 8]"),
        ("lstm.output", "ls|tm.output", "hidden: float[1, B, 8]"),
        ("  x: float", "  |x: float", "input `float[B, T, 4]`"),
        ("repeat: 3", "re|peat: 3", "the number of copies"),
        ("op: Part", "op: P|art", "A sum."),
        ("approximate: tanh", "appro|ximate: tanh", "none or tanh"),
        ("{result: out}", "{res|ult: out}", "output"),
        ("inputs:\n  x", "inp|uts:\n  x", "the inputs with their types"),
        ("out_features: 8", "out_fe|atures: 16", "an integer of at least 1; required"),
    ],
)
def test_hover(editor: Editor, tmp_path: Path, old: str, new: str, said: str) -> None:
    uri, place = net(editor, tmp_path, at(NET, old, new))
    assert said in editor.hover(uri, place)


@pytest.mark.parametrize(
    ("old", "new", "wanted", "unwanted"),
    [
        ("op: lstm,", "op: l|,", {"lstm", "Part", "$norm"}, {"hidden_size"}),
        ("hidden_size: width", "|", {"hidden_size", "in", "repeat"}, {"op", "layers"}),
        ("hidden_size: width", "hidden_size: |", {"width", "T", "B"}, {"relu"}),
        ("in: lstm.output", "in: |", {"x", "lstm", "normed"}, {"width"}),
        ("in: lstm.output", "in: lstm.|", {"lstm.output", "lstm.hidden"}, {"x"}),
        ("in: lstm.output}", "in: [|", {"x", "lstm"}, {"width"}),
        ("{a: normed, b: last}", "{|}", {"a", "b"}, {"size"}),
        ("size: width, in", "|, in", {"size", "repeat"}, {"in", "init"}),
        ("approximate: tanh", "approximate: |", {"none", "tanh"}, {"width"}),
        ("{result: out}", "{result: |}", {"sum", "act", "a"}, {"lstm"}),
        ("float[B, T, 4]", "|", {"float", "int", "bool"}, {"relu"}),
        ("{type: op, default: layer_norm}", "{type: |}", {"op", "int"}, {"relu"}),
        ("{max: 16}", "{|}", {"min", "max", "multiple_of"}, {"T"}),
        ("dims: {T: {max: 16}}", "|", {"dims", "step", "task"}, {"name"}),
        ("repeat: 3", "repeat: {|}", {"count", "share", "collect"}, {"op"}),
        ("repeat: 3", "init: {weight: |}", {"zeros", "ones"}, {"width"}),
        ("    description: A sum.\n", "    |\n", {"description"}, {"name", "layers"}),
        ("repeat: 3}", "repeat: w|", {"width"}, {"op"}),
        ("size: int}", "size: |}", {"int", "op", "bool"}, {"relu"}),
        ("blocks:\n", "outputs: |\nblocks:\n", {"many", "x"}, {"act"}),
    ],
)
def test_completion(
    editor: Editor,
    tmp_path: Path,
    old: str,
    new: str,
    wanted: set[str],
    unwanted: set[str],
) -> None:
    found = labels(editor, tmp_path, old, new)
    assert wanted <= set(found)
    assert not unwanted & set(found)


def test_a_completion_replaces_what_was_typed(editor: Editor, tmp_path: Path) -> None:
    uri, place = net(editor, tmp_path, at(NET, "in: lstm.output", "in: lstm.ou|"))
    [item] = [i for i in editor.completion(uri, place) if i.label == "lstm.output"]
    text, _ = marked(at(NET, "in: lstm.output", "in: lstm.ou|"))
    assert written(text, [item.text_edit]) == NET


def test_an_op_is_described_when_it_is_looked_at(
    editor: Editor, tmp_path: Path
) -> None:
    uri, place = net(editor, tmp_path, at(NET, "op: lstm,", "op: |,"))
    [item] = [i for i in editor.completion(uri, place) if i.label == "lstm"]
    assert item.documentation is None
    item = editor.run(editor.client.completion_item_resolve_async(item))
    assert "torch.nn.LSTM" in item.documentation.value  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("in: lstm.output", "in: ls|tm.output", 7),
        ("in: lstm.output", "in: lstm.out|put", 7),
        ("b: last}", "b: la|st}", 8),
        ("op: Part", "op: Pa|rt", 13),
        ("2 * width", "2 * wid|th", 2),
        ("$norm", "$no|rm", 2),
        ("size: width, in", "si|ze: width, in", 15),
        ("{a: normed", "{|a: normed", 16),
        ("float[B, T, 4]", "float[B, |T, 4]", 3),
        ("{result: out}", "{result: o|ut}", 20),
        ("in: [a, b]", "in: [a, |b]", 16),
    ],
)
def test_definition(
    editor: Editor, tmp_path: Path, old: str, new: str, line: int
) -> None:
    uri, place = net(editor, tmp_path, at(NET, old, new))
    [found] = editor.definition(uri, place)
    assert (found.uri, found.range.start.line + 1) == (uri, line)


def test_references(editor: Editor, tmp_path: Path) -> None:
    uri, place = net(editor, tmp_path, at(NET, "{width: 8", "{wid|th: 8"))
    lines = [one.range.start.line + 1 for one in editor.references(uri, place)]
    assert lines == [2, 7, 8, 10]
    params = lsp.DocumentHighlightParams(lsp.TextDocumentIdentifier(uri), place)
    found = editor.run(editor.client.text_document_document_highlight_async(params))
    assert [one.kind for one in found or []] == [3, 2, 2, 2]


BLOCKS = """\
name: Parts
blocks:
  Twice:
    inputs: {x: 'float[..., E]'}
    layers:
      first: {op: linear, out_features: 2 * E}
"""
USER = """\
name: User
import: {Twice: parts/blocks.yaml}
inputs: {x: 'float[B, 4]'}
layers:
  twice: {op: Twice}
"""


def test_other_files(editor: Editor, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    parts = tmp_path / "parts" / "blocks.yaml"
    parts.write_text(BLOCKS)
    text, place = marked(at(USER, "{op: Twice}", "{op: Tw|ice}"))
    uri = editor.open(tmp_path / "user.yaml", text)
    [found] = editor.definition(uri, place)
    assert (found.uri, found.range.start) == (parts.as_uri(), lsp.Position(2, 2))
    found = editor.definition(uri, lsp.Position(1, 20))[0]
    assert (found.uri, found.range.start) == (parts.as_uri(), lsp.Position(0, 0))
    assert [
        (Path(one.uri).name, one.range.start.line)
        for one in editor.references(uri, place)
    ] == [("user.yaml", 1), ("user.yaml", 4), ("blocks.yaml", 2)]
    assert editor.hints(uri) == {5: "float[B, 8]"}
    # What is not saved counts, also in the file that is imported.
    other = editor.open(parts, at(BLOCKS, "2 * E", "3 * E"))
    assert editor.hints(uri) == {5: "float[B, 12]"}
    sent = editor.times(uri)
    editor.type(other, at(BLOCKS, "op: linear", "op: liner"))
    [wrong] = editor.next(uri, sent)
    assert (wrong.code, wrong.range.start.line) == ("unknown-op", 1)
    [related] = wrong.related_information or []
    assert related.location.uri == other
    assert editor.hints(uri) == {}
    # A block is renamed in the open files that import it; from there, not.
    editor.type(other, BLOCKS)
    edit = editor.rename(other, lsp.Position(2, 3), "Double")
    made = written(USER, changed(edit, uri))
    assert made == USER.replace("Twice", "Double")
    assert written(BLOCKS, changed(edit, other)) == BLOCKS.replace("Twice", "Double")
    with pytest.raises(JsonRpcException, match="also in blocks"):
        editor.rename(uri, place, "Double")
    # On the disk again, once it is closed.
    sent = editor.times(uri)
    editor.leave(other)
    assert editor.hints(uri) == {5: "float[B, 8]"}
    parts.write_text(at(BLOCKS, "2 * E", "5 * E"))
    assert editor.hints(uri) == {5: "float[B, 20]"}


def test_a_file_that_is_not_there_yet(editor: Editor, tmp_path: Path) -> None:
    uri = editor.open(tmp_path / "user.yaml", USER)
    [found] = editor.diagnostics(uri)
    assert found.code == "import-not-found"
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "blocks.yaml").write_text(BLOCKS)
    assert editor.hints(uri) == {5: "float[B, 8]"}


def test_no_file_outside_is_read(editor: Editor, tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "blocks.yaml").write_text(BLOCKS)
    text = at(USER, "parts/blocks.yaml", "../blocks.yaml")
    uri = editor.open(tmp_path / "inside" / "user.yaml", text)
    [found] = editor.diagnostics(uri)
    assert found.code == "import-outside"
    assert editor.definition(uri, lsp.Position(1, 20)) == []
    uri = editor.open("untitled:Untitled-1", at(USER, "parts/", ""))
    [found] = editor.diagnostics(uri)
    assert found.code == "import-not-found"


def test_symbols(editor: Editor, tmp_path: Path) -> None:
    uri, _ = net(editor, tmp_path, NET)
    params = lsp.DocumentSymbolParams(lsp.TextDocumentIdentifier(uri))
    found = editor.run(editor.client.text_document_document_symbol_async(params)) or []
    tree = {
        one.name: [(inner.name, inner.detail) for inner in one.children or []]  # type: ignore[union-attr]
        for one in found
    }
    assert tree["params"] == [("width", "8"), ("norm", None)]
    assert tree["layers"][0] == ("lstm", "lstm")
    assert tree["blocks"] == [("Part", "A sum.")]
    part = found[-1].children[0]  # type: ignore[union-attr,index]
    names = [one.name for one in part.children or []]
    assert names == ["size", "a", "b", "sum", "act", "out", "result"]
    for one in found:
        assert one.range.start <= one.selection_range.start  # type: ignore[union-attr]
        assert one.selection_range.end <= one.range.end  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        ("  la|st:", "last", "final"),
        ("{op: P|art", "Part", "Other"),
        ("2 * wid|th", "width", "hidden"),
        ("dims: {|T:", "T", "L"),
        ("$no|rm", "norm", "kind"),
        ("si|ze: width, in", "size", "extent"),
        ("in: [|a, b]", "a", "left"),
        ("{res|ult: out}", "result", "total"),
    ],
)
def test_rename(editor: Editor, tmp_path: Path, place: str, old: str, new: str) -> None:
    import re

    uri, position = net(editor, tmp_path, at(NET, place.replace("|", ""), place))
    edit = editor.rename(uri, position, new)
    [change] = edit.document_changes or []
    assert change.text_document.version == editor.versions[uri]  # type: ignore[union-attr]
    made = written(NET, changed(edit, uri))
    skipped = {"norm": "layer_norm", "a": "A sum"}.get(old, "\0")
    kept = NET.replace(skipped, "\0")
    wanted = re.sub(rf"(?<![\w]){old}(?!\w)", new, kept).replace("\0", skipped)
    assert made == wanted
    file = tmp_path / "renamed.yaml"
    file.write_text(made)
    assert not diagnose(file, "", (), Limits())


@pytest.mark.parametrize(
    ("place", "name", "reason"),
    [
        ("  la|st:", "lstm", "something else"),
        ("  la|st:", "forward", "torch.nn.Module has an attribute"),
        ("  la|st:", "Last", "snake_case"),
        ("{op: ls|tm", "gru", "a name of the language"),
        ("lstm.out|put", "y", "a name of the language"),
        ("out_fea|tures: 8", "x", "a name of the language"),
        ("wid|th: 8", "T", "snake_case"),
        ("  |x: float", "last", "already an input"),
        ("# |none\nname: Net", "y", "no name here"),
    ],
)
def test_a_rename_that_is_not_safe_is_refused(
    editor: Editor, tmp_path: Path, place: str, name: str, reason: str
) -> None:
    old = place.replace("|", "").removeprefix("# none\n")
    uri, position = net(editor, tmp_path, at(NET, old, place))
    with pytest.raises(JsonRpcException, match=reason) as refused:
        editor.rename(uri, position, name)
    assert refused.value.code == -32803


def test_a_checkpoint_keeps_its_names(editor: Editor, tmp_path: Path) -> None:
    text, place = marked(at(TEXT, "  lm_head: {", "  lm_he|ad: {"))
    uri = editor.open(tmp_path / "gpt2.yaml", text)
    made = written(TEXT, changed(editor.rename(uri, place, "head"), uri))
    assert "    head.weight: lm_head.weight\n" in made
    assert "  logits: head\n" in made
    text, place = marked(at(TEXT, "  wte: {", "  wt|e: {"))
    with pytest.raises(JsonRpcException, match="published names"):
        editor.rename(uri, place, "tokens_embedded")


def test_a_rename_in_a_broken_file_is_refused(editor: Editor, tmp_path: Path) -> None:
    text = at(NET, "  la|st:".replace("|", ""), "  la|st:")
    uri, place = net(editor, tmp_path, text.replace("op: gelu", "op: gel"))
    params = lsp.PrepareRenameParams(lsp.TextDocumentIdentifier(uri), place)
    with pytest.raises(JsonRpcException, match="has errors"):
        editor.run(editor.client.text_document_prepare_rename_async(params))


@pytest.mark.parametrize(
    ("right", "wrong", "title"),
    [
        ("op: add, in: [a, b]", "op: ad, in: [a, b]", "write add"),
        ("op: gelu", "op: nn.GELU", "write gelu"),
        ("hidden_size: width", "hidden_sise: width", "write hidden_size"),
        ("out_features: 8", "out_features: 8, bias: off", "write false"),
        ("b: last}", "b: lats}", "write last"),
        ("2 * width", "2 * widht", "write width"),
        ("dims:", "dim:", "write dims"),
        ("{op: lstm,", "{op:lstm,", "write `key: value`"),
        ("size: width, in", "sizes: width, in", "write size"),
    ],
)
def test_quick_fixes(
    editor: Editor, tmp_path: Path, right: str, wrong: str, title: str
) -> None:
    text = at(NET, right, wrong)
    uri = editor.open(tmp_path / "net.yaml", text)
    found = editor.diagnostics(uri)[0]
    [action] = editor.actions(uri, found.range)
    assert (action.title, action.kind) == (title, "quickfix")
    assert action.edit is not None
    made = written(text, changed(action.edit, uri))
    editor.type(uri, made)
    assert not editor.diagnostics(uri)


def test_formatting(editor: Editor, tmp_path: Path) -> None:
    text = NET.replace("{op: lstm,", "{ op:  lstm ,")
    uri = editor.open(tmp_path / "net.yaml", text)
    options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
    document = lsp.TextDocumentIdentifier(uri)
    params = lsp.DocumentFormattingParams(document, options)
    edits = editor.run(editor.client.text_document_formatting_async(params)) or []
    assert written(text, [*edits]) == format_spec(Source("net.yaml", text))
    editor.type(uri, NET + "x: [")
    assert editor.run(editor.client.text_document_formatting_async(params)) is None


def test_answers_are_of_the_text_that_was_sent(editor: Editor, tmp_path: Path) -> None:
    uri, _ = net(editor, tmp_path, NET)
    before = editor.hints(uri)
    editor.type(uri, "# above\n" + at(NET, "2 * width", "3 * width"))
    after = editor.hints(uri)
    assert after[9] == "float[B, T, 24]"
    assert set(after) >= {8, 9}
    assert before[8] == "float[B, T, 16]"


def test_half_written_text_is_answered(editor: Editor, tmp_path: Path) -> None:
    half = at(NET, "  normed: {op: $norm}\n", "  normed: {op: $nor\n")
    uri = editor.open(tmp_path / "net.yaml", half)
    assert editor.diagnostics(uri)
    assert editor.hints(uri) == {
        7: "float[B, T, 8], float[1, B, 8], float[1, B, 8]",
        8: "float[B, T, 16]",
    }
    assert "torch.nn.LSTM" in editor.hover(uri, lsp.Position(6, 14))
    assert "lstm" in editor.labels(uri, lsp.Position(6, 14))


def test_while_one_types_no_diagnostics_are_sent(
    editor: Editor, tmp_path: Path
) -> None:
    uri = editor.open(tmp_path / "net.yaml", NET)
    editor.diagnostics(uri)
    before = editor.times(uri)
    for end in range(len(NET) - 60, len(NET)):
        editor.type(uri, NET[:end])
    version = editor.type(uri, at(NET, "op: add", "op: ad"))
    [found] = editor.diagnostics(uri, version)
    assert found.code == "unknown-op"
    assert editor.times(uri) - before < 10


def test_a_recipe(editor: Editor, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        "name: Net\nparams: {hidden: 8}\ninputs: {image: 'float[B, 1, 8, 8]'}\nlayers:\n  flat: flatten\n"
        "  fc: {op: linear, out_features: hidden}\n  out: {op: linear, out_features: 10}\n"
    )
    text = "network: net.yaml\ntask: {kind: classification, data: digits, epochs: 2}\n"
    uri = editor.open(tmp_path / "recipe.yaml", text)
    assert editor.diagnostics(uri) == []
    assert "number of passes" in editor.hover(uri, lsp.Position(1, 46))
    plain, place = marked(text.replace("epochs: 2", "|"))
    editor.type(uri, plain)
    assert {"optimizer", "schedule", "epochs"} <= set(editor.labels(uri, place))
    plain, place = marked(text.replace("classification", "|"))
    editor.type(uri, plain)
    assert {"segmentation", "language_model"} <= set(editor.labels(uri, place))
    [found] = editor.definition(uri, lsp.Position(0, 12))
    assert found.uri == (tmp_path / "net.yaml").as_uri()
