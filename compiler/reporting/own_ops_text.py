"""What docs/ops.md says of ops that users add."""

from __future__ import annotations

from typing import Final

OWN_OPS: Final = """## Ops of your own

An op that is not here is a class in a file of your own, written as those here are: its
annotations are its arguments, `infer` gives the type of its output, and `apply` the code of
`forward`, or `module` the torch module that does its work.

```python
# my_ops.py
import torch
from torch import Tensor, nn

from compiler.codegen.python import call, method
from compiler.op.flow_rules import pointwise
from compiler.op.op import Op
from compiler.op.registry import register


@register("squared_relu", torch="torch.relu")
class SquaredReLU(Op):
    \"\"\"The square of ReLU (So et al., 2021): float[...] -> float[...].\"\"\"

    flow = pointwise

    def infer(self, ctx, input):
        return input

    def apply(self, code, input):
        return method(call("F.relu", input), "square")


@register("snake", torch="Snake")
class SnakeOp(Op):
    \"\"\"x + sin²(a x) / a with a learned a for each channel: float[N, C, ...] -> float[N, C, ...].

    Source: Ziyin et al., 2020.
    \"\"\"

    alpha: float = 1.0

    module = library = "Snake"
    flow = pointwise

    def infer(self, ctx, input):
        ctx.require_least_rank("input", input, 2)
        return input

    def inferred(self, input):
        return {"channels": input.shape[1]}

    def weights(self, input):
        return {"alpha": (input.shape[1],)}


class Snake(nn.Module):
    def __init__(self, channels: int, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.full((channels,), alpha))

    def forward(self, x: Tensor) -> Tensor:
        alpha = self.alpha.view(-1, *[1] * (x.dim() - 2))
        return x + (alpha * x).sin().square() / alpha
```

A spec uses them by name:

```yaml
name: Vocoder
inputs: {x: "float[B, 1, T]"}
layers:
  conv: {op: conv1d, out_channels: 8, kernel_size: 7, padding: 3}
  snake: {op: snake, alpha: 0.5}
  out: {op: conv1d, out_channels: 1, kernel_size: 7, padding: 3}
  act: squared_relu
```

    layergraph build vocoder.yaml --plugin my_ops.py

The generated file holds the source of `Snake`, the class or function that `library` names, and
of what it uses in its file, so that it still imports torch and the standard library alone:

```python
class Vocoder(nn.Module):
    \"\"\"x: float[B, 1, T] -> float[B, 1, T]\"\"\"

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 8, kernel_size=7, padding=3)
        self.snake = Snake(8, alpha=0.5)
        self.out = nn.Conv1d(8, 1, kernel_size=7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        snake = self.snake(self.conv(x))  # [B, 8, T]
        act: Tensor = F.relu(self.out(snake)).square()  # [B, 1, T]
        return act
```

`flow` says on which positions of a sequence the output depends, for networks that are
[stepped](stepping.md); without it, each position may depend on all. [Plug-ins](tasks.md#plug-ins)
says which commands take `--plugin`, and how an installed package brings ops along. A spec
cannot name a plug-in.
"""
