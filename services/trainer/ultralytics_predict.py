"""Ultralytics' own predict as a measuring rod: for checkpoints in training and for weights of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from services.trainer import runtime
from services.trainer.dataset import DatasetError
from services.trainer.packing import reduce_page
from shared.domain.detection import Box, Detection, Kind, Page
from shared.domain.labels import KINDS


class UltralyticsPredictor:
    """Give it a file and it gives the page's boxes down to a low confidence. runtime.prepare() must have run."""

    def __init__(self, weights: Path, size: int, floor: float = 0.001, overlap: float = 0.6) -> None:
        """Size: longer side of the input in pixels; floor: lowest confidence kept; overlap: IoU of suppression.

        DatasetError: the model has several classes, and none is a kind of ours.
        """
        self._model = runtime.load_model(weights)
        self._options: dict[str, Any] = {"imgsz": size, "conf": floor, "iou": overlap, "verbose": False}
        self._size = size
        names = self._model.names
        self._kinds = {number: kind for number, name in names.items() if (kind := _kind(str(name), len(names)))}
        if not self._kinds:
            raise DatasetError(
                f"{weights}: none of its classes ({', '.join(map(str, names.values()))}) is one of ours: call the one "
                f"that finds signatures {Kind.SIGNATURE!r}."
            )

    def __call__(self, path: Path) -> list[Page]:
        """Find boxes on the one page of an image file."""
        image, (width, height) = reduce_page(path, self._size)
        bgr = np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
        boxes = self._model.predict(bgr, **self._options)[0].boxes
        scale = (width / image.width, height / image.height, width / image.width, height / image.height)
        corners = boxes.xyxy.numpy() * scale
        rows = zip(corners.tolist(), boxes.conf.tolist(), boxes.cls.int().tolist(), strict=True)
        found = [
            _detection(number, row, self._kinds[row[2]]) for number, row in enumerate(rows) if row[2] in self._kinds
        ]
        return [Page(1, width, height, tuple(found))]


def _kind(name: str, classes: int) -> Kind | None:
    """A model of one class finds signatures, whatever its author called them; None: a class that is no kind of ours."""
    if classes == 1:
        return Kind.SIGNATURE
    return Kind(name.lower()) if name.lower() in KINDS else None


def _detection(number: int, row: tuple[list[float], float, int], kind: Kind) -> Detection:
    (left, top, right, bottom), confidence, _ = row
    return Detection(str(number), kind, confidence, Box.of_corners(left, top, right, bottom))
