"""One model version: what the detector loads and what every result names."""

import math
from dataclasses import dataclass
from pathlib import Path

from shared.domain.fit import Fit
from shared.domain.verdict import Thresholds

_SUREST = 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Calibration:
    """A straight line through the logit of a network's score (Platt): what comes out is the share that is right.

    ``at_stamps`` is added to the offset for a signature that a found stamp touches.
    """

    slope: float = 1.0
    offset: float = 0.0
    at_stamps: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.slope < math.inf or not math.isfinite(self.offset + self.at_stamps):
            raise ValueError(f"a calibration keeps the order of scores and is finite, not {self}")

    def confidence(self, score: float, at_stamp: bool = False) -> float:
        """The calibrated confidence of a score; both in 0..1."""
        score = min(max(score, 1 - _SUREST), _SUREST)
        offset = self.offset + self.at_stamps * at_stamp
        return 1 / (1 + math.exp(-self.slope * math.log(score / (1 - score)) - offset))


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """Weights with everything needed to use them.

    ``input_sizes``: the longer side of the network's input in pixels, one for each look at a page, largest first.
    ``small_print``: how long a page's longer side is instead at the largest look where its print is small.
    ``classes`` are in the order of the network's class scores; ``files`` maps a format (``onnx``, ``pytorch``) to the
    network for each look, after them that for parts seen from near where they have their own, or to one network for
    all: paths whose content has been checked against its recorded sha256.
    """

    name: str
    version: str
    classes: tuple[str, ...]
    input_sizes: tuple[int, ...]
    thresholds: Thresholds
    files: dict[str, tuple[Path, ...]]
    calibration: Calibration = Calibration()
    small_print: int = 0

    def __post_init__(self) -> None:
        if not self.input_sizes or list(self.input_sizes) != sorted(set(self.input_sizes), reverse=True):
            raise ValueError(f"input sizes are one or more, largest first, not {self.input_sizes}")
        looks = len(self.input_sizes)
        if any(len(networks) not in {1, looks, looks + 1} for networks in self.files.values()):
            raise ValueError(f"files hold one network, or one for each of {looks} looks and at most one for parts")

    @property
    def has_near_network(self) -> bool:
        """Whether parts of a page seen from near have a network of their own."""
        return any(len(networks) > len(self.input_sizes) for networks in self.files.values())

    @property
    def raster(self) -> Fit:
        """How large the rasters are that every look is taken at."""
        largest = self.input_sizes[0]
        return Fit(largest, largest, self.small_print)
