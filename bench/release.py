"""Build the wheel of the last commit into dist/, and try it in a clean environment: `make release`.

Without torch everything that compiles must work, in a folder whose packages have the names of
LayerGraph's; what needs torch must say which extra has it. Then the extras are installed, and a
network is verified, drawn as PDF, trained and exported.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"


def main() -> None:
    """Build and try; the first command that does not end as it should ends this, too."""
    with tempfile.TemporaryDirectory(prefix="layergraph-release-") as made:
        folder = Path(made)
        wheel = build_wheel(folder / "source")
        clean = Environment(folder / "environment")
        clean.install(str(wheel))
        print(f"light installation: {clean.megabytes():.0f} MB")
        try_light(clean, user_folder(folder / "user"))
        clean.install("torch")  # first and alone, as in the Makefile
        clean.install(f"{wheel}[export,pdf,train]")
        print(f"whole installation: {clean.megabytes():,.0f} MB")
        try_whole(clean, folder / "user")
    print(f"{wheel.relative_to(ROOT)} is good")


def build_wheel(source: Path) -> Path:
    """The wheel of what is committed: a build beside old ones would pack what they left."""
    if run("git", "status", "--porcelain", cwd=ROOT):
        sys.exit("commit first: the wheel is built of the last commit")
    source.mkdir()
    run("git", "archive", "--output", str(source / "source.tar"), "HEAD", cwd=ROOT)
    run("tar", "--extract", "--file", "source.tar", cwd=source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    run(*pip, "--wheel-dir", str(ROOT / "dist"), ".", cwd=source)
    wheel = max((ROOT / "dist").glob("*.whl"), key=lambda file: file.stat().st_mtime)
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    return wheel


class Environment:
    """A virtual environment with nothing in it."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.folder, self.bin = folder, folder / "bin"
        self.empty = self.megabytes()

    def install(self, requirement: str) -> None:
        """Install with the versions that LayerGraph is tested with."""
        pip = [str(self.bin / "python"), "-m", "pip", "install", "--quiet"]
        options = ["--no-compile", "--disable-pip-version-check"]
        run(*pip, *options, "--constraint", str(CONSTRAINTS), requirement, cwd=ROOT)

    def megabytes(self) -> float:
        """How much is installed."""
        files = (file for file in self.folder.rglob("*") if file.is_file())
        whole = sum(file.lstat().st_size for file in files) / 1e6
        return whole - getattr(self, "empty", 0.0)


def user_folder(folder: Path) -> Path:
    """A folder with modules of the names of LayerGraph's packages, and a copied spec."""
    (folder / "runtime").mkdir(parents=True)
    (folder / "runtime" / "__init__.py").write_text("raise ValueError('not ours')\n")
    (folder / "compiler.py").write_text("raise ValueError('not ours')\n")
    (folder / "copied.yaml").write_bytes((ROOT / "specs/mamba_130m.yaml").read_bytes())
    return folder


def try_light(clean: Environment, user: Path) -> None:
    """What compiles needs nothing else."""
    command, python = str(clean.bin / "layergraph"), str(clean.bin / "python")
    run(command, "--version", cwd=user)
    run(command, "build", "gpt2", cwd=user, show=True)
    for suffix in ("py", "svg", "dot", "json"):
        assert (user / f"build/gpt2/gpt2.{suffix}").stat().st_size > 1000
    run(python, "-m", "layergraph", "check", "gpt2", "copied.yaml", cwd=user)
    run(command, "summary", "copied.yaml", cwd=user)
    run(command, "diagram", "unet", "-o", "unet.png", cwd=user)
    run(python, "-c", "import layergraph as lg; lg.compile('gpt2').python", cwd=user)
    for arguments, extra in (
        (["verify", "cnn"], "torch"),
        (["train", "cnn"], "train"),
        (["export", "cnn", "-o", "cnn.onnx"], "torch"),
        (["diagram", "cnn", "-o", "cnn.pdf"], "pdf"),
    ):
        message = run(command, *arguments, cwd=user, code=2)
        assert f"pip install 'layergraph[{extra}]'" in message, message


def try_whole(clean: Environment, user: Path) -> None:
    """With the extras, networks are verified, drawn as PDF, trained and exported."""
    command, python = str(clean.bin / "layergraph"), str(clean.bin / "python")
    run(command, "verify", "cnn", cwd=user)
    run(command, "diagram", "cnn", "-o", "cnn.pdf", cwd=user)
    options = ["--set", "task.epochs=1", "--accelerator", "cpu"]
    run(command, "train", "cnn_digits", *options, cwd=user, show=True)
    run(command, "evaluate", "runs/cnn_digits", cwd=user, show=True)
    run(command, "export", "runs/cnn_digits", "-o", "cnn.onnx", cwd=user, show=True)
    code = (
        "import layergraph as lg; print(lg.load('cnn'), lg.open_run('runs/cnn_digits'))"
    )
    run(python, "-c", code, cwd=user)


def run(*command: str, cwd: Path, code: int = 0, show: bool = False) -> str:
    """Run a command that must end with `code`; what it printed."""
    start = time.perf_counter()
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith("PYTHON")
    }
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True)
    printed = done.stdout + done.stderr
    if done.returncode != code:
        sys.exit(f"{_line(command)} ended with {done.returncode}:\n{printed}")
    if show:
        print(f"{_line(command)}  {time.perf_counter() - start:.1f} s\n{done.stdout}")
    return printed


def _line(command: Sequence[str]) -> str:
    return " ".join((Path(command[0]).name, *command[1:]))


if __name__ == "__main__":
    main()
