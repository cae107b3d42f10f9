"""Signatures cut from real scans of the train split, for synthesis to place on its own pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from services.trainer.dataset import LabelledBox, LabelledPage

Alpha = npt.NDArray[np.uint8]
_MOST_INK, _LEAST_INK = 0.3, 0.01  # share of a clean cutting that is ink; more means print or a stamp behind it
_FAINT = 48  # alpha below which a pixel is paper


@dataclass(frozen=True)
class RealSignatures:
    """Cuttings as tight alpha, 0 paper to 255 full ink."""

    cuttings: Sequence[Alpha]

    def draw(self, rng: np.random.Generator, box: tuple[float, float]) -> Alpha:
        """One signature, scaled to fit box (width, height in px)."""
        cutting = self.cuttings[int(rng.integers(len(self.cuttings)))]
        scale = min(box[0] / cutting.shape[1], box[1] / cutting.shape[0])
        size = max(2, round(cutting.shape[1] * scale)), max(2, round(cutting.shape[0] * scale))
        method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
        return np.asarray(Image.fromarray(cutting).resize(size, method))


def cut_signatures(pages: Iterable[LabelledPage]) -> RealSignatures:
    """Cut every signature that is known to stand clear of print."""
    cuttings = [cut for page in pages for cut in _cuttings_of(page)]
    return RealSignatures(cuttings)


def _cuttings_of(page: LabelledPage) -> Iterable[Alpha]:
    clear = [box for box in page.boxes if box.kind == 0 and box.overlapped is False]
    if not clear:
        return
    with Image.open(page.path) as opened:
        grey = np.asarray(opened.convert("L"))
    for box in clear:
        alpha = _tight(_ink(_crop(grey, box)))
        if alpha is not None:
            yield alpha


def _crop(grey: npt.NDArray[np.uint8], box: LabelledBox) -> npt.NDArray[np.uint8]:
    left, top, right, bottom = (max(0, round(edge)) for edge in box.corners(grey.shape[1], grey.shape[0]))
    return grey[top:bottom, left:right]


def _ink(crop: npt.NDArray[np.uint8]) -> Alpha:
    """Darkness against the paper around: the paper's tone is the upper quartile, full ink the darkest percent."""
    if not crop.size:
        return crop
    paper, ink = np.percentile(crop, [75, 1])
    return np.asarray(np.clip((paper - crop.astype(float)) / max(paper - ink, 40) * 255, 0, 255), dtype=np.uint8)


def _tight(alpha: Alpha) -> Alpha | None:
    inked = alpha > _FAINT
    if not inked.size or not _LEAST_INK < inked.mean() < _MOST_INK:
        return None
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    return alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
