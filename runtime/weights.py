"""Load published weights: convert the tensors of a file to those of a network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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
from compiler.checkpoint.part import Part, part
from compiler.checkpoint.plan import origins, plans
from compiler.diagnostics.diagnostic import DataError, RequestError
from compiler.ir.tensors import own_tensors
from runtime.load import build_networks

Tensors: TypeAlias = Mapping[str, Tensor]


def apply(assembly: Assembly, tensors: Tensors) -> Tensor:
    """Make one tensor from published ones; the result is a view of them if possible.

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
    """Convert published tensors to the state dict of a network.

    Dtypes stay the same. Tied tensors have all their names. Tensors that the spec's checkpoint
    leaves as they are initialised are omitted.

    Args:
        program: the compiled spec.
        tensors: the published tensors by name.
        network: name of the network, if the spec has several.
        names: whose names the tensors have, `published` or `own`, if both fit.

    Raises:
        SpecError: if the tensors do not fit, or some are unused.
        RequestError: if the spec has no such network, or both names fit.
        DataError: if tied tensors differ.
    """
    _require_one(program, network)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    match = fit(program.typed, shapes, network, names)
    _check_match(program, match, Path("the tensors"))
    _check_tied(program, match, tensors, Path("the tensors"))
    return _assemble(program, match, tensors)[network]


def load_networks(
    program: Program, weights: str | Path | None, network: str = "", names: str = ""
) -> dict[str, nn.Module]:
    """The networks of a program as live modules in evaluation mode, by name.

    Args:
        program: the compiled spec.
        weights: a file with published names or those of the spec; None: weights are
            initialised as the spec says.
        network: the only network to load, of several.
        names: whose names the file has, `published` or `own`, if both fit.

    Raises:
        SpecError: if the weights do not fit.
        RequestError: if the file does not exist, both names fit, or it lacks a network.
        DataError: if the file cannot be read.
    """
    _require_known(program, network)
    networks = build_networks(program)
    if network:
        networks = {network: networks[network]}
    if weights is not None:
        states = read_states(program, Path(weights), network, names)
        for name, module in networks.items():
            if name not in states:
                message = f"the checkpoint of {program.name} has no weights of {name}"
                raise RequestError(f"{message}: choose a network")
            module.load_state_dict(states[name], strict=False)
    for module in networks.values():
        module.eval()
    return networks


def read_states(
    program: Program, file: Path, network: str = "", names: str = ""
) -> dict[str, dict[str, Tensor]]:
    """The state dict of each network that a file has weights of, by network.

    Args:
        program: the compiled spec.
        file: a .safetensors, .npz or index file.
        network: the only network to read, of several.
        names: whose names the file has, `published` or `own`, if both fit.

    Raises:
        SpecError: if the tensors do not fit, or some are unused.
        RequestError: if the file does not exist, or both names fit.
        DataError: if the file cannot be read, or tensors differ that the spec ties.
    """
    match, header = fit_file(program.typed, file, network, names)
    _check_match(program, match, file)
    return _read_match(program, match, header, file)


def read_part(
    program: Program, file: Path, names: str = "", expected: Collection[str] = ()
) -> tuple[dict[str, dict[str, Tensor]], Part]:
    """The state dict of each network as far as a file has its weights, and what is initialised.

    Args:
        program, file, names: as in `read_states`.
        expected: names of tensors that are initialised in any case.

    Raises:
        SpecError: if a tensor is lacking that a loaded one depends on.
        RequestError, DataError: as `read_states`; also if the file has no weights of the networks.
    """
    match, header = fit_file(program.typed, file, "", names)
    found = part(program.typed, match, file, expected)
    return _read_match(program, found.match, header, file), found


def _read_match(
    program: Program, match: TensorMatch, header: Mapping[str, Stored], file: Path
) -> dict[str, dict[str, Tensor]]:
    tied = (assembly for group in match.tied.values() for _, assembly in group)
    needed = {
        name
        for assembly in (*match.assemblies.values(), *tied)
        for name in sources(assembly)
    }
    tensors = _read({name: header[name] for name in header if name in needed})
    _check_tied(program, match, tensors, file)
    return _assemble(program, match, tensors)


def states_bytes(states: Mapping[str, Tensors], program: Program) -> bytes:
    """State dicts by network as a safetensors file.

    Tied tensors are stored once. Of several networks, names start with the network's.
    """
    tied = _tied_tensors(program)
    tensors = {
        f"{network}.{name}" if network else name: tensor
        for network, state in states.items()
        for name, tensor in state.items()
        if name not in tied[network]
    }
    return save(_unshared(tensors), metadata={"format": "pt", MARK: program.name})


def _unshared(tensors: Tensors) -> dict[str, Tensor]:
    """The tensors, contiguous and without shared memory, as safetensors requires."""
    unshared: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        whole = tensor.untyped_storage().nbytes() == tensor.nbytes
        if not whole or not tensor.is_contiguous() or tensor.data_ptr() in seen:
            tensor = tensor.clone(memory_format=torch.contiguous_format)
        seen.add(tensor.data_ptr())
        unshared[name] = tensor
    return unshared


class WeightTranslator:
    """Converts whatever has the published names of weights: weights, gradients, statistics.

    A call converts tensors by published name to tensors by the spec's names. Tensors whose
    sources are missing are omitted.

    Args:
        program: the compiled spec.
        network: name of the network, if the spec has several.
    """

    def __init__(self, program: Program, network: str = "") -> None:
        _require_one(program, network)
        self.plans = plans(program.typed)
        (plan,) = [plan for plan in self.plans if plan.network == network]
        self.groups = list(origins(plan.entries).values())
        self.initialised = frozenset(
            entry.tensor.name
            for group in self.groups
            if not any(entry.assemblies for entry in group)
            for entry in group
        )
        """The tensors that the checkpoint leaves as they are initialised."""

    def left_over(self, names: Iterable[str]) -> list[str]:
        """The published tensors that are neither used nor ignored."""
        return left_over(self.plans, names)

    def __call__(self, tensors: Tensors) -> dict[str, Tensor]:
        converted: dict[str, Tensor] = {}
        for group in self.groups:
            assemblies = [assembly for entry in group for assembly in entry.assemblies]
            complete = [
                assembly
                for assembly in assemblies
                if all(name in tensors for name in sources(assembly))
            ]
            if complete:
                tensor = apply(complete[0], tensors)
                converted |= {entry.tensor.name: tensor for entry in group}
        return converted


def _require_known(program: Program, network: str) -> None:
    known = program.typed.networks
    if network and network not in known:
        message = f"{program.name} has no network {network}"
        raise RequestError(f"{message}: its networks are {', '.join(known)}")


def _require_one(program: Program, network: str) -> None:
    _require_known(program, network)
    if network not in program.typed.networks:
        names = ", ".join(program.typed.networks)
        raise RequestError(f"{program.name} has several networks: {names}")


def _check_match(program: Program, match: TensorMatch, file: Path) -> None:
    if not match.fits:
        raise SpecError(problems(match, program.typed, file))


def _check_tied(
    program: Program, match: TensorMatch, tensors: Tensors, file: Path
) -> None:
    """Check that tensors which the spec ties have the same values, where a file has several of them."""
    for (network, name), others in match.tied.items():
        first = apply(match.assemblies[network, name], tensors)
        for other, assembly in others:
            if not _equal(first, apply(assembly, tensors)):
                where = f"{program.name}.{network}" if network else program.name
                message = f"{where} ties {other} to {name}, but they differ in {file}"
                raise DataError(message)


def _equal(one: Tensor, other: Tensor) -> bool:
    """Whether tensors have the same dtype and values; NaN equals NaN."""
    if one.dtype != other.dtype or not one.is_floating_point():
        return one.dtype == other.dtype and torch.equal(one, other)
    return torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)


def _assemble(
    program: Program, match: TensorMatch, tensors: Tensors
) -> dict[str, dict[str, Tensor]]:
    """The state dict of each network."""
    states: dict[str, dict[str, Tensor]] = {}
    for (network, name), assembly in match.assemblies.items():
        states.setdefault(network, {})[name] = apply(assembly, tensors)
    for network, tied in _tied_tensors(program).items():
        state = states.get(network, {})
        state |= {
            name: state[origin] for name, origin in tied.items() if origin in state
        }
    return states


def _tied_tensors(program: Program) -> dict[str, dict[str, str]]:
    """By network, the tied tensors and the names of those that they are tied to."""
    return {
        name: {
            tensor.name: tensor.origin
            for tensor in own_tensors(instance)
            if tensor.origin
        }
        for name, instance in program.typed.networks.items()
    }


def _read(stored: Mapping[str, Stored]) -> dict[str, Tensor]:
    """Read tensors by name, each file once."""
    files: dict[Path, list[str]] = {}
    for name, entry in stored.items():
        files.setdefault(entry.file, []).append(name)
    tensors: dict[str, Tensor] = {}
    for file, names in files.items():
        read = _read_npz if file.suffix == ".npz" else _read_safetensors
        try:
            tensors |= read(file, names)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise DataError(f"{file} cannot be read: {error}") from None
    return tensors


def _read_safetensors(file: Path, names: Iterable[str]) -> dict[str, Tensor]:
    with safe_open(file, framework="pt") as opened:
        return {name: opened.get_tensor(name) for name in names}


def _read_npz(file: Path, names: Iterable[str]) -> dict[str, Tensor]:
    import numpy

    with numpy.load(file, allow_pickle=False) as opened:
        return {name: torch.from_numpy(opened[name]) for name in names}
