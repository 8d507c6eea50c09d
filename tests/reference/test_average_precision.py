"""The average precision of detections is that of COCO's own code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor

from runtime.tasks.average_precision import Detections, average_precision

CLASSES = 4


def draw(seed: int) -> tuple[list[Detections], list[Detections]]:
    """What is there in 25 images, and what was found: moved, missing, doubled and invented boxes."""
    generator = torch.Generator().manual_seed(seed)

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    found, truth = [], []
    for _ in range(25):
        count = int(rand(1) * 7)
        low = rand(count, 2) * 60
        boxes = torch.cat([low, low + 5 + 30 * rand(count, 2)], 1)
        labels = (rand(count) * (CLASSES - 1)).long()
        truth.append(Detections(boxes, labels, torch.ones(count)))
        seen = [i for i in range(count) for _ in range(int(rand(1) * 3))]
        moved = boxes[seen] + 4 * (rand(len(seen), 4) - 0.5)
        spare = rand(3, 2) * 60
        extra = torch.cat([spare, spare + 5 + 20 * rand(3, 2)], 1)
        mine = torch.cat([labels[seen], (rand(3) * (CLASSES - 1)).long()])
        found.append(Detections(torch.cat([moved, extra]), mine, rand(len(mine))))
    return found, truth


def theirs(found: list[Detections], truth: list[Detections]) -> Tensor:
    """The average precision [classes, thresholds] by pycocotools."""
    truths = COCO()
    truths.dataset = {
        "images": [{"id": i} for i in range(len(truth))],
        "categories": [{"id": i} for i in range(CLASSES)],
        "annotations": _entries(truth),
    }
    truths.createIndex()
    results = truths.loadRes(_entries(found))
    evaluation = COCOeval(truths, results, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    # [thresholds, recalls, classes, areas, maximum numbers of boxes]
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    mean = torch.from_numpy(np.where(precision < 0, np.nan, precision)).mean(1)
    return mean.T.float()


def _entries(images: list[Detections]) -> list[dict[str, object]]:
    rows = []
    for number, one in enumerate(images):
        for box, label, score in zip(one.boxes, one.labels, one.scores, strict=True):
            left, top, right, bottom = box.double().tolist()
            sides = [left, top, right - left, bottom - top]
            rows.append(
                {
                    "id": len(rows) + 1,
                    "image_id": number,
                    "category_id": int(label),
                    "bbox": sides,
                    "area": sides[2] * sides[3],
                    "iscrowd": 0,
                    "score": float(score),
                }
            )
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_that_of_coco(seed: int) -> None:
    found, truth = draw(seed)
    mine = average_precision(found, truth, CLASSES)
    torch.testing.assert_close(mine, theirs(found, truth), equal_nan=True)
    assert 0.05 < float(mine.nanmean()) < 0.9 and mine[-1].isnan().all()
