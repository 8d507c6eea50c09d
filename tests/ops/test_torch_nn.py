"""Every layer class of torch.nn has an op, and every argument of it has its place."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from torch import nn
from torch.nn.modules import loss

from compiler.op.op import Op, arguments
from compiler.op.op_docs import reference
from compiler.op.registry import ops

NO_LAYERS = {
    "Module": "the base of all",
    "DataParallel": "distributes a network over devices",
    "RNNBase": "the base of RNN, LSTM and GRU",
    "RNNCellBase": "the base of their cells",
    "Container": "holds layers: `layers` of a block",
    "Sequential": "holds layers: a list of them",
    "ModuleList": "holds layers: `repeat`",
    "ModuleDict": "holds layers: a group",
    "ParameterList": "holds parameters: the op parameter",
    "ParameterDict": "holds parameters: the op parameter",
}
"""Classes of torch.nn that are no layers, and why."""

LEFT_OUT = {
    "device": "the user moves the module",
    "dtype": "the user converts the module",
    "inplace": "the code overwrites what nothing else needs",
    "batch_first": "the batch comes first throughout the language",
    "_weight": "weights are loaded, not written",
    "_freeze": "what is trained is the task's to say",
    "_random_samples": "torch's own tests use it",
}
"""Arguments that no op has, and why."""

ELSEWHERE = {
    "batch_norm": {"num_features": "inferred"},
    "sync_batch_norm": {
        "num_features": "inferred",
        "process_group": "an object; the default is all processes",
    },
    "instance_norm": {"num_features": "inferred"},
    "group_norm": {"num_channels": "inferred"},
    "layer_norm": {"normalized_shape": "inferred, for normalized_dims dimensions"},
    "rms_norm": {"normalized_shape": "inferred, for normalized_dims dimensions"},
    "conv": {"in_channels": "inferred"},
    "conv_transpose": {
        "in_channels": "inferred",
        "padding_mode": "torch takes zeros alone",
    },
    "linear": {"in_features": "inferred"},
    "bilinear": {"in1_features": "inferred", "in2_features": "inferred"},
    "adaptive_log_softmax_with_loss": {"in_features": "inferred"},
    "gru": {"input_size": "inferred", "proj_size": "torch's LSTM alone takes it"},
    "lstm": {"input_size": "inferred"},
    "rnn": {"input_size": "inferred", "proj_size": "torch's LSTM alone takes it"},
    "gru_cell": {"input_size": "inferred"},
    "lstm_cell": {"input_size": "inferred"},
    "rnn_cell": {"input_size": "inferred"},
    "multihead_attention": dict.fromkeys(("embed_dim", "kdim", "vdim"), "inferred"),
    "transformer": {
        "d_model": "inferred",
        "custom_encoder": "a module: other encoders are blocks",
        "custom_decoder": "a module: other decoders are blocks",
    },
    "transformer_encoder_layer": {"d_model": "inferred"},
    "transformer_decoder_layer": {"d_model": "inferred"},
    "transformer_encoder": {
        "encoder_layer": "made from the arguments of a layer",
        "enable_nested_tensor": "false: they look at the numbers of a mask",
        "mask_check": "is about nested tensors",
    },
    "transformer_decoder": {"decoder_layer": "made from the arguments of a layer"},
    "prelu": {"init": "the layer's `init`"},
    "hardtanh": dict.fromkeys(("min_value", "max_value"), "min_val, max_val of old"),
    "unflatten": {"unflattened_size": "`sizes`, as torch.unflatten calls it"},
    "position_embedding": dict.fromkeys(
        ("padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse"),
        "every position is there, each as often as the others",
    ),
}
"""Arguments of classes that stand elsewhere, by op (without its `1d`), and where."""


def layer_classes() -> dict[str, type[nn.Module]]:
    """The layer classes of torch.nn by name: no bases, containers, losses or Lazy ones."""
    found = {
        name: kind
        for place in (nn, nn.modules)
        for name, kind in vars(place).items()
        if inspect.isclass(kind) and issubclass(kind, nn.Module)
    }
    return {k: v for k, v in found.items() if _is_layer(k, v)}


def _is_layer(name: str, kind: type[nn.Module]) -> bool:
    is_loss = kind.__module__ == loss.__name__ and name.endswith(("Loss", "Loss2d"))
    return not (name in NO_LAYERS or name.startswith("Lazy") or is_loss)


def without_op(classes: Iterable[str], known: Iterable[type[Op]]) -> set[str]:
    """The classes that no op stands for."""
    covered = {op.torch for op in known}
    return {name for name in classes if f"torch.nn.{name}" not in covered}


def test_every_layer_class_has_an_op() -> None:
    classes = layer_classes()
    assert len(classes) > 110
    assert without_op(classes, ops().values()) == set()


def test_a_class_without_an_op_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    class Novelty(nn.Module):
        """What torch may have tomorrow."""

    monkeypatch.setattr(nn, "Novelty", Novelty, raising=False)
    assert without_op(layer_classes(), ops().values()) == {"Novelty"}


@pytest.mark.parametrize("name", NO_LAYERS)
def test_what_is_left_out_is_there(name: str) -> None:
    assert hasattr(nn, name) or hasattr(nn.modules, name)


def _resolved(path: str) -> Any:
    """The object of a dotted path; what is no module is an attribute."""
    parts = path.split(".")
    found: Any = importlib.import_module(parts[0])
    for place, part in enumerate(parts[1:], 2):
        if not hasattr(found, part):
            importlib.import_module(".".join(parts[:place]))
        found = getattr(found, part)
    return found


def test_every_op_stands_for_something_there_is() -> None:
    for name, op in ops().items():
        if op.torch:
            assert callable(_resolved(op.torch)), name


def constructor(kind: type[nn.Module]) -> Iterator[str]:
    """The names of a class's arguments; where they are starred, its base's as well."""
    for base in kind.__mro__:
        if base is nn.Module:
            return
        if "__init__" in vars(base):
            given = inspect.signature(vars(base)["__init__"]).parameters
            starred = [
                p for p in given.values() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
            ]
            yield from (k for k, p in given.items() if p not in starred and k != "self")
            if not starred:
                return


def _cases() -> Iterator[tuple[str, type[nn.Module]]]:
    classes = {f"torch.nn.{name}": kind for name, kind in layer_classes().items()}
    for name, op in ops().items():
        if op.torch in classes:
            yield name, classes[op.torch]


def missing(op: type[Op], kind: type[nn.Module], told: Mapping[str, str]) -> set[str]:
    """The arguments of a class that the op has no place for."""
    base = {"mode"} if issubclass(kind, nn.RNNBase) else set()
    found = set(constructor(kind)) - base
    return found - set(arguments(op)) - set(LEFT_OUT) - set(told)


@pytest.mark.parametrize(("name", "kind"), [*_cases()])
def test_every_argument_has_its_place(name: str, kind: type[nn.Module]) -> None:
    op = ops()[name]
    plain = name[:-2] if name.endswith(("1d", "2d", "3d")) else name
    told = ELSEWHERE.get(name, ELSEWHERE.get(plain, {}))
    assert missing(op, kind, told) == set()
    assert set(told) <= set(constructor(kind)), "torch has some of these no more"
    assert not set(told) & set(arguments(op)), "the op has some of these"


def test_an_argument_without_a_place_is_reported() -> None:
    class Wider(nn.Linear):
        """What torch's class may take tomorrow."""

        def __init__(self, in_features: int, out_features: int, novelty: int) -> None:
            super().__init__(in_features, out_features)

    told = ELSEWHERE["linear"]
    assert missing(ops()["linear"], Wider, told) == {"novelty"}


def test_the_list_of_ops_has_every_op() -> None:
    listed = json.loads(json.dumps([one.as_json() for one in reference()]))
    assert [one["name"] for one in listed] == list(ops())
    for one in listed:
        op = ops()[one["name"]]
        assert one["torch"] == op.torch
        assert [item["name"] for item in one["arguments"]] == list(arguments(op))
        assert [port["name"] for port in one["inputs"]] == [p.name for p in op.inputs]
