"""What docs/tasks.md says beside what the declarations say of themselves."""

from __future__ import annotations

from typing import Final

HEAD: Final = """# Tasks

Made from the declarations by `make docs`. [The language](language.md#task) tells how a
`task` is written, and this page what may stand in one: [what all tasks
have](#what-all-tasks-have), the [kinds](#kinds), the [data sets](#data-sets), the
[optimizers](#optimizers), the [schedules](#schedules), and [what a run leaves
behind](#a-run).

A number may be a formula over the params of the spec (`epochs: 2 * depth`), and text may
be the param of that name (`path: $file`).
"""

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
