"""Encoder-decoders as transformers has them: the same numbers from the same weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    PegasusConfig,
    PegasusForConditionalGeneration,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

from runtime.load import build_on_meta
from tests.reference.equality import (
    Outputs,
    Run,
    check_equal,
    count,
    generated,
    randomize,
    translation,
)
from tests.reference.exact import exact

BART: dict[str, Any] = {
    "vocab_size": 61,
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 40,
    "decoder_ffn_dim": 40,
    "max_position_embeddings": 16,
    "dropout": 0.0,
}
BART_BASE: dict[str, Any] = {
    "d_model": 768,
    "encoder_layers": 6,
    "decoder_layers": 6,
    "encoder_attention_heads": 12,
    "decoder_attention_heads": 12,
    "encoder_ffn_dim": 3072,
    "decoder_ffn_dim": 3072,
}
SAME_BART: dict[str, Any] = {
    "vocab": 61,
    "context": 16,
    "width": 24,
    "depth": 2,
    "heads": 3,
    "hidden": 40,
    "dropout": 0.0,
}
PEGASUS: dict[str, Any] = BART | {
    "scale_embedding": True,
    "activation_function": "relu",
}
PEGASUS_LARGE: dict[str, Any] = {
    "vocab_size": 96103,
    "encoder_layers": 16,
    "decoder_layers": 16,
}
SAME_PEGASUS: dict[str, Any] = {
    "vocab": 61,
    "width": 24,
    "depth": 2,
    "heads": 3,
    "hidden": 40,
    "dropout": 0.0,
}
T5: dict[str, Any] = {
    "vocab_size": 61,
    "d_model": 24,
    "d_kv": 6,
    "d_ff": 40,
    "num_layers": 2,
    "num_heads": 3,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 6,
    "dropout_rate": 0.0,
}
SAME_T5: dict[str, Any] = {
    "vocab": 61,
    "width": 24,
    "head_width": 6,
    "depth": 2,
    "heads": 3,
    "hidden": 40,
    "buckets": 8,
    "max_distance": 6,
    "dropout": 0.0,
}

both_ways = pytest.mark.parametrize("attention", ["eager", "sdpa"])
masked_or_not = pytest.mark.parametrize(
    "masked", [False, True], ids=["whole", "masked"]
)


@both_ways
@masked_or_not
def test_bart_equals_transformers(attention: str, masked: bool) -> None:
    texts = _texts(masked)
    check_equal(
        generated("bart_base")(**SAME_BART),
        _bart(attention),
        translation("bart_base", **SAME_BART),
        lambda model: model(*texts),
        _run(*texts),
    )


def test_bart_equals_transformers_step_by_step() -> None:
    _check_decodes("bart_base", SAME_BART, _bart("sdpa"))


def test_bart_counts_as_transformers() -> None:
    theirs = build_on_meta(BartForConditionalGeneration, BartConfig(**BART_BASE))
    _check_counts("bart_base", theirs, 139_420_416)


@both_ways
@masked_or_not
def test_pegasus_equals_transformers(attention: str, masked: bool) -> None:
    texts = _texts(masked)
    check_equal(
        generated("pegasus")(**SAME_PEGASUS),
        _pegasus(attention),
        translation("pegasus", **SAME_PEGASUS),
        lambda model: model(*texts),
        _run(*texts),
    )


def test_pegasus_equals_transformers_step_by_step() -> None:
    _check_decodes("pegasus", SAME_PEGASUS, _pegasus("sdpa"))


def test_pegasus_counts_as_transformers() -> None:
    config = PegasusConfig(**PEGASUS_LARGE)
    theirs = build_on_meta(PegasusForConditionalGeneration, config)
    for stack in (theirs.model.encoder, theirs.model.decoder):
        stack.embed_positions = nn.Identity()  # counted there, though never learned
    _check_counts("pegasus", theirs, 568_699_904)


@both_ways
@masked_or_not
def test_t5_equals_transformers(attention: str, masked: bool) -> None:
    texts = _texts(masked)
    check_equal(
        generated("t5_small")(**SAME_T5),
        _t5(attention),
        translation("t5_small", **SAME_T5),
        lambda model: model(*texts),
        exact(_run(*texts)),
    )


def test_t5_equals_transformers_step_by_step() -> None:
    _check_decodes("t5_small", SAME_T5, _t5("sdpa"))


def test_t5_counts_as_transformers() -> None:
    theirs = build_on_meta(T5ForConditionalGeneration, T5Config())
    _check_counts("t5_small", theirs, 60_506_624)


def _bart(attention: str) -> PreTrainedModel:
    config = BartConfig(**BART)
    config._attn_implementation = attention
    return BartForConditionalGeneration(config)


def _pegasus(attention: str) -> PreTrainedModel:
    config = PegasusConfig(**PEGASUS)
    config._attn_implementation = attention
    return pegasus(config)


def pegasus(config: PegasusConfig) -> PegasusForConditionalGeneration:
    """The reference, whose table of positions is double where the model is."""
    model = PegasusForConditionalGeneration(config)
    for stack in (model.model.encoder, model.model.decoder):
        _check_same_table(stack.embed_positions.weight)
        stack.embed_positions = Waves(stack.layer_norm.weight)
    return model


class Waves(nn.Module):
    """Pegasus' positions: sines, then cosines, in the precision of a weight."""

    def __init__(self, like: Tensor) -> None:
        super().__init__()
        self.like = [like]  # no weight of this module

    def forward(
        self, shape: torch.Size, past: int = 0, position_ids: Tensor | None = None
    ) -> Tensor:
        return _waves(past, past + shape[1], self.like[0].numel()).to(self.like[0])


def _waves(start: int, end: int, width: int) -> Tensor:
    frequencies = 10000.0 ** (-torch.arange(0, width, 2).double() / width)
    angles = torch.arange(start, end).double()[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], -1)


def _check_same_table(table: Tensor) -> None:
    torch.testing.assert_close(table, _waves(0, *table.shape).float())


def _t5(attention: str) -> PreTrainedModel:
    config = T5Config(**T5)
    config._attn_implementation = attention
    return T5ForConditionalGeneration(config)


def _texts(masked: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A source and a target, each with its mask; none of the tokens is a padding."""
    source, target = torch.randint(4, 61, (3, 9)), torch.randint(4, 61, (3, 7))
    source_mask, target_mask = source > 0, target > 0
    if masked:
        source_mask[0, 5:] = source_mask[1, 3] = source_mask[2, 1:] = False
        target_mask[0, 4:] = target_mask[2, 2] = False
    return source, source_mask, target, target_mask


def _run(source: Tensor, source_mask: Tensor, target: Tensor, mask: Tensor) -> Run:
    def run(model: nn.Module) -> Outputs:
        given = model(
            input_ids=source,
            attention_mask=source_mask.long(),
            decoder_input_ids=target,
            decoder_attention_mask=mask.long(),
        )
        return given.logits, given.encoder_last_hidden_state

    return run


def _check_decodes(
    spec: str, settings: dict[str, Any], theirs: PreTrainedModel
) -> None:
    """Token by token with a cache, the reference gives what we give at once."""
    theirs.train(False)
    randomize(theirs)
    ours = generated(spec)(**settings).eval()
    ours.load_state_dict(translation(spec, **settings)(theirs.state_dict()))
    source, source_mask, target, target_mask = _texts(masked=False)
    source_mask[0, 5:] = False
    memory = theirs.get_encoder()(input_ids=source, attention_mask=source_mask.long())
    cache, steps = None, []
    for token in torch.split(target, 1, dim=1):
        given = theirs(
            encoder_outputs=memory,
            attention_mask=source_mask.long(),
            decoder_input_ids=token,
            past_key_values=cache,
            use_cache=True,
        )
        cache = given.past_key_values
        steps.append(given.logits)
    logits, _ = ours(source, source_mask, target, target_mask)
    torch.testing.assert_close(logits, torch.cat(steps, 1))


def _check_counts(spec: str, theirs: nn.Module, parameters: int) -> None:
    """The full size: as many parameters, and each of the same shape."""
    theirs.tie_weights()  # type: ignore[operator]
    ours = build_on_meta(generated(spec))
    named = translation(spec)(theirs.state_dict())
    assert count(ours) == count(theirs) == parameters
    assert _shapes(ours.state_dict()) == _shapes(named)


def _shapes(state: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in state.items()}
