"""The pages of the ops, one for each family: every op with an example, what is generated for it, and its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from bench.site.links import with_site_links
from compiler.op.op_docs import reference
from compiler.reporting.op_examples import compiled, example_text
from compiler.reporting.ops_page import HEAD, op_entry
from compiler.reporting.own_ops_text import OWN_OPS


@dataclass(frozen=True)
class OpPages:
    """Pages by their paths, and the specs of their examples."""

    pages: Mapping[str, str]
    specs: Mapping[str, str]


def op_pages(folder: str) -> OpPages:
    """All pages.

    Args:
        folder: where the specs will be, for a page: `/build/site-specs`.
    """
    found = sorted(reference(), key=lambda one: (one.family, one.name))
    pages, specs, rows = {}, {}, []
    for family, group in groupby(found, key=lambda one: one.family):
        members = list(group)
        title = family.replace("_", " ").capitalize()
        parts = [f"# {title}\n"]
        for one in members:
            entry = op_entry(one).replace("### ", "## ", 1)
            entry = with_site_links(entry, "docs/ops.md", f"ops/{family}.md")
            text = example_text(one.name)
            specs[f"{one.name}.yaml"] = text
            parts.append(f"{entry}\n{_shown(text, f'{folder}/{one.name}.yaml')}")
        pages[f"ops/{family}.md"] = "\n".join(parts)
        links = ", ".join(f"[`{o.name}`]({family}.md#{o.name})" for o in members)
        rows.append(f"| [{title}]({family}.md) | {links} |")
    table = "\n".join(["| family | ops |", "|---|---|", *rows])
    head, own = (
        with_site_links(text, "docs/ops.md", "ops/index.md") for text in (HEAD, OWN_OPS)
    )
    pages["ops/index.md"] = f"{head}\n{table}\n\n{own}"
    return OpPages(pages, specs)


def _shown(text: str, spec: str) -> str:
    program = compiled(text)
    assert program is not None
    code = program.python
    code = code[code.index("\nclass Example(") + 1 :].rstrip()
    # The search ends what it leaves out at the next end of an element of this name.
    return f"""<section class="lg-example" data-search-exclude markdown>
<div markdown>

```yaml
{text.rstrip()}
```

```layergraph
spec: {spec}
direction: LR
align: left
```

</div>
<div markdown>

```python
{code}
```

</div>
</section>
"""
