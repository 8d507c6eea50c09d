"""The breast cancer table of scikit-learn (`sklearn.datasets.load_breast_cancer`)."""

from __future__ import annotations

import torch
from sklearn.datasets import load_breast_cancer

from compiler.tasks.data.breast_cancer import BreastCancer
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits, TensorExamples
from runtime.data.split import split_by_class
from runtime.data.table import fit
from runtime.data.table_columns import answers_metadata


def load(options: BreastCancer, section: DataSection) -> DataSplits:
    """The tumours, a fraction of each class held out."""
    found = load_breast_cancer()
    columns = dict(zip(map(str, found.feature_names), found.data.T, strict=True))
    labels = torch.tensor(found.target)
    parts = split_by_class(labels, options)
    fitted = fit(columns, {}, parts[0], 1)
    numbers = {name: values.tolist() for name, values in columns.items()}
    inputs = fitted.encode(numbers, {}) | {"label": labels}
    train, held_out = (
        TensorExamples({role: tensor[rows] for role, tensor in inputs.items()})
        for rows in parts
    )
    facts = options.facts()
    metadata = {**fitted.model_dump(), **answers_metadata(facts.class_names)}
    return DataSplits(train, held_out, facts, metadata)
