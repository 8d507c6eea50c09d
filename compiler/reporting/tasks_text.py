"""What docs/tasks.md says beside what the declarations say of themselves."""

from __future__ import annotations

from typing import Final

from compiler.tasks.data_facts import Form

HEAD: Final = """# Tasks

Made from the declarations by `make docs`. [The language](language.md#task) tells how a
`task` is written, and this page what may stand in one: [what all tasks
have](#what-all-tasks-have), the [kinds](#kinds), the [data sets](#data-sets), the
[optimizers](#optimizers), the [schedules](#schedules), and [what a run leaves
behind](#a-run).

A number may be a formula over the params of the spec (`epochs: 2 * depth`), and text may
be the param of that name (`path: $file`).
"""

EXAMPLES: Final[dict[str, str]] = {
    "adversarial": """\
task:
  kind: adversarial
  data: {digits: {range: "-1..1"}}
  loss: hinge
  epochs: 60
  optimizer: {adam: {lr: 2e-4, betas: [0.5, 0.999]}}
  discriminator: {optimizer: {adam: {lr: 4e-4, betas: [0.5, 0.999]}}}
""",
    "classification": """\
task:
  kind: classification
  data: {digits: {shift: 1, rotate: 10}}
  label_smoothing: 0.1
  epochs: 30
""",
    "forecasting": """\
task:
  kind: forecasting
  data: {sunspots: {length: 22, horizon: 1}}
  loss: huber
  early_stopping: {patience: 10}
""",
    "language_model": """\
task:
  kind: language_model
  data: {kjv: {tokens: characters, length: 256}}
  minutes: 15
  optimizer: {adamw: {lr: 2e-3}}
  schedule: {cosine: {warmup: 200}}
""",
    "reconstruction": """\
task:
  kind: reconstruction
  data: mnist
  loss: bce
  beta: 0.5
""",
    "translation": """\
task:
  kind: translation
  data: {verses: {tokens: {bpe: 4000}}}
  label_smoothing: 0.1
  schedule: {noam: {width: 256, warmup: 1000}}
  optimizer: {adam: {lr: 1.0, betas: [0.9, 0.98], eps: 1e-9}}
  decoding: {beam: 4}
""",
}
"""A task of each kind."""

FORMS: Final[dict[Form, tuple[str, ...]]] = {
    "images": ("digits", "mnist", "idx", "image_folder"),
    "sequences": ("digits",),
    "labelled text": ("testaments", "labelled_text"),
    "text": ("kjv", "text"),
    "pairs": ("strings", "verses", "pairs"),
    "series": ("sunspots", "co2", "csv"),
}
"""The data sets that hold each form of data."""

DATA: Final = """## Data sets

What is needed comes with LayerGraph and the packages that it installs; nothing is fetched
from anywhere. Paths to files of your own are taken from the folder of the spec. A part of
every data set is held out, and never learned from: it is what evaluations are about.

Text is cut into tokens in one of three ways: `characters`; `{bpe: 4000}`, byte pair
encoding with a vocabulary of that size (Sennrich et al., 2016); or `{words: 10000}`, the
most frequent words. Vocabularies are learned from the part for training alone. In pairs
and labelled text the first four tokens are padding, the begin and the end of a text, and
what is not known; in plain text the first one is what is not known.
"""

SCHEDULES: Final = """## Schedules

A schedule gives the factor by which the optimizer's `lr` is multiplied, step by step; a
step is one of the optimizer. All but `noam` may begin with `warmup` steps, in which the
factor rises in a straight line. The end of a schedule is that of the last epoch.
"""

RUNS: Final = """## A run

`layergraph train SPEC --run DIR` leaves behind a folder. Files are written whole or not
at all.

| file | what it holds |
|---|---|
| `spec.yaml` | the spec with every param, variant and setting in it; it compiles by itself |
| `NAME.py` | the generated module, under the name of the spec |
| `run.json` | how the run was started, how far it is, and its best figures |
| `vocabulary.json` | what is kept of the data: names of classes, tokenizers, scales |
| `steps.csv` | loss and learning rate, step by step |
| `metrics.csv` | a line for each evaluation |
| `curves.png` | both as a picture |
| `weights/best.safetensors` | the weights of the best evaluation, by the metric of the task |
| `weights/last.safetensors` | the weights as they are now |
| `samples/` | what the network could do after each evaluation |
| `state.pt` | all that `train --resume` needs to go on as if nothing had happened |

Weights have the names that they have in the module's `state_dict`. `layergraph evaluate`,
`predict` and `generate` take the folder; `layergraph runs` lists several.
"""
