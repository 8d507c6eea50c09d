"""Fourier transforms, whose complex tensors are two, against torch's."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, some, type_of, types
from tests.ops.harness import check, infer, run, tensor

NORMS = st.sampled_from(["backward", "ortho", "forward"])
COMPLEX = ("fft", "ifft", "irfft", "fft2", "ifft2", "irfft2")


@each("fft", "ifft", "rfft", "irfft")
@given(
    types(0, 3),
    some(n=st.integers(-1, 6), dim=st.integers(-4, 3), norm=NORMS),
    st.booleans(),
)
def test_along_a_dimension(
    op: str, input: TensorType, arguments: dict[str, Any], pair: bool
) -> None:
    inputs = {"input": input}
    if pair and op in COMPLEX:
        inputs["imag"] = input
    check(op, arguments, inputs)


PLANES = st.lists(st.integers(-4, 3), min_size=1, max_size=3)


@each("fft2", "ifft2", "rfft2", "irfft2")
@given(
    types(0, 4),
    some(s=st.lists(st.integers(1, 6), min_size=2, max_size=2), dim=PLANES, norm=NORMS),
    st.booleans(),
)
def test_planes(
    op: str, input: TensorType, arguments: dict[str, Any], pair: bool
) -> None:
    inputs = {"input": input}
    if pair and op in COMPLEX:
        inputs["imag"] = input
    check(op, arguments, inputs)


@each("hann_window", "hamming_window")
@given(st.integers(1, 6), some(periodic=st.booleans()))
def test_windows(op: str, length: int, arguments: dict[str, Any]) -> None:
    check(op, {"window_length": length, **arguments}, {})


SHORT_TIME = some(
    hop_length=st.integers(1, 5),
    center=st.booleans(),
    normalized=st.booleans(),
    onesided=st.booleans(),
)
MODES = st.sampled_from(["reflect", "constant", "replicate", "circular"])


@each("stft")
@given(
    st.integers(1, 9),
    st.integers(1, 12),
    SHORT_TIME,
    some(pad_mode=MODES),
    st.booleans(),
    SELDOM,
)
def test_stft(
    op: str,
    n_fft: int,
    length: int,
    arguments: dict[str, Any],
    more: dict[str, Any],
    batched: bool,
    short: bool,
) -> None:
    given = {"n_fft": n_fft, **arguments, **more}
    if short:
        given["win_length"] = max(n_fft - 1, 1)
    window = type_of(given.get("win_length", n_fft))
    input = type_of(2, length) if batched else type_of(length)
    check(op, given, {"input": input, "window": window}, device="cpu")


@each("istft")
@given(st.integers(2, 9), st.integers(1, 5), SHORT_TIME, st.booleans(), SELDOM)
def test_istft(
    op: str,
    n_fft: int,
    frames: int,
    arguments: dict[str, Any],
    batched: bool,
    odd: bool,
) -> None:
    given = {"n_fft": n_fft, "hop_length": 1, **arguments}
    given["hop_length"] = min(given["hop_length"], n_fft)
    count = n_fft // 2 + 1 if given.get("onesided", True) else n_fft
    shape = (2, count + odd, frames) if batched else (count + odd, frames)
    pair = {port: type_of(*shape) for port in ("input", "imag")}
    check(op, given, {**pair, "window": type_of(n_fft)}, device="cpu")


def test_the_parts_are_those_of_torch() -> None:
    x, y = torch.randn(3, 8), torch.randn(3, 8)
    real, imag = run("fft", {"norm": "ortho"}, {"input": x, "imag": y})
    wanted = torch.fft.fft(torch.complex(x, y), norm="ortho")
    torch.testing.assert_close(torch.complex(real, imag), wanted)
    real, imag = run("rfft2", {}, {"input": x})
    torch.testing.assert_close(run("irfft2", {}, {"input": real, "imag": imag}), x)


def test_a_signal_comes_back() -> None:
    signal, window = torch.randn(2, 64), torch.hann_window(16)
    arguments = {"n_fft": 16}
    real, imag = run("stft", arguments, {"input": signal, "window": window})
    parts = {"input": real, "imag": imag, "window": window}
    torch.testing.assert_close(run("istft", arguments, parts), signal)


def test_symbols() -> None:
    x = {"input": tensor("float[B, T]")}
    assert str(infer("rfft", {}, x)[0]) == "float[B, T // 2 + 1]"
    signal = {"input": tensor("float[B, 4 * L]"), "window": tensor("float[16]")}
    with pytest.raises(OpError, match="the signal minus its padding"):
        infer("stft", {"n_fft": 16}, signal)
    real, _ = infer("stft", {"n_fft": 16, "pad_mode": "constant"}, signal)
    assert str(real) == "float[B, 9, L + 1]"
