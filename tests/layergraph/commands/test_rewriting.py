"""`expand`, `diff` and `fmt`: a spec made plain, beside another, or laid out."""

from pathlib import Path

from tests.layergraph.commands.command import GPT2, Ran, Runner, spec


def test_expand_gives_a_spec(run: Runner, tmp_path: Path) -> None:
    found = run("expand", GPT2, "--variant", "xl")
    assert found.code == 0
    again = spec(tmp_path, found.out)
    assert run("check", again).code == 0
    assert "variants" not in found.out
    assert "width: 1600" in found.out


def test_diff(run: Runner, tmp_path: Path) -> None:
    changed = Path(GPT2).read_text().replace("ln_f: layer_norm", "ln_f: rms_norm")
    changed = changed.replace("  parameters: 124439808\n", "")
    path, picture = spec(tmp_path, changed), tmp_path / "changes.svg"
    found = run("diff", GPT2, path, "-o", picture)
    assert found.code == 0
    assert "GPT2:\n  ~ ln_f\n      op: layer_norm -> rms_norm\n" in found.out
    assert "parameters: 124,439,808 -> 124,439,040 (-768)\n" in found.out
    assert "changed" in picture.read_text()


def test_fmt_names_what_it_changes(run: Runner, tmp_path: Path) -> None:
    path = spec(tmp_path, "name:   Net  # mine\nlayers: {a: relu}\n")
    assert run("fmt", path, GPT2) == Ran(0, f"{path}\n", "")
    assert path.read_text() == "name: Net  # mine\nlayers:\n  a: relu\n"
    assert run("fmt", path) == Ran(0, "", "")


def test_fmt_of_broken_yaml_changes_nothing(run: Runner, tmp_path: Path) -> None:
    good, bad = spec(tmp_path, "name:   A\n"), spec(tmp_path, "a: [1\n", "bad.yaml")
    assert run("fmt", good, bad).code == 1
    assert good.read_text() == "name:   A\n"
