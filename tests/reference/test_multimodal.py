"""Networks of sounds and texts, and of images and texts, against transformers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPVisionConfig,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

from runtime.load import build_on_meta
from tests.reference.equality import (
    check_equal,
    count,
    generated,
    translation,
)

Translate = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]

WHISPER = {
    "vocab": 61,
    "mels": 5,
    "frames": 10,
    "context": 16,
    "width": 24,
    "depth": 2,
    "heads": 3,
    "hidden": 40,
    "padding": 3,
}
PARTS = ("text", "image", "similarity")
SMALL_CLIP = {
    "vocab": 61,
    "context": 12,
    "text_width": 24,
    "text_depth": 2,
    "text_heads": 3,
    "size": 16,
    "patch": 8,
    "image_width": 36,
    "image_depth": 2,
    "image_heads": 3,
    "embedding": 10,
}


def test_whisper_equals_transformers() -> None:
    sound, tokens = torch.randn(3, 5, 20), torch.randint(61, (3, 7))
    tokens[0, 4:] = tokens[1, 2] = 3
    check_equal(
        generated("whisper_tiny")(**WHISPER),
        _whisper(),
        translation("whisper_tiny", **WHISPER),
        lambda model: model(sound.to(_dtype(model)), tokens),
        lambda model: _read(model, sound, tokens),
    )


def test_whisper_word_by_word() -> None:
    """Our pass over a whole text is what their cache gives one token after another."""
    sound, tokens = torch.randn(2, 5, 20), torch.randint(61, (2, 7))
    theirs = _whisper().eval()
    translate = translation("whisper_tiny", **WHISPER)
    ours = generated("whisper_tiny")(**WHISPER).eval()
    ours.load_state_dict(translate(theirs.state_dict()))
    with torch.no_grad():
        states = theirs.get_encoder()(sound)
        said, cache = [], None
        for t in range(7):
            step = theirs(
                encoder_outputs=states,
                decoder_input_ids=tokens[:, t : t + 1],
                past_key_values=cache,
                use_cache=True,
            )
            said.append(step.logits)
            cache = step.past_key_values
        torch.testing.assert_close(ours(sound, tokens)[0], torch.cat(said, 1))


def test_whisper_counts_as_transformers() -> None:
    ours = build_on_meta(generated("whisper_tiny"))
    theirs = build_on_meta(WhisperForConditionalGeneration, WhisperConfig())
    theirs.tie_weights()  # type: ignore[operator]
    assert count(ours) == count(theirs) == 37_760_640
    assert _shapes(ours) == _shapes(theirs, translation("whisper_tiny"))


class CLIP(nn.Module):
    """Our three networks as one model."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        for name in PARTS:
            kind = generated("clip", name)
            needed = inspect.signature(kind).parameters
            chosen = {key: settings[key] for key in settings.keys() & needed}
            self.add_module(name, kind(**chosen))

    def forward(self, tokens: Tensor, image: Tensor) -> tuple[Tensor, ...]:
        text, image = self.text(tokens), self.image(image)
        return (*text, *image, self.similarity(text[0], image[0]))


@pytest.mark.parametrize("end", [2, 60], ids=["greatest", "by id"])
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
def test_clip_equals_transformers(end: int, masked: bool) -> None:
    """Their text has ended where the greatest token is (2 says so), or a certain one."""
    tokens, image = torch.randint(60, (3, 9)), torch.randn(2, 3, 16, 16)
    tokens[0, 8] = tokens[1, 4] = tokens[2, 6] = 60
    mask = torch.ones_like(tokens)
    if masked:
        mask = (torch.arange(9) <= tokens.argmax(1)[:, None]).long()
    check_equal(
        CLIP(**SMALL_CLIP),
        _clip(end),
        lambda tensors: _clip_names(tensors, **SMALL_CLIP),
        lambda model: _until_end(model(tokens, image.to(_dtype(model))), mask),
        lambda model: _until_end(_compare(model, tokens, image, mask), mask),
    )


def test_clip_counts_as_transformers() -> None:
    ours, theirs = build_on_meta(CLIP), build_on_meta(CLIPModel, CLIPConfig())
    assert count(ours) == count(theirs) == 151_277_313
    assert _shapes(ours) == _shapes(theirs, _clip_names)


def _clip(end: int) -> CLIPModel:
    layers = {"num_hidden_layers": 2, "num_attention_heads": 3}
    text = CLIPTextConfig(
        vocab_size=61,
        hidden_size=24,
        intermediate_size=96,
        max_position_embeddings=12,
        eos_token_id=end,
        **layers,
    )
    vision = CLIPVisionConfig(
        hidden_size=36, intermediate_size=144, image_size=16, patch_size=8, **layers
    )
    config = CLIPConfig(
        text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=10
    )
    return CLIPModel(config)


def _compare(
    model: Any, tokens: Tensor, image: Tensor, mask: Tensor | None
) -> tuple[Tensor, ...]:
    """What they make of both, in our order."""
    read = {"input_ids": tokens, "attention_mask": mask}
    seen = {"pixel_values": image.to(_dtype(model))}
    made = model(**read, **seen)
    text, picture = model.text_model(**read), model.vision_model(**seen)
    return (
        made.text_embeds,
        text.last_hidden_state,
        text.pooler_output,
        made.image_embeds,
        picture.last_hidden_state,
        picture.pooler_output,
        made.logits_per_text,
    )


def _until_end(made: tuple[Tensor, ...], mask: Tensor) -> tuple[Tensor, ...]:
    """The same without the text's states behind its end: a mask changes those."""
    return (made[0], made[1][mask.bool()], *made[2:])


def _clip_names(tensors: Mapping[str, Tensor], **settings: Any) -> dict[str, Tensor]:
    """The names of the three networks, each behind its own."""
    return {
        f"{part}.{name}": tensor
        for part in PARTS
        for name, tensor in translation("clip", part, **settings)(tensors).items()
    }


def whisper_config() -> WhisperConfig:
    """The sizes of `WHISPER` as transformers names them."""
    return WhisperConfig(
        vocab_size=61,
        num_mel_bins=5,
        max_source_positions=10,
        max_target_positions=16,
        d_model=24,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=3,
        decoder_attention_heads=3,
        encoder_ffn_dim=40,
        decoder_ffn_dim=40,
        pad_token_id=3,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )


def _whisper() -> Any:
    model = WhisperForConditionalGeneration(whisper_config())
    model.model.encoder.embed_positions.requires_grad_(True)  # theirs are frozen
    return model


def _read(model: nn.Module, sound: Tensor, tokens: Tensor) -> tuple[Tensor, ...]:
    read = model(input_features=sound.to(_dtype(model)), decoder_input_ids=tokens)
    return read.logits, read.encoder_last_hidden_state


def _dtype(model: nn.Module) -> torch.dtype:
    return next(model.parameters()).dtype


def _shapes(model: nn.Module, translate: Translate = dict) -> dict[str, torch.Size]:
    return {name: t.shape for name, t in translate(model.state_dict()).items()}
