"""The diabetes table of scikit-learn (`sklearn.datasets.load_diabetes`), in its own units."""

from __future__ import annotations

import torch
from sklearn.datasets import load_diabetes

from compiler.tasks.data.diabetes import Diabetes
from runtime.data.answers import standardised
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits, TensorExamples
from runtime.data.split import split_by_class
from runtime.data.table import fit
from runtime.data.table_columns import answers_metadata, fit_numbers

_SEX = {1.0: "1", 2.0: "2"}


def load(options: Diabetes, section: DataSection) -> DataSplits:
    """The patients, a fraction of them held out."""
    found = load_diabetes(scaled=False)
    columns = dict(zip(found.feature_names, found.data.T, strict=True))
    sex = [_SEX[value] for value in columns.pop("sex").tolist()]
    target = torch.tensor(found.target)[:, None]
    parts = split_by_class(torch.zeros(len(target), dtype=torch.int64), options)
    fitted = fit(columns, {"sex": sex}, parts[0], 1)
    numbers = {name: values.tolist() for name, values in columns.items()}
    inputs = fitted.encode(numbers, {"sex": sex})
    scales = [fit_numbers("progression", target[parts[0], 0].tolist())]
    inputs["target"] = standardised(target, scales)
    train, held_out = (
        TensorExamples({role: tensor[rows] for role, tensor in inputs.items()})
        for rows in parts
    )
    metadata = {**fitted.model_dump(), **answers_metadata(targets=scales)}
    return DataSplits(train, held_out, options.facts(), metadata)
