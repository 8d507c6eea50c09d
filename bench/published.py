"""Networks that others wrote, by the names that `checkpoint` gives them: built without memory, and their source."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import textwrap
import warnings
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any

import torch
from torch import nn

from bench.timing import REFERENCE

_TORCH = ("torch.nn", "torch.ao", "builtins")


@cache
def torchvision_ops() -> Any:
    """Make torchvision importable: the compiled part of its wheel needs CUDA, and its Python declares two ops of that.

    They are known for as long as the object lives that this gives, and remembers.
    """
    if str(REFERENCE) not in sys.path:
        sys.path.append(str(REFERENCE))
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    if torch.version.cuda is None:
        given = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        for name in ("nms", "qnms"):
            library.define(f"{name}{given}")
    return library


def build(model: str) -> nn.Module:
    """`transformers.BertModel` or `torchvision.models.vgg16` as it is by default (transformers: on meta)."""
    torchvision_ops()
    kind = _found(model)
    if not hasattr(kind, "config_class"):
        with warnings.catch_warnings(action="ignore"):  # of how weights will start
            small: nn.Module = kind(**_without_weights(kind))
        return small
    with torch.device("meta"):
        built: nn.Module = kind(_default_config(kind))
    return built


def _default_config(kind: Any) -> Any:
    """The configuration by default; with a ResNet of the library's own where another library would have to be there."""
    config = kind.config_class()
    backbone = getattr(config, "backbone_config", None)
    if getattr(backbone, "model_type", "") == "timm_backbone":
        import transformers

        own = transformers.ResNetConfig(out_features=["stage4"])
        return kind.config_class(backbone_config=own)
    return config


def _without_weights(kind: Any) -> dict[str, None]:
    """What keeps a network of torchvision from weights for its backbone, which it would load by default."""
    names = inspect.signature(kind).parameters
    return {name: None for name in ("weights_backbone",) if name in names}


def _found(model: str) -> Any:
    module, _, name = model.rpartition(".")
    return getattr(importlib.import_module(module), name)


def source_lines(model: str) -> int:
    """The lines that define a network: its classes, its builder, what these use of their own files, their imports.

    Tables of published weights are not counted, nor is what many networks share
    (`PreTrainedModel`, activations by name).
    """
    built, found = build(model), _found(model)
    own = {type(module) for module in built.modules()} | {found}
    wanted: dict[str, set[str]] = {}
    for one in own:
        if not one.__module__.startswith(_TORCH):
            wanted.setdefault(one.__module__, set()).add(one.__name__)
    return sum(_lines(sys.modules[name], names) for name, names in wanted.items())


def _lines(module: ModuleType, names: Iterable[str]) -> int:
    source = textwrap.dedent(inspect.getsource(module))
    tree = ast.parse(source)
    defined = {name: node for node in tree.body for name in _defines(node)}
    found: set[str] = set()
    waiting = [name for name in names if name in defined]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _used(defined[name], defined.keys() - found)
    imports = (one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom))
    kept = [*imports, *(defined[name] for name in found)]
    return sum(map(_extent, kept))


def _defines(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [] if node.name.endswith("_Weights") else [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
    return [one.id for one in targets if isinstance(one, ast.Name)]


def _used(node: ast.AST, names: Iterable[str]) -> list[str]:
    known = set(names)
    inside = (one.id for one in ast.walk(node) if isinstance(one, ast.Name))
    return sorted(known.intersection(inside))


def _extent(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    first: int = min([node.lineno, *(one.lineno for one in decorators)])
    return int(node.end_lineno or first) - first + 1
