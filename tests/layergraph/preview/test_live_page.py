"""A page that follows its files: what is shown as they are saved, right or wrong."""

import os
from functools import partial
from pathlib import Path
from typing import Any

from compiler.diagnostics.limits import Limits
from layergraph.overrides import compile_chosen
from layergraph.preview.live_page import LivePage

NET = "name: Net\ninputs: {x: 'float[B, 8]'}\nlayers:\n  a: {op: linear, out_features: 4}\n"


def live(spec: Path, *sets: str) -> LivePage:
    limits = Limits()
    compiled = partial(compile_chosen, spec, "", sets, limits=limits, strict=False)
    return LivePage(spec, compiled, limits)


def save(file: Path, text: str) -> None:
    """Write a file, as an editor does: with another time, whatever the clock's steps are."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(before + 10**9, before + 10**9))


def names(page: LivePage) -> list[str]:
    shown: Any = page.page.shown
    return [box["name"] for scope in shown["scopes"] for box in scope["boxes"]]


def problems(page: LivePage) -> list[tuple[str, Any]]:
    shown: Any = page.page.shown
    return [(one["message"], one.get("at")) for one in shown["problems"]]


def test_follows_the_file(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    save(spec, NET)
    page = live(spec)
    assert (page.version, names(page)) == (1, ["x", "a", "output"])
    assert not page.look()
    save(spec, NET + "  b: relu\n")
    assert page.look()
    assert (page.version, names(page)) == (2, ["x", "a", "b", "output"])
    save(spec, NET + "  b: relu\n")  # saved again, and the same
    assert not page.look()
    assert page.version == 2


def test_a_wrong_text_leaves_the_last_picture(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    save(spec, NET)
    page = live(spec)
    save(spec, NET + "  b: {op: lineer}\n")
    assert page.look()
    assert names(page) == ["x", "a", "output"]
    assert page.page.shown["old"]
    assert problems(page) == [("there is no op lineer", [0, 5, 5])]
    files: Any = page.page.shown["files"]
    assert "lineer" in files[0]["text"]
    save(spec, NET + "  b: relu\n")
    assert page.look()
    assert "old" not in page.page.shown
    assert problems(page) == []


def test_wrong_shapes_are_drawn(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    save(spec, NET + "  b: {op: add, in: [x, a]}\n")
    page = live(spec)
    assert "b" in names(page)
    assert "old" not in page.page.shown
    assert len(problems(page)) == 1


def test_a_text_that_is_wrong_from_the_first(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    save(spec, "name: [")
    page = live(spec)
    assert page.page.shown["networks"] == ()
    assert len(problems(page)) == 1
    save(spec, NET)
    assert page.look()
    assert names(page) == ["x", "a", "output"]


def test_every_text_gives_a_page(tmp_path: Path) -> None:
    """All that is there while a spec is typed, and worse."""
    spec = tmp_path / "net.yaml"
    save(spec, NET)
    page = live(spec)
    for end in range(0, len(NET), 3):
        save(spec, NET[:end])
        page.look()
        assert len(page.page.files) >= 1
    spec.write_bytes(b"\xff\xfe\x00")
    page.look()
    assert problems(page)
    spec.unlink()
    page.look()
    assert "there is no such file" in problems(page)[0][0]
    save(spec, NET)
    assert page.look()
    assert problems(page) == []


def test_follows_what_it_imports(tmp_path: Path) -> None:
    spec, blocks = tmp_path / "net.yaml", tmp_path / "blocks.yaml"
    inside = "name: Blocks\nblocks:\n  Two:\n    inputs: {x: 'float[B, D]'}\n    layers: {f: relu, g: tanh}\n"
    save(
        spec,
        "name: Net\nimport: {Two: blocks.yaml}\ninputs: {x: 'float[B, 8]'}\n"
        "layers: {a: Two}\n",
    )
    page = live(spec)  # the file is not there yet
    assert problems(page)
    save(blocks, inside)
    assert any(page.look() for _ in range(8))
    assert "g" in names(page)
    save(blocks, inside.replace("tanh", "gelu"))
    assert page.look()
    assert page.place(0) == spec
    assert page.place(1) == blocks
    assert page.place(2) is None
    assert page.place(-1) is None
    save(blocks, "name: Blocks\nblocks: {")
    assert page.look()
    (problem,) = problems(page)
    assert problem[1][0] == 1


def test_a_param_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    text = NET.replace("inputs", "params: {width: 4}\ninputs")
    save(spec, text)
    page = live(spec, "width=8")
    save(spec, NET)
    assert page.look()
    assert "width" in problems(page)[0][0]
    assert page.page.shown["old"]


def test_who_waits_is_told(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    save(spec, NET)
    page = live(spec)
    assert page.wait(0, 5) == 1
    assert page.wait(1, 0.01) == 1
    page.end()
    assert page.wait(1, 5) is None
