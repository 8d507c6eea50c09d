"""LayerGraph compiles neural-network architectures from YAML to PyTorch, diagrams and summaries.

>>> import layergraph as lg
>>> program = lg.compile("gpt2", depth=2)
>>> "class GPT2(nn.Module):" in program.python
True
>>> program.diagram(depth=1)  # a notebook shows it
<Diagram of GPT2>
>>> model = lg.load(program)  # a torch module
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layergraph.own_packages import import_own

import_own("compiler")
import_own("runtime")

if TYPE_CHECKING:
    from torch import nn

    from compiler.diagnostics.diagnostic import (
        DataError,
        DiagramError,
        RequestError,
        SpecError,
    )
    from compiler.diagnostics.extras import MissingExtraError
    from compiler.diagnostics.limits import UNLIMITED, Limits
    from compiler.program import Program
    from runtime.open_run import LoadedRun

__version__ = "0.1.0"
__all__ = [
    "UNLIMITED",
    "DataError",
    "DiagramError",
    "Limits",
    "MissingExtraError",
    "Program",
    "RequestError",
    "SpecError",
    "compile",
    "load",
    "load_plugin",
    "open_run",
]

_HOMES = {
    "DataError": "compiler.diagnostics.diagnostic",
    "DiagramError": "compiler.diagnostics.diagnostic",
    "Limits": "compiler.diagnostics.limits",
    "MissingExtraError": "compiler.diagnostics.extras",
    "Program": "compiler.program",
    "RequestError": "compiler.diagnostics.diagnostic",
    "SpecError": "compiler.diagnostics.diagnostic",
    "UNLIMITED": "compiler.diagnostics.limits",
}


def __getattr__(name: str) -> Any:
    """Import a class when it is asked for, so that a command imports only what it needs."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def compile(
    spec: str | Path,
    /,
    *,
    variant: str = "",
    params: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
    strict: bool = True,
    **values: Any,
) -> Program:
    """Compile a spec.

    Args:
        spec: the YAML file, or the name of a spec that comes with LayerGraph, such as `gpt2`.
        variant: the name of a set of params in the spec.
        params: values of params, for those with the name of an argument of this function.
        limits: how much the spec may ask for, by default `lg.Limits()`; `lg.UNLIMITED` for specs you trust.
        strict: raise if shapes are wrong. Otherwise the program has the errors (`check`), and draws them.
        values: values of params.

    Raises:
        SpecError: with all errors of the stage that found some.
        OSError: if there is no such file.

    >>> program = compile("gpt2", variant="medium", dropout=0.0)
    >>> program.summary.networks[""].size.parameters
    354823168
    >>> program.diagram(depth=1)
    <Diagram of GPT2>
    >>> program.check()  # no warnings
    ()
    """
    from compiler.diagnostics.limits import Limits
    from compiler.pipeline import compile_spec
    from layergraph.spec_file import spec_file

    return compile_spec(
        spec_file(spec),
        variant=variant,
        settings={**(params or {}), **values},
        limits=limits or Limits(),
        strict=strict,
    )


def load(
    spec: str | Path | Program,
    /,
    *,
    weights: str | Path | None = None,
    network: str = "",
    names: str = "",
    variant: str = "",
    params: Mapping[str, Any] | None = None,
    **values: Any,
) -> nn.Module | dict[str, nn.Module]:
    """A spec's networks as live torch modules, in evaluation mode.

    Args:
        spec: as in `compile`, or a program that was compiled, which leaves nothing to choose of variant and params.
        weights: a .safetensors file, its index (.json) or an .npz, with the published names or those of the spec;
            without it, weights are initialised as the spec says.
        network: the only network that is wanted, of a spec with several.
        names: whose names the file has, `published` or `own`, if both would fit.
        variant, params, values: as in `compile`.

    Returns:
        The module; for a spec with several networks a mapping from name to module, unless one
        of them is asked for. They compute in torch's default dtype.

    Raises:
        SpecError: if the spec is wrong, or the weights do not fit it.
        RequestError: if the file fits in two ways, or lacks a network.
        DataError: if the file is damaged.
        MissingExtraError: without torch (`pip install 'layergraph[torch]'`).

    >>> model = load("cnn")
    >>> sum(parameter.numel() for parameter in model.parameters())
    61706
    """
    from compiler.diagnostics.diagnostic import RequestError
    from compiler.diagnostics.extras import needs_extra
    from compiler.program import Program

    if not isinstance(spec, Program):
        spec = compile(spec, variant=variant, params={**(params or {}), **values})
    elif variant or params or values:
        raise RequestError("a program has its variant and params: compile another")
    with needs_extra("torch"):
        from runtime.weights import load_networks
    networks = load_networks(spec, weights, network, names)
    return networks.get(network, networks)


def open_run(run: str | Path, /, *, weights: str = "best") -> LoadedRun:
    """A run of `layergraph train`, its networks live.

    Args:
        run: the run folder.
        weights: `best`, `last`, or a .safetensors file.

    Raises:
        RequestError: if the folder is no run, or there are no such weights.
        DataError: if the run is damaged, or the weights do not fit its networks.
        MissingExtraError: without the packages for training (`pip install 'layergraph[train]'`).

    >>> run = open_run("runs/cnn_digits")  # doctest: +SKIP
    >>> run.evaluate()  # doctest: +SKIP
    {'loss': 0.0489, 'accuracy': 0.986}
    """
    from compiler.diagnostics.extras import needs_extra

    with needs_extra("train"):
        from runtime.open_run import open_run as opened
    return opened(Path(run), weights)


def load_plugin(file: str | Path, /) -> None:
    """Run a Python file with ops, tasks, data sets, losses or metrics of one's own, which specs can use from then on.

    Raises:
        RequestError: if it cannot be run, or a declaration is incomplete or has a name that is taken.

    >>> load_plugin("my_plugin.py")  # doctest: +SKIP
    """
    from compiler.tasks.plugins import load_plugin as loaded

    loaded(Path(file))
