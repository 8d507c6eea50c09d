"""The site of the documentation: its pages build without a warning, and nothing in them comes from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from bench.site import hooks, op_pages, zoo_pages
from bench.site.check_site import problems
from bench.site.links import with_site_links
from bench.zoo import SPECS, Entry
from compiler.op.op_docs import op_reference
from compiler.op.registry import ops
from tests.programs import compiled


def test_links_out_of_the_documents_lead_to_what_the_site_has() -> None:
    wanted: list[str] = []
    text = """[a](../specs/gpt2.yaml) [b](../tests/golden/gpt2.py) [c](ops.md#add)
[r](ops.md#concat-and-split) [d](../recipes/cnn_mnist.yaml)
[e](https://example.org/x.md) [f](#here) <img src="results/x.png">
```python
[g](../specs/gpt2.yaml)
```
"""
    found = with_site_links(text, "docs/training.md", "training.md", wanted.append)
    assert (
        found
        == """[a](zoo/gpt2.md) [b](zoo/gpt2.md) [c](ops/arithmetic.md#add)
[r](ops/concat_and_split.md) [d](files/recipes/cnn_mnist.yaml)
[e](https://example.org/x.md) [f](#here) <img src="../results/x.png">
```python
[g](../specs/gpt2.yaml)
```
"""
    )
    assert wanted == ["recipes/cnn_mnist.yaml"]


def test_every_architecture_is_in_the_gallery() -> None:
    named = [name for names in zoo_pages.uses().values() for name in names]
    assert sorted(named) == sorted(file.stem for file in SPECS.glob("*.yaml"))


def test_the_site_builds_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All documents, with two architectures and the ops that they link to; `make site` has all."""
    few = {
        name: Entry(SPECS / f"{name}.yaml", compiled(SPECS / f"{name}.yaml"))
        for name in ("cnn", "gpt2")
    }
    texts = [file.read_text(encoding="utf-8") for file in Path("docs").glob("*.md")]
    linked = {"linear", *re.findall(r"ops\.md#(\w+)", "".join(texts))} & set(ops())
    shown = tuple(op_reference(ops()[name]) for name in sorted(linked))
    monkeypatch.setattr(zoo_pages, "_every", lambda: few)
    monkeypatch.setattr(zoo_pages, "uses", lambda: {"examples": list(few)})
    monkeypatch.setattr(op_pages, "reference", lambda: shown)
    monkeypatch.setattr(hooks, "SPECS", str(tmp_path / "specs"))
    config = load_config("mkdocs.yml", site_dir=str(tmp_path / "site"))
    config.plugins["layergraph"].config["cache_dir"] = str(tmp_path / "cache")
    build(config)  # strict: a warning is an error
    assert list(problems(tmp_path / "site")) == []
