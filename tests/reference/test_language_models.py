"""Decoder-only language models as transformers has them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers.core_model_loading import revert_weight_conversion
from transformers.models.bloom.modeling_bloom import BloomGelu

from runtime.load import build_on_meta
from tests.reference.equality import (
    Outputs,
    check_equal,
    count,
    generated,
    inferred,
    shapes_of,
    translation,
)
from tests.reference.exact import exact
from tests.reference.language_models import CASES, Case

Translate = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]


PADDINGS = [(case, side) for case in CASES for side in ["", *case.padding.split()]]
VARIANTS = [(case, variant) for case in CASES for variant in case.published]


def _name(value: Any) -> str:
    return value.spec if isinstance(value, Case) else value or "plain"


@pytest.mark.parametrize(("case", "padding"), PADDINGS, ids=_name)
def test_equals_transformers(case: Case, padding: str) -> None:
    theirs = _theirs(case, eager=bool(padding))
    tokens, mask = torch.randint(2, 61, (4, 8)), _mask(padding)
    given = [tokens] if mask is None else [tokens, mask]
    check_equal(
        generated(case.spec)(**case.ours),
        theirs,
        _translate(case, theirs, **case.ours),
        exact(lambda model: _taking_part(model(*given), mask)),
        exact(lambda model: _run(model, tokens, mask)),
    )


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_cached_steps_are_the_whole(case: Case) -> None:
    """The reference, one token at a time with its cache, gives what we give at once."""
    theirs = _theirs(case, eager=True).eval()
    ours = generated(case.spec)(**case.ours).eval()
    translate = _translate(case, theirs, **case.ours)
    ours.load_state_dict(translate(theirs.state_dict()))
    tokens, cache, steps = torch.randint(2, 61, (2, 9)), None, []
    with torch.no_grad():
        for token in torch.split(tokens, 1, dim=1):
            given = theirs(input_ids=token, past_key_values=cache, use_cache=True)
            cache = given.past_key_values
            steps.append(given.logits)
        logits = _several(ours(tokens))[0]
    torch.testing.assert_close(logits, torch.cat(steps, dim=1))


@pytest.mark.parametrize(("case", "variant"), VARIANTS, ids=_name)
def test_counts_as_transformers(case: Case, variant: str) -> None:
    sizes, parameters = case.published[variant]
    theirs = build_on_meta(case.model, case.config(**case.always | sizes))
    theirs.tie_weights()  # type: ignore[operator]
    found, shapes = inferred(case.spec, variant)
    translate = _translate(case, theirs, variant=variant)
    assert found == count(theirs) == parameters
    assert shapes == shapes_of(translate(theirs.state_dict()))


def _theirs(case: Case, eager: bool) -> Any:
    config = case.config(**case.always | case.theirs)
    eager = eager or not case.model._supports_sdpa  # type: ignore[attr-defined]
    config._attn_implementation = "eager" if eager else "sdpa"
    config._experts_implementation = "eager"  # the other has no double precision
    model = case.model(config)
    gelu = functools.partial(F.gelu, approximate="tanh")
    for module in model.modules():
        if isinstance(module, BloomGelu):  # its constants have eight digits
            module.forward = gelu  # type: ignore[method-assign]
    return model


def _mask(padding: str) -> Tensor | None:
    """What takes part in texts of 8 tokens, which are padded on one side.

    That is 16 tokens: where experts are counted, theirs divide in single precision.
    """
    mask = torch.arange(8) < torch.tensor([[8], [5], [2], [1]])
    return {"": None, "right": mask, "left": mask.flip(1)}[padding]


def _run(model: Any, tokens: Tensor, mask: Tensor | None) -> Outputs:
    """The logits of what takes part, and which experts are used how evenly."""
    given = model(
        input_ids=tokens, attention_mask=None if mask is None else mask.long()
    )
    if given.get("router_logits") is None:
        return _taking_part(given.logits, mask)
    router_logits = torch.stack(given.router_logits).unflatten(1, tokens.shape)
    return _taking_part((given.logits, given.aux_loss, router_logits), mask)


def _taking_part(given: Tensor | Outputs, mask: Tensor | None) -> Outputs:
    """The outputs for the tokens that take part."""
    logits, *more = _several(given)
    if mask is None:
        return logits, *more
    if not more:
        return (logits[mask],)
    balance, router_logits = more
    return logits[mask], balance, router_logits[:, mask]


def _several(given: Tensor | Outputs) -> Outputs:
    return given if isinstance(given, tuple) else (given,)


def _translate(case: Case, model: Any, **settings: Any) -> Translate:
    """From tensors by the names of the model to ours, by way of the names in its files."""
    ours = translation(case.spec, **settings)

    def translated(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        saved = revert_weight_conversion(model, dict(tensors))
        return ours({case.files.get(name, name): t for name, t in saved.items()})

    return translated
