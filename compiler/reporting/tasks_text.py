"""The texts of docs/tasks.md that are not made from declarations."""

from __future__ import annotations

from typing import Final

HEAD: Final = """# Tasks

Generated from the declarations by `make docs`. [The language](language.md#task) explains
how a `task` is written, in a spec or in a [recipe](language.md#recipes); this page lists its options: [those of all
tasks](#options-of-all-tasks), [starting from weights](#starting-from-weights), the [kinds](#kinds),
the [data sets](#data-sets), the [augmentations](#augmentations), the [losses](#losses), the [metrics](#metrics), the
[optimizers](#optimizers), the [schedules](#schedules), and [the folder of a run](#a-run).

A number can be a formula over the params of the spec (`epochs: 2 * depth`), and a text can
be a param (`path: $file`).
"""

START: Final = """## Starting from weights

`layergraph train RECIPE --weights FILE` starts from published weights, which the
[`checkpoint`](language.md#checkpoint) of the spec maps to its tensors, or from a run folder; the
file is `.safetensors`, its index, or `.npz`. As any path of a task, `package:NAME/PATH` is a file of an installed
Python package, of which nothing is run. In a recipe:

```yaml
start:
  weights: ../weights/model.safetensors
  freeze: ["encoder.{i}.{*rest}"]
  unfreeze_after: 2
```

The networks may differ at their ends: a layer that the weights lack, or have in another shape, is
initialised as the spec says if nothing that is loaded depends on it, such as a new head or one for
other classes. These tensors are reported by name and shape. Anywhere else it is an error, with the
position of the layer, unless `new` names the tensor.

Tensors are named by the [patterns](language.md#checkpoint) of `checkpoint`: `{i}` stands for one
part of a name, `{*rest}` for one or more; of several networks, names start with the network's. A
tensor in `freeze` has no gradient. A norm whose tensors are all frozen (`norm.{leaf}`) also keeps
its running statistics: it is in evaluation mode. Dropout stays active in frozen layers. A run that
is resumed needs the weights no more.

Weight decay applies to matrices and larger tensors, not to norms, biases and other vectors;
`decay_all: true` applies it to all. `rates: {"encoder.{i}.{*rest}": 0.1}` gives tensors a lower
learning rate than the optimizer's, and `layer_decay: 0.8` gives each copy of a repeated layer 0.8 times the rate of
the copy after it.
"""

DATA: Final = """## Data sets

All data comes with LayerGraph or the packages that it installs; nothing is downloaded.
Paths to your own files are relative to the folder of the spec or recipe. A part of every data set is
held out: training is evaluated on it after each epoch, and the best weights are those that do best on it. It is a
fraction of the data, or files of its own (`validation`). With `test`, `evaluate` uses data that had no influence on
the weights at all (`--part held_out` uses the other). With `held_out: 0` a network is trained on everything and never
evaluated; the best weights are then the last.

Text is tokenized in one of these ways: `characters`; `{bpe: 4000}`, byte pair encoding
with a vocabulary of that size (Sennrich et al., 2016); or `{words: 10000}`, the most
frequent words. Vocabularies are learned from the training part. In pairs and labelled text,
the first four tokens are padding, begin of text, end of text and unknown; in plain text,
the first is unknown.

Running and labelled text may also have the tokenizer of a published network, `{file: tokenizer.json}`
or `{file: vocab.txt}`. Labelled texts then have its special tokens around them, and batches are filled
with its padding. An input `segment_ids` of the network is 0.
"""

AUGMENTATIONS: Final = """## Augmentations

Random changes of training images, in the order of the list: `augment: [flip, {rotate: {degrees: 10}}]`. Each image is
changed in its own way, and anew in every epoch; masks move with their images, and all frames of a video are changed
alike. The changes follow from `seed`, the epoch and the batch, so that a resumed run sees the same images.
"""

LOSSES: Final = """## Losses

Classification, multi-label classification and regression compare one output with what is predicted. Further
outputs have a loss each under `losses`, which is added with its `weight`. It is of classes, numbers or labels, of which
the data has some; an output is checked against it as that of the task is. Evaluations have its metrics under the
output's name: `aux.loss`, `aux.accuracy`; `mae`, `rmse` and `r2` of numbers, `f1` and `exact` of labels. GoogLeNet was
trained in this way, with auxiliary classifiers of earlier layers (Szegedy et al., 2014):

```yaml
name: AuxiliaryHead
inputs:
  image: float[B, 1, 8, 8]
layers:
  conv1: {op: conv2d, out_channels: 16, kernel_size: 3, padding: 1}
  relu1: relu
  conv2: {op: conv2d, out_channels: 16, kernel_size: 3, padding: 1}
  relu2: relu
  flat: flatten
  head: {op: linear, out_features: 10}
  aux_pool: {op: adaptive_avg_pool2d, output_size: 4, in: relu1}
  aux_flat: flatten
  aux_head: {op: linear, out_features: 10}
outputs:
  logits: head
  aux: aux_head
task:
  kind: classification
  data: digits
  losses: {aux: {cross_entropy: {weight: 0.3}}}
```

With a table, outputs can be of different columns: `data: {table: {path: people.csv, label: town, target: [age,
income]}}` with `losses: {age: {huber: {target: age, weight: 0.1}}}`.
"""

METRICS: Final = """## Metrics

Metrics of held-out examples that `metrics` can add, as torchmetrics computes them. Their columns in
`metrics.csv`, and their names for `best`, are `f1`, or `f1_micro` with another `average`.
"""

SCHEDULES: Final = """## Schedules

A schedule multiplies the optimizer's `lr` by a factor that depends on the step; a step is
one update by the optimizer. All schedules except `noam` and `one_cycle` can begin with `warmup` steps, in
which the factor rises linearly. A schedule ends with the last epoch.
"""

PLUGINS: Final = """## Plug-ins

Tasks, data sets, losses and metrics of your own, and [ops](ops.md#ops-of-your-own), are Python classes, declared as
those of this page are: the fields of a class are its options, with their types and defaults, and are checked in the
spec. A class has a method of its own for what it does:

| class | base | method |
|---|---|---|
| a loss | `Loss` | `compute(output, answer)`: the loss of each example, a tensor [B] |
| a metric | `Metric` | `compute(output, answer)`: a number, for all held-out examples; `answers` says of what |
| a data set | `DataSet` | `facts()`: what networks are checked against; `load(section)`: the examples |
| a task | `Task` | `fits(check, facts)`: the check of the networks; and a class of `Learner[ThatTask]` beside it |

This file has a loss and a data set:

```python
# my_plugin.py
from typing import ClassVar

import torch
from torch.nn import functional as F

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Positive
from compiler.tasks.losses import Loss
from compiler.tasks.splits import RandomSplit
from runtime.data.dataset import DataSplits, TensorExamples
from runtime.data.split import split_by_class


class Focal(Loss):
    \"\"\"The focal loss: examples that are classified well weigh less (Lin et al., 2017).\"\"\"

    name: ClassVar[str] = "focal"
    answer: ClassVar[str] = "classes"
    gamma: Positive = 2.0

    def compute(self, output, answer):
        loss = F.cross_entropy(output, answer, reduction="none")
        return (1 - (-loss).exp()) ** self.gamma * loss


class Rings(RandomSplit):
    \"\"\"Points on two noisy rings, as sequences of one step.\"\"\"

    name: ClassVar[str] = "rings"
    forms: ClassVar[tuple[Form, ...]] = ("sequences",)
    noise: Positive = 0.1

    def facts(self):
        return DataFacts("sequences", features=2, classes=2)

    def load(self, section):
        torch.manual_seed(0)
        label, angle = torch.randint(2, (600,)), torch.rand(600) * 2 * torch.pi
        points = torch.stack([angle.cos(), angle.sin()], 1) * (1 + label[:, None])
        points = points + self.noise * torch.randn(600, 2)
        columns = {"sequence": points[:, None], "label": label}
        parts = split_by_class(label, self)
        rows = [TensorExamples({k: v[i] for k, v in columns.items()}) for i in parts]
        metadata = {"classes": ["inner", "outer"], "range": "0..1"}
        return DataSplits(*rows, self.facts(), metadata)
```

A spec uses what it declares by name:

```yaml
name: RingNet
inputs: {points: "float[B, T, 2]"}
layers:
  hidden: {op: linear, out_features: 32}
  act: relu
  pool: {op: mean, dim: 1}
  head: {op: linear, out_features: 2}
outputs: {logits: head}
task:
  kind: classification
  data: {rings: {noise: 0.2}}
  loss: {focal: {gamma: 1.5}}
  epochs: 30
  optimizer: {adamw: {lr: 1e-2}}
```

    layergraph train rings.yaml --plugin my_plugin.py
    layergraph evaluate runs/rings --plugin my_plugin.py

`--plugin` names a file for any command that compiles a spec, and for `ops`; `lg.load_plugin("my_plugin.py")` does in
Python. A package that
is installed declares its modules as entry points of the group `layergraph.plugins`, and needs no option. Neither a spec
nor a run can name a plug-in: what they contain never decides which code is run.
"""

RUNS: Final = """## A run

`layergraph train SPEC --run DIR` writes a folder. Each file is written completely or not
at all.

| file | content |
|---|---|
| `spec.yaml` | the spec with every param, variant, setting and path resolved; it compiles by itself |
| `NAME.py` | the generated module, named like the spec |
| `run.json` | how the run was started, its progress, and its best metrics |
| `data.json` | fingerprints of the training and the held-out data |
| `vocabulary.json` | metadata of the data: names of classes, tokenizers, scales |
| `steps.csv` | loss and learning rate by step |
| `metrics.csv` | a row for each evaluation |
| `classes.csv` | precision, recall and F1 of each class in the last evaluation |
| `curves.png` | a plot of both tables |
| `weights/best.safetensors` | the weights of the best evaluation, by the metric of the task |
| `weights/last.safetensors` | the weights at the last checkpoint |
| `weights/evaluator.safetensors` | the classifier that evaluates generated images, trained once |
| `samples/` | samples of the network's outputs at each evaluation |
| `state.pt` | the checkpoint from which `train --resume` continues exactly |

`train DIR --resume` continues a run with the spec and the settings that it has; `--set` changes a setting, and `train
SPEC --run DIR --resume` also takes changes of the spec that leave its networks as they are. If the data has changed
since the run began, resuming it is an error. `evaluate` finds the held-out examples again in images that were added to,
and evaluates these alone; where it cannot, that is an error: what was trained on may be held out now. `evaluate DIR
--data PATH` takes data that was moved, or other data of the same form, which is evaluated whole, without what the run
was trained on. Nothing outside the folder is written, even if links in it lead there.

Weights have their names in the module's `state_dict`. `layergraph evaluate`, `predict`,
`generate` and `export` take the folder; `layergraph runs` lists several.
"""
