"""Tokens generated from a state are those of transformers' `generate`: greedy and by beams, padded texts too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    MambaConfig,
    MambaForCausalLM,
    PegasusConfig,
    RwkvConfig,
    RwkvForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
    WhisperForConditionalGeneration,
)
from transformers.generation.utils import GenerationMixin

from runtime.decode import Sampling, Stepper, beam_search, sample
from tests.reference.equality import generated, randomize, translation
from tests.reference.language_models import CASES, Case
from tests.reference.test_multimodal import WHISPER, whisper_config
from tests.reference.test_seq2seq import (
    BART,
    PEGASUS,
    SAME_BART,
    SAME_PEGASUS,
    SAME_T5,
    T5,
    pegasus,
)
from tests.reference.test_state_space import RWKV, SAME_RWKV

NEW, EOS, PAD = 9, 5, 0
BEAMS = (1, 3)
MAMBA: dict[str, Any] = {"vocab": 61, "width": 20, "depth": 2, "states": 4}
SAME_MAMBA: dict[str, Any] = {
    "vocab_size": 61,
    "hidden_size": 20,
    "num_hidden_layers": 2,
    "state_size": 4,
}
PADDED = [case for case in CASES if "left" in case.padding]
Step = Callable[[Tensor, Any], Tensor]


@pytest.mark.parametrize("beams", BEAMS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.spec)
def test_language_models(case: Case, beams: int) -> None:
    """Beyond the window, too: Mistral's is 4 here."""
    theirs = _eager(case.model, case.config(**case.always | case.theirs))
    ours = _with_weights(case.spec, case.ours, theirs)
    prompt = torch.randint(6, 61, (3, 6))
    state = ours.init_state(max_length=prompt.shape[1] + NEW)
    found = _decoded(Stepper(_logits(ours), state), prompt, beams)
    _check(theirs, found, prompt, beams)


@pytest.mark.parametrize("beams", BEAMS)
@pytest.mark.parametrize("case", PADDED, ids=lambda case: case.spec)
def test_padded_language_models(case: Case, beams: int) -> None:
    """Texts of unequal length, padded on the left."""
    theirs = _eager(case.model, case.config(**case.always | case.theirs))
    ours = _with_weights(case.spec, case.ours, theirs)
    prompt, mask = _padded_prompt()
    state = ours.init_state(max_length=prompt.shape[1] + NEW)
    step = _masked(ours, mask.repeat_interleave(beams, 0))
    found = _decoded(Stepper(step, state), prompt, beams)
    _check(theirs, found, prompt, beams, attention_mask=mask.long())


@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
def test_mamba(padded: bool) -> None:
    theirs = _eager(MambaForCausalLM, MambaConfig(**SAME_MAMBA))
    ours = _with_weights("mamba_130m", MAMBA, theirs)
    prompt, mask = _padded_prompt()
    mask = mask if padded else torch.ones_like(mask)
    found = _decoded(Stepper(_masked(ours, mask), ours.init_state()), prompt, 1)
    _check(theirs, found, prompt, 1, attention_mask=mask.long())


def test_rwkv() -> None:
    """Theirs without its state, which mixes the texts of a batch."""
    theirs = _eager(RwkvForCausalLM, RwkvConfig(**SAME_RWKV))
    ours = _with_weights("rwkv4", RWKV, theirs)
    prompt = torch.randint(6, 61, (3, 6))
    found = _decoded(Stepper(_logits(ours), ours.init_state()), prompt, 1)
    _check(theirs, found, prompt, 1, use_cache=False)


@pytest.mark.parametrize("beams", BEAMS)
@pytest.mark.parametrize("spec", ["t5_small", "bart_base", "pegasus"])
def test_encoder_decoders(spec: str, beams: int) -> None:
    """From sources of unequal length."""
    if spec == "t5_small":
        theirs = _eager(T5ForConditionalGeneration, T5Config(**T5))
        ours = _with_weights(spec, SAME_T5, theirs)
    elif spec == "pegasus":
        theirs = _eager(pegasus, PegasusConfig(**PEGASUS))
        ours = _with_weights(spec, SAME_PEGASUS, theirs)
    else:
        theirs = _eager(BartForConditionalGeneration, BartConfig(**BART))
        ours = _with_weights(spec, SAME_BART, theirs)
    source = torch.randint(6, 61, (3, 7))
    mask = torch.arange(7) < torch.tensor([[7], [4], [2]])
    several, several_mask = (x.repeat_interleave(beams, 0) for x in (source, mask))
    state = ours.init_state(several, several_mask, max_length=1 + NEW)

    def step(tokens: Tensor, state: Any) -> Tensor:
        return _first(
            ours.step(tokens, torch.ones_like(tokens, dtype=torch.bool), state)
        )

    start = torch.zeros(3, 1, dtype=torch.long)
    found = _decoded(Stepper(step, state), start, beams)
    options = {"attention_mask": mask.long(), "decoder_start_token_id": 0}
    wanted = _wanted(theirs, source, beams, **options)[:, 1:]
    _check_equal(found, wanted)


@pytest.mark.parametrize("beams", BEAMS)
def test_whisper(beams: int) -> None:
    """The decoder, by the `generate` that other models have; Whisper's own cuts up long sounds."""
    theirs = _eager(WhisperForConditionalGeneration, whisper_config())
    ours = _with_weights("whisper_tiny", WHISPER, theirs)
    sound, start = torch.randn(3, 5, 20), torch.ones(3, 1, dtype=torch.long)
    with torch.no_grad():
        several = sound.repeat_interleave(beams, 0)
        state = ours.init_state(several, max_length=1 + NEW)
    found = _decoded(Stepper(_logits(ours), state), start, beams)
    generate = partial(GenerationMixin.generate, theirs)
    options = {"attention_mask": None, "decoder_start_token_id": 1}
    wanted = _wanted(SimpleNamespace(generate=generate), sound, beams, **options)
    _check_equal(found, wanted[:, 1:])


def _decoded(stepper: Stepper, prompt: Tensor, beams: int) -> Tensor:
    with torch.no_grad():
        if beams == 1:
            return sample(stepper, prompt, Sampling(NEW, 0.0), EOS, PAD)
        return beam_search(stepper, prompt, beams, NEW, EOS, pad=PAD)


def _check(
    theirs: Any, found: Tensor, prompt: Tensor, beams: int, **options: Any
) -> None:
    wanted = _wanted(theirs, prompt, beams, **options)
    _check_equal(found, wanted[:, prompt.shape[1] :])


def _wanted(theirs: Any, given: Tensor, beams: int, **options: Any) -> Tensor:
    made: Tensor = theirs.generate(
        given,
        max_new_tokens=NEW,
        num_beams=beams,
        do_sample=False,
        eos_token_id=EOS,
        pad_token_id=PAD,
        forced_eos_token_id=None,
        **options,
    )
    return made


def _check_equal(found: Tensor, wanted: Tensor) -> None:
    """Up to the end of each text; some references fill up with EOS, not with PAD."""
    found, wanted = (
        F.pad(x, (0, NEW - x.shape[1]), value=PAD) for x in (found, wanted)
    )
    ended = ((wanted == EOS).cumsum(1) - (wanted == EOS).long()) > 0
    found, wanted = (x.masked_fill(ended, PAD) for x in (found, wanted))
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)


def _eager(kind: Any, config: Any) -> Any:
    """The reference with random weights, by which no two tokens are nearly as probable."""
    config._attn_implementation = "eager"
    config._experts_implementation = "eager"
    model = kind(config).eval()
    randomize(model)
    model.generation_config.forced_eos_token_id = None
    model.config.output_router_logits = False  # whose loss does not take a cache
    return model


def _with_weights(spec: str, settings: dict[str, Any], theirs: nn.Module) -> Any:
    from transformers.core_model_loading import revert_weight_conversion

    ours = generated(spec)(**settings).eval()
    state = revert_weight_conversion(theirs, dict(theirs.state_dict()))
    files = next((case.files for case in CASES if case.spec == spec), {})
    named = {files.get(name, name): tensor for name, tensor in state.items()}
    ours.load_state_dict(translation(spec, **settings)(named))
    return ours


def _padded_prompt() -> tuple[Tensor, Tensor]:
    prompt = torch.randint(6, 61, (3, 6))
    mask = torch.arange(6) >= torch.tensor([[0], [3], [5]])
    return prompt.masked_fill(~mask, PAD), mask


def _masked(network: Any, mask: Tensor) -> Step:
    """Steps of which the first has the mask of the prompts."""

    def step(tokens: Tensor, state: Any) -> Tensor:
        given = {} if state.position else {"mask": mask}
        return _first(network.step(tokens, state, **given))

    return step


def _logits(network: Any) -> Step:
    return lambda tokens, state: _first(network.step(tokens, state))


def _first(found: Tensor | tuple[Tensor, ...]) -> Tensor:
    return found[0] if isinstance(found, tuple) else found
