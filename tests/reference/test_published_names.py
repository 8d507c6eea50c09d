"""Files of published models: older names, and names without or behind a leading part, become the same weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models.densenet import DenseNet
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    BloomConfig,
    BloomForCausalLM,
    DeiTConfig,
    DeiTForImageClassificationWithTeacher,
    Dinov2Config,
    Dinov2ForImageClassification,
    GPT2Config,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)
from transformers.core_model_loading import revert_weight_conversion

from compiler import Program, SpecError
from compiler.checkpoint.match import TensorMatch, fit
from compiler.diagnostics.diagnostic import RequestError
from layergraph import load
from runtime.weights import convert
from tests.programs import compiled
from tests.reference.equality import randomize
from tests.reference.language_models import CASES
from tests.reference.test_vision import SAME, SMALL

State = dict[str, Tensor]
Settings = dict[str, Any]

SWIN: Settings = {
    "image_size": 32,
    "patch_size": 2,
    "embed_dim": 6,
    "depths": [2, 1, 1, 1],
    "num_heads": [1, 2, 2, 3],
    "window_size": 2,
    "num_labels": 11,
}
SAME_SWIN: Settings = {
    "classes": 11,
    "size": 32,
    "patch": 2,
    "width": 6,
    "depths": (2, 1, 1, 1),
    "heads": (1, 2, 2, 3),
    "window": 2,
}
DINOV2: Settings = {key: SMALL[key] for key in SMALL.keys() - {"intermediate_size"}}
BERT: Settings = {
    "vocab_size": 61,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 16,
}
SAME_BERT: Settings = {"vocab": 61, "context": 16, "width": 24, "depth": 2, "heads": 3}
BART: Settings = {
    "vocab_size": 61,
    "d_model": 24,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 40,
    "decoder_ffn_dim": 40,
    "max_position_embeddings": 16,
}
SAME_BART: Settings = {**SAME_BERT, "depth": 1, "hidden": 40}
MAMBA: Settings = {
    "vocab_size": 61,
    "hidden_size": 24,
    "num_hidden_layers": 1,
    "state_size": 4,
}
SAME_MAMBA: Settings = {"vocab": 61, "width": 24, "depth": 1, "states": 4}


@dataclass(frozen=True)
class Case:
    """A spec, a class whose files have other names than its state has, and a small size of both."""

    spec: str
    model: Any
    config: Any
    ours: Settings
    theirs: Settings

    def __str__(self) -> str:
        return self.spec


def _language_model(spec: str) -> Case:
    (case,) = [one for one in CASES if one.spec == spec]
    theirs = {**case.always, **case.theirs}
    return Case(spec, case.model, case.config, case.ours, theirs)


RENAMED = [
    Case("vit", ViTForImageClassification, ViTConfig, SAME, SMALL),
    Case("deit", DeiTForImageClassificationWithTeacher, DeiTConfig, SAME, SMALL),
    Case("swin_t", SwinForImageClassification, SwinConfig, SAME_SWIN, SWIN),
    Case(
        "dinov2",
        Dinov2ForImageClassification,
        Dinov2Config,
        {**SAME, "hidden": 48},
        {**DINOV2, "mlp_ratio": 2},
    ),
    _language_model("mixtral"),
    _language_model("gpt_neox"),
]


@pytest.mark.parametrize("case", RENAMED, ids=str)
def test_older_names(case: Case, tmp_path: Path) -> None:
    """What transformers makes of a file of older names, and what we make of it, are the same."""
    theirs = _random(case.model(case.config(**case.theirs)))
    old = revert_weight_conversion(theirs, theirs.state_dict())
    new = theirs.state_dict()
    assert old.keys() - new.keys() and new.keys() - old.keys()
    _check_theirs(theirs, old, tmp_path)
    program = _program(case)
    _check_same(convert(program, old), convert(program, new))
    loaded = load(program, weights=tmp_path / "model.safetensors")
    assert isinstance(loaded, nn.Module)
    _check_same(loaded.state_dict(), convert(program, new))


@pytest.mark.parametrize("case", RENAMED, ids=str)
def test_what_an_older_file_lacks_is_told_by_both_names(case: Case) -> None:
    theirs = case.model(case.config(**case.theirs))
    old = revert_weight_conversion(theirs, theirs.state_dict())
    name = min(old.keys() - theirs.state_dict().keys())
    del old[name]
    with pytest.raises(SpecError) as caught:
        convert(_program(case), old)
    assert name in str(caught.value)
    assert "unknown-tensor" not in str(caught.value)


def test_what_older_files_hold_besides() -> None:
    index = "swin.encoder.layers.1.blocks.0.attention.self.relative_position_index"
    for case, more in ((RENAMED[0], "vit.pooler.dense.weight"), (RENAMED[2], index)):
        theirs = case.model(case.config(**case.theirs))
        old = revert_weight_conversion(theirs, theirs.state_dict())
        held = _held(_program(case), old | {more: torch.ones(1)})
        assert held.fits
        assert held.ignored == [more]


def test_densenet_as_its_files_have_it() -> None:
    theirs = _random(DenseNet(4, (2, 1, 2, 2), 8, num_classes=7))
    new = theirs.state_dict()
    pattern = r"(.*denselayer\d+\.(?:norm|conv))([12]\..*)"
    old = {re.sub(pattern, r"\1.\2", name): tensor for name, tensor in new.items()}
    assert old.keys() != new.keys()
    sizes = {"growth": 4, "depths": (2, 1, 2, 2), "widths": (8, 8, 6, 7), "classes": 7}
    program = compiled("densenet121", settings=sizes)
    _check_same(convert(program, old), convert(program, new))


def test_mamba_as_older_files_have_it() -> None:
    new = _random(MambaForCausalLM(MambaConfig(**MAMBA))).state_dict()
    old = {name.replace("embeddings", "embedding"): new[name] for name in new}
    assert old.keys() != new.keys()
    program = compiled("mamba_130m", settings=SAME_MAMBA)
    _check_same(convert(program, old), convert(program, new))


BASES = [
    _language_model("gpt2"),
    _language_model("bloom"),
    Case("bart_base", BartForConditionalGeneration, BartConfig, SAME_BART, BART),
    _language_model("opt"),
    _language_model("gemma2"),
]


@pytest.mark.parametrize("case", BASES, ids=str)
def test_files_of_the_base_model(case: Case, tmp_path: Path) -> None:
    """They lack the leading part of the names, and the head, which is tied; a buffer beside both has its name."""
    theirs = _random(case.model(case.config(**case.theirs)))
    theirs.tie_weights()
    base = theirs.base_model.state_dict()
    assert not base.keys() & theirs.state_dict().keys()
    base |= dict(theirs.named_buffers(recurse=False))
    _check_theirs(theirs, base, tmp_path)
    program = _program(case)
    wanted = convert(program, theirs.state_dict())
    _check_same(convert(program, base, names="published"), wanted)
    held = _held(program, base, "published")
    assert held.reading.description == f"names without {theirs.base_model_prefix}."


def test_bart_without_its_bias(tmp_path: Path) -> None:
    """Files of the base model lack it, and transformers begins with zeros as we do."""
    theirs = _random(BASES[2].model(BartConfig(**BASES[2].theirs)))
    theirs.final_logits_bias.zero_()
    theirs.tie_weights()
    base = theirs.base_model.state_dict()
    _check_theirs(theirs, base, tmp_path)
    program = _program(BASES[2])
    file = tmp_path / "model.safetensors"
    loaded = load(program, weights=file)
    assert isinstance(loaded, nn.Module)
    _check_same(loaded.state_dict(), convert(program, theirs.state_dict()))
    assert _held(program, base).initialised == [("", "final_logits_bias")]


def test_gpt2_with_the_masks_of_its_official_file() -> None:
    theirs = _random(BASES[0].model(GPT2Config(**BASES[0].theirs)))
    base = theirs.transformer.state_dict() | {"h.0.attn.bias": torch.ones(1)}
    held = _held(_program(BASES[0]), base)
    assert held.fits
    assert held.ignored == ["h.0.attn.bias"]
    del base["h.1.ln_1.weight"]
    with pytest.raises(SpecError, match=r"the tensors has no h\.1\.ln_1\.weight"):
        convert(_program(BASES[0]), base)


def test_what_fits_in_two_ways_is_not_guessed() -> None:
    """Bloom's base model has the names of our layers, with the heads in another order."""
    theirs = _random(BloomForCausalLM(BloomConfig(**BASES[1].theirs)))
    base, program = theirs.transformer.state_dict(), _program(BASES[1])
    with pytest.raises(RequestError, match="the file fits in two ways"):
        convert(program, base)
    wanted = convert(program, theirs.state_dict())
    own = convert(program, wanted, names="own")
    _check_same(own, wanted)
    mixed = convert(program, base, names="own")
    name = "h.0.self_attention.query_key_value.weight"
    assert not mixed[name].equal(wanted[name])


def _as_tensorflow(state: State) -> State:
    ends = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    return {
        re.sub(r"LayerNorm\.\w+$", lambda found: ends[found[0]], name): tensor
        for name, tensor in state.items()
    }


@pytest.mark.parametrize("change", [dict, _as_tensorflow])
def test_bert_with_heads(change: Callable[[State], State], tmp_path: Path) -> None:
    theirs = _random(BertForMaskedLM(BertConfig(**BERT)))
    pooler = {
        "bert.pooler.dense.weight": torch.randn(24, 24),
        "bert.pooler.dense.bias": torch.randn(24),
    }
    file = change(theirs.state_dict()) | pooler
    file["bert.embeddings.position_ids"] = torch.arange(16)[None]
    program = compiled("bert", settings={**SAME_BERT, "hidden": 40})
    held = _held(program, file)
    assert held.fits
    assert held.reading.description == "names with bert."
    assert "cls.predictions.bias" in held.ignored
    alone = theirs.bert.state_dict() | {
        name.removeprefix("bert."): tensor for name, tensor in pooler.items()
    }
    _check_same(convert(program, file), convert(program, alone))


def _random(model: Any) -> Any:
    randomize(model)
    return model


def _program(case: Case) -> Program:
    return compiled(case.spec, settings=case.ours)


def _held(program: Program, tensors: State, names: str = "") -> TensorMatch:
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    return fit(program.typed, shapes, names=names)


def _check_theirs(model: PreTrainedModel, file: State, folder: Path) -> None:
    """A file is one from which transformers itself makes the model."""
    apart = {name: tensor.clone() for name, tensor in file.items()}
    save_file(apart, folder / "model.safetensors", metadata={"format": "pt"})
    model.config.save_pretrained(folder)
    again = type(model).from_pretrained(folder)
    _check_same(again.state_dict(), model.state_dict())


def _check_same(found: State, wanted: State) -> None:
    assert found.keys() == wanted.keys()
    for name, tensor in found.items():
        assert tensor.equal(wanted[name]), name
