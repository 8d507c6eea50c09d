"""Published weights: from the tensors of a file to those of a network, and to a live module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from compiler import Program, SpecError
from compiler.checkpoint.assembly import (
    Assembly,
    Chunked,
    Joined,
    Reshaped,
    Sliced,
    Taken,
    Transposed,
    sources,
)
from compiler.checkpoint.headers import MARK, Stored
from compiler.checkpoint.match import TensorMatch, fit, fit_file, left_over
from compiler.checkpoint.mismatches import problems
from compiler.checkpoint.plan import origins, plans
from compiler.checkpoint.tensors import own_tensors
from compiler.diagnostics.diagnostic import DataError, RequestError
from runtime.load import build_networks

Tensors: TypeAlias = Mapping[str, Tensor]


def apply(assembly: Assembly, tensors: Tensors) -> Tensor:
    """Make one tensor of published ones: a view of them where that is possible.

    >>> apply(Chunked(Taken("qkv"), 1, 3, 0), {"qkv": torch.arange(6)})
    tensor([2, 3])
    """
    match assembly:
        case Taken(name):
            return tensors[name]
        case Joined(how, parts, dim):
            join = torch.cat if how == "concat" else torch.stack
            return join([apply(part, tensors) for part in parts], dim)
        case Chunked(of, index, count, dim):
            whole = apply(of, tensors)
            length = whole.shape[dim] // count
            return whole.narrow(dim, index * length, length)
        case Sliced(of, start, stop, dim):
            return apply(of, tensors).narrow(dim, start, stop - start)
        case Transposed(of, first, second):
            return apply(of, tensors).transpose(first, second)
        case Reshaped(of, shape):
            return apply(of, tensors).reshape(shape)


def convert(
    program: Program, tensors: Tensors, network: str = "", names: str = ""
) -> dict[str, Tensor]:
    """The state of a network from published tensors, dtypes kept; tied tensors under all their names.

    Tensors that the checkpoint leaves as they begin are not in it.

    Args:
        network: its name, where the spec has several.
        names: whose names they are, `published` or `own`, where both would fit.

    Raises:
        SpecError: where the tensors do not fit, or some are left over.
        RequestError: where the spec has no such network, or they fit in two ways.
    """
    _require_one(program, network)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    found = fit(program.typed, shapes, network, names)
    held = _fitting(program, found, Path("the tensors"))
    return _made(program, held, tensors)[network]


def load_networks(
    program: Program, weights: str | Path | None, network: str = "", names: str = ""
) -> dict[str, nn.Module]:
    """The networks of a program as live modules in evaluation mode, by name; or one of them.

    Args:
        weights: a file with the published names, or those of the spec; without it, weights are
            initialised as the spec says.
        network: the only network that is wanted, of a spec with several.
        names: whose names the file has, `published` or `own`, where both would fit.

    Raises:
        SpecError: where the weights do not fit.
        RequestError: where the file cannot be read, fits in two ways, or lacks a network.
    """
    _require_known(program, network)
    networks = build_networks(program)
    if network:
        networks = {network: networks[network]}
    if weights is not None:
        states = read_states(program, Path(weights), network, names)
        for name, module in networks.items():
            if name not in states:
                message = f"the checkpoint of {program.name} says nothing of {name}"
                raise RequestError(f"{message}: name the network that is wanted")
            module.load_state_dict(states[name], strict=False)
    for module in networks.values():
        module.eval()
    return networks


def read_states(
    program: Program, file: Path, network: str = "", names: str = ""
) -> dict[str, dict[str, Tensor]]:
    """The state of each network that a file of weights holds, or of one of them.

    Raises:
        SpecError: where the tensors do not fit, or some are left over.
        RequestError: where the file cannot be read, or fits in two ways.
    """
    found, header = fit_file(program.typed, file, network, names)
    held = _fitting(program, found, file)
    needed = {
        name for assembly in held.assemblies.values() for name in sources(assembly)
    }
    tensors = _read({name: header[name] for name in header if name in needed})
    return _made(program, held, tensors)


def states_bytes(states: Mapping[str, Tensors], program: Program) -> bytes:
    """States as safetensors, tied tensors once; of several networks with the network's name before each."""
    tied = _ties(program)
    made = {
        f"{network}.{name}" if network else name: tensor
        for network, state in states.items()
        for name, tensor in state.items()
        if name not in tied[network]
    }
    return save(_apart(made), metadata={"format": "pt", MARK: program.name})


def _apart(tensors: Tensors) -> dict[str, Tensor]:
    """The same tensors, each with memory of its own, as safetensors wants them."""
    found: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        whole = tensor.untyped_storage().nbytes() == tensor.nbytes
        if not whole or not tensor.is_contiguous() or tensor.data_ptr() in seen:
            tensor = tensor.clone(memory_format=torch.contiguous_format)
        seen.add(tensor.data_ptr())
        found[name] = tensor
    return found


class WeightTranslator:
    """From tensors by published names to the same by ours; those that are not given are left out.

    It translates whatever goes by the names of the weights: weights, gradients, statistics.
    """

    def __init__(self, program: Program, network: str = "") -> None:
        _require_one(program, network)
        self.plans = plans(program.typed)
        (plan,) = [one for one in self.plans if one.network == network]
        self.groups = list(origins(plan.entries).values())
        self.left_out = frozenset(
            entry.tensor.name
            for group in self.groups
            if not any(one.assemblies for one in group)
            for entry in group
        )
        """The tensors that the checkpoint leaves as they begin."""

    def left_over(self, names: Iterable[str]) -> list[str]:
        """The published tensors that nothing needs, and that are not ignored either."""
        return left_over(self.plans, names)

    def __call__(self, tensors: Tensors) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for group in self.groups:
            assemblies = [assembly for one in group for assembly in one.assemblies]
            whole = [m for m in assemblies if all(n in tensors for n in sources(m))]
            if whole:
                made = apply(whole[0], tensors)
                found |= {entry.tensor.name: made for entry in group}
        return found


def _require_known(program: Program, network: str) -> None:
    known = program.typed.networks
    if network and network not in known:
        message = f"there is no network {network} in {program.name}"
        raise RequestError(f"{message}: there are {', '.join(known)}")


def _require_one(program: Program, network: str) -> None:
    _require_known(program, network)
    if network not in program.typed.networks:
        names = ", ".join(program.typed.networks)
        raise RequestError(f"{program.name} has several networks: {names}")


def _fitting(program: Program, held: TensorMatch, file: Path) -> TensorMatch:
    if not held.fits:
        raise SpecError(problems(held, program.typed, file))
    return held


def _made(
    program: Program, held: TensorMatch, tensors: Tensors
) -> dict[str, dict[str, Tensor]]:
    states: dict[str, dict[str, Tensor]] = {}
    for (network, name), assembly in held.assemblies.items():
        states.setdefault(network, {})[name] = apply(assembly, tensors)
    for network, ties in _ties(program).items():
        state = states.get(network, {})
        state |= {
            name: state[origin] for name, origin in ties.items() if origin in state
        }
    return states


def _ties(program: Program) -> dict[str, dict[str, str]]:
    """Of each network the tensors that are tied, with those that they are tied to."""
    return {
        name: {one.name: one.origin for one in own_tensors(instance) if one.origin}
        for name, instance in program.typed.networks.items()
    }


def _read(wanted: Mapping[str, Stored]) -> dict[str, Tensor]:
    files: dict[Path, list[str]] = {}
    for name, stored in wanted.items():
        files.setdefault(stored.file, []).append(name)
    found: dict[str, Tensor] = {}
    for file, names in files.items():
        read = _read_npz if file.suffix == ".npz" else _read_safetensors
        try:
            found |= read(file, names)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise DataError(f"{file} cannot be read: {error}") from None
    return found


def _read_safetensors(file: Path, names: Iterable[str]) -> dict[str, Tensor]:
    with safe_open(file, framework="pt") as opened:
        return {name: opened.get_tensor(name) for name in names}


def _read_npz(file: Path, names: Iterable[str]) -> dict[str, Tensor]:
    import numpy

    with numpy.load(file, allow_pickle=False) as opened:
        return {name: torch.from_numpy(opened[name]) for name in names}
