"""Whether a page's print is so small that more pixels show more of it.

Told by how high its strokes are: of small print most ink lies in runs of few pixels from top to bottom. A sheet that
shows two papers has small print, a photograph of nothing but a signature and the words around it large print.
"""

import numpy as np

from services.detector.yolo.arrays import Bytes, Ints
from services.detector.yolo.ink import inked
from shared.domain.fit import Fit

_SMALL = 9 / 1024  # of the height of an upright page: in print of the usual size most ink lies in runs no longer
_MOST = 0.75
_SHORTEST, _LONGEST = 2, 60  # px of a run of ink that is print: no speck, no line down a table, no shadow
_FEWEST = 200  # runs to tell by
_AROUND, _DARKER = 8, 20  # ink is darker than what lies within so many px, by so many grey levels


def has_small_print(raster: Bytes, look: Fit) -> bool:
    """Whether a page's print would be no larger at a ``look`` than an upright page's in print of the usual size.

    That is: three quarters of its ink lie in runs of at most 9 px from top to bottom at a look 1024 px high. Where the
    raster [height, width, 3] has hardly any ink to tell by, it has not.
    """
    height, width = raster.shape[:2]
    small = round(_SMALL * look.height * width / look.size(width, height)[0])
    runs = _runs(raster)
    ink = np.bincount(runs[(runs >= _SHORTEST) & (runs <= _LONGEST)], minlength=small + 1)
    if ink.sum() < _FEWEST:
        return False
    ink = ink * np.arange(len(ink))
    return bool(ink[: small + 1].sum() >= _MOST * ink.sum())


def _runs(raster: Bytes) -> Ints:
    """The lengths in px of all runs of ink in every second column."""
    columns = np.pad(inked(raster[:, ::2], _AROUND, _DARKER).T, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(columns, axis=1).ravel()
    return np.flatnonzero(change < 0) - np.flatnonzero(change > 0)
