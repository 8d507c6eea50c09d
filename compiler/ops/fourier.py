"""Discrete Fourier transforms; a complex tensor is two: its real and its imaginary part."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from compiler.codegen.python import Expr, TupleExpr, attr, call, lit
from compiler.op import errors
from compiler.op.arg_types import Axes, Axis, Extent, Shape, Size
from compiler.op.combine_flows import join, read, without
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import source, whole
from compiler.op.op import Code, Op, Outputs, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import list_argument
from compiler.ops.creation import CreationOp
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

_REAL = Port("input")
_IMAGINARY = Port("imag", optional=True)


class ComplexOp(Op):
    """Base class: takes or gives a complex tensor as two."""

    chains: ClassVar[bool] = False

    @staticmethod
    def require_alike(ctx: Context, input: TensorType, imag: TensorType | None) -> None:
        """The imaginary part must have the shape of the real one."""
        if imag is None:
            return
        ctx.require_rank("imag", imag, input.rank)
        for size, wanted in zip(imag.shape, input.shape, strict=True):
            message = "an imaginary part has the shape of the real one"
            ctx.require_equal(message, size, wanted, "imag")

    @staticmethod
    def joined(input: Expr, imag: Expr | None) -> Expr:
        """One complex tensor; the real part alone where there is no other."""
        return input if imag is None else call("torch.complex", input, imag)

    @staticmethod
    def parts(code: Code, value: Expr) -> Expr:
        """The real and the imaginary part of a complex value."""
        found = code.let(value)
        return TupleExpr((attr(found, "real"), attr(found, "imag")))


class _Transform(ComplexOp):
    """Base class: a transform along one or two dimensions."""

    norm: Literal["backward", "ortho", "forward"] = "backward"

    inputs: ClassVar[tuple[Port, ...]] = (_REAL, _IMAGINARY)
    outputs: ClassVar[tuple[str, ...] | None] = ("real", "imag")

    @property
    def dims(self) -> tuple[int, ...]:
        """The dimensions along which it goes."""
        raise TypeError(f"{type(self).__name__} has no dimensions")

    @property
    def lengths(self) -> tuple[Dim | None, ...]:
        """To what length the input is cut or padded along each of them; None for its own."""
        raise TypeError(f"{type(self).__name__} has no lengths")

    def last(self, length: Dim | None, size: Dim) -> tuple[Dim, Dim]:
        """The length of the signal along the last of them, and the size of the output."""
        length = size if length is None else length
        return length, length

    def infer(
        self, ctx: Context, input: TensorType, imag: TensorType | None = None
    ) -> Outputs:
        self.require_alike(ctx, input, imag)
        axes = [ctx.axis(axis, input.rank) for axis in self.dims]
        if len(set(axes)) < len(axes):
            raise errors.constraint("dim has a repeated dimension", argument="dim")
        if len(self.lengths) != len(axes):
            raise errors.constraint("s needs a size for each dim", argument="s")
        output = input
        for axis, length in zip(axes, self.lengths, strict=True):
            size = input.shape[axis]
            new = size if length is None else length
            if axis == axes[-1]:
                length, new = self.last(length, size)
            ctx.require_least(
                "the length of the signal", new if length is None else length, 1
            )
            output = output.with_size(axis, new)
        assert self.outputs is not None
        return (output,) * len(self.outputs)

    @flow_rule("other axes")
    def flow(self, call: FlowCall) -> tuple[Dependence, ...]:
        """A frequency reads the whole signal, along the dimensions of the transform."""
        kind = call.type("input")
        axes = {axis % kind.rank for axis in self.dims}
        found = join(call, list(call.operands()), kind)
        found = without(found, axes, f"{self.name} reads all of T")
        for axis in axes:
            size = call.outputs[0].shape[axis]
            found = read(found, axis, found.axes[axis] and call.axis_of(size))
        return (found,) * len(call.outputs)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        return f"dim {', '.join(map(str, self.dims))}"

    def apply(self, code: Code, input: Expr, imag: Expr | None = None) -> Expr:
        options = self.keywords(code)
        for key in {"s", "dim"} & options.keys():
            if isinstance(getattr(self, key), tuple):
                options[key] = list_argument(code, self, key)
        found = call(f"torch.fft.{self.name}", self.joined(input, imag), **options)
        return found if self.outputs == ("output",) else self.parts(code, found)


class _HalfSpectrum(_Transform):
    """Base class: a real signal, of whose frequencies the first half says all."""

    inputs = (_REAL,)

    def last(self, length: Dim | None, size: Dim) -> tuple[Dim, Dim]:
        length = size if length is None else length
        return length, length // 2 + 1


class _FromHalf(_Transform):
    """Base class: a real signal from the first half of its frequencies."""

    outputs = ("output",)

    def last(self, length: Dim | None, size: Dim) -> tuple[Dim, Dim]:
        length = 2 * (size - 1) if length is None else length
        return length, length


class _Along(_Transform):
    """Base class: along one dimension."""

    n: Extent | None = None
    dim: Axis = -1

    @property
    def dims(self) -> tuple[int, ...]:
        return (self.dim,)

    @property
    def lengths(self) -> tuple[Dim | None, ...]:
        return (self.n,)


class _Plane(_Transform):
    """Base class: along two dimensions."""

    s: Shape | None = None
    dim: Axes = (-2, -1)

    @property
    def dims(self) -> tuple[int, ...]:
        return self.dim

    @property
    def lengths(self) -> tuple[Dim | None, ...]:
        return (None,) * len(self.dim) if self.s is None else self.s


@register("fft", torch="torch.fft.fft")
class Fft(_Along):
    """Fourier transform along a dimension: float[..., N], imag float[..., N]? -> real, imag float[..., N].

    `n` cuts or pads the signal with zeros first. Without `imag`, the signal is real.
    """


@register("ifft", torch="torch.fft.ifft")
class Ifft(_Along):
    """Inverse Fourier transform along a dimension: float[..., N], imag float[..., N]? -> real, imag float[..., N]."""


@register("rfft", torch="torch.fft.rfft")
class Rfft(_HalfSpectrum, _Along):
    """Fourier transform of a real signal: float[..., N] -> real, imag float[..., N // 2 + 1]."""


@register("irfft", torch="torch.fft.irfft")
class Irfft(_FromHalf, _Along):
    """The real signal of rfft's output: float[..., K], imag float[..., K]? -> float[..., 2 * (K - 1)].

    `n` is the length of the signal, which an odd one needs.
    """


@register("fft2", torch="torch.fft.fft2")
class Fft2(_Plane):
    """Fourier transform along two dimensions: float[..., H, W], imag? -> real, imag float[..., H, W]."""


@register("ifft2", torch="torch.fft.ifft2")
class Ifft2(_Plane):
    """Inverse Fourier transform along two dimensions: float[..., H, W], imag? -> real, imag float[..., H, W]."""


@register("rfft2", torch="torch.fft.rfft2")
class Rfft2(_HalfSpectrum, _Plane):
    """Fourier transform of a real image: float[..., H, W] -> real, imag float[..., H, W // 2 + 1]."""


@register("irfft2", torch="torch.fft.irfft2")
class Irfft2(_FromHalf, _Plane):
    """The real image of rfft2's output: float[..., H, K], imag? -> float[..., H, 2 * (K - 1)].

    `s` is its size, which an odd width needs.
    """


class _Window(CreationOp):
    """Base class: the weights of a window, neither trained nor saved."""

    window_length: Size
    periodic: bool = True

    family = "fourier"
    flow = source

    def infer(self, ctx: Context) -> TensorType:
        return TensorType("float", (self.window_length,))

    def label(self, ctx: Context, outputs: tuple[TensorType, ...]) -> str:
        return str(ctx.value(self.window_length))

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Expr:
        length, options = code.argument("window_length"), self.keywords(code)
        options.pop("window_length", None)
        made = call(f"torch.{self.name}", length, **options)
        return call("nn.Buffer", made, persistent=False)


@register("hann_window", torch="torch.hann_window")
class HannWindow(_Window):
    """A raised cosine, as the window of stft: -> float[window_length]."""


@register("hamming_window", torch="torch.hamming_window")
class HammingWindow(_Window):
    """A raised cosine that does not end at 0, as the window of stft: -> float[window_length]."""

    alpha: float = 0.54
    beta: float = 0.46


class _ShortTime(ComplexOp):
    """Base class: transforms of windows of a signal, `hop_length` apart."""

    n_fft: Size
    hop_length: Size | None = None
    win_length: Size | None = None
    center: bool = True
    normalized: bool = False
    onesided: bool = True

    flow = whole

    @property
    def hop(self) -> Dim:
        """The distance of neighbouring windows."""
        return self.n_fft // 4 if self.hop_length is None else self.hop_length

    def require_window(self, ctx: Context, window: TensorType) -> None:
        """The window must be as long as `win_length`, at most n_fft."""
        length = self.n_fft if self.win_length is None else self.win_length
        ctx.require_least("hop_length", self.hop, 1)
        ctx.require_least("n_fft minus win_length", self.n_fft - length, 0)
        ctx.require_rank("window", window, 1)
        message = f"{self.name} needs a window of win_length"
        ctx.require_equal(message, window.shape[0], length, "window")

    @property
    def frequencies(self) -> Dim:
        """How many there are."""
        return self.n_fft // 2 + 1 if self.onesided else self.n_fft

    @property
    def margin(self) -> Dim:
        """How much is put at each end of the signal."""
        return self.n_fft // 2 if self.center else Dim.of(0)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        return f"{ctx.value(self.n_fft)}, hop {ctx.value(self.hop)}"

    def options(self, code: Code, window: Expr) -> dict[str, Expr]:
        """The keyword arguments of torch's function."""
        found = self.keywords(code)
        found.pop("n_fft")
        return {**found, "window": window}


@register("stft", torch="torch.stft")
class Stft(_ShortTime):
    """Short-time Fourier transform: float[B, L], window float[win_length] -> real, imag float[B, n_fft // 2 + 1, T].

    B is optional. T = L // hop_length + 1 where the signal is padded so that windows are centred (`center`), else
    (L - n_fft) // hop_length + 1. `hop_length` defaults to n_fft // 4, `win_length` to n_fft.
    """

    pad_mode: Literal["reflect", "constant", "replicate", "circular"] = "reflect"

    inputs = (Port("input"), Port("window"))
    outputs = ("real", "imag")

    def infer(
        self, ctx: Context, input: TensorType, window: TensorType
    ) -> tuple[TensorType, ...]:
        ctx.require_rank("input", input, 1, 2)
        self.require_window(ctx, window)
        length = input.shape[-1]
        if self.center and self.pad_mode == "reflect":
            what = "the signal minus its padding"
            ctx.require_least(what, length - self.margin, 1, "input")
        if self.center and self.pad_mode == "circular":
            what = "the signal minus its padding"
            ctx.require_least(what, length - self.margin, 0, "input")
        rest = length + 2 * self.margin - self.n_fft
        ctx.require_least("the padded signal minus n_fft", rest, 0, "input")
        ctx.require_least("the signal", length, 1, "input")
        shape = (*input.shape[:-1], self.frequencies, rest // self.hop + 1)
        return (TensorType("float", shape),) * 2

    def apply(self, code: Code, input: Expr, window: Expr) -> Expr:
        options = {**self.options(code, window), "return_complex": lit(True)}
        n_fft = code.argument("n_fft")
        return self.parts(code, call("torch.stft", input, n_fft, **options))


@register("istft", torch="torch.istft")
class Istft(_ShortTime):
    """The signal of a short-time Fourier transform: float[B, F, T], imag float[B, F, T], window -> float[B, L].

    F is n_fft // 2 + 1, and B optional. L is hop_length * (T - 1) plus what n_fft leaves over, or `length`. Where
    windows overlap, they must not be 0 everywhere; this is not checked.
    """

    length: Extent | None = None

    inputs = (Port("input"), Port("imag"), Port("window"))

    def infer(
        self, ctx: Context, input: TensorType, imag: TensorType, window: TensorType
    ) -> TensorType:
        ctx.require_rank("input", input, 2, 3)
        self.require_alike(ctx, input, imag)
        self.require_window(ctx, window)
        message = "istft needs n_fft // 2 + 1 frequencies, or n_fft if not onesided"
        ctx.require_equal(message, input.shape[-2], self.frequencies, "input")
        ctx.require_least("the number of windows", input.shape[-1], 1, "input")
        whole = self.n_fft + self.hop * (input.shape[-1] - 1)
        most = whole - 2 * self.margin
        if self.length is not None:
            ctx.require_least("length", self.length, 1)
            left = whole - self.margin - self.length
            ctx.require_least("the signal minus length", left, 0)
        length = most if self.length is None else self.length
        ctx.require_least("the length of the signal", length, 1)
        return input.with_shape(*input.shape[:-2], length)

    def apply(self, code: Code, input: Expr, imag: Expr, window: Expr) -> Expr:
        n_fft = code.argument("n_fft")
        joined = self.joined(input, imag)
        return call("torch.istft", joined, n_fft, **self.options(code, window))
