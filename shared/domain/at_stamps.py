"""Signatures that a found stamp touches: their scores understate how often they are one (docs/decisions/0019).

They are hard to see, so stamps are looked at from near (docs/decisions/0017).
"""

from collections.abc import Sequence

from shared.domain.detection import Detection, Kind

SURE_STAMP = 0.3
"""The score, before calibration, from which on a stamp counts as found where that changes how a page is looked at."""

ENLARGED = 1.4
"""How many times as large as in the largest look a part of a page is seen from near."""


def at_stamps(found: Sequence[Detection]) -> list[bool]:
    """Of each, whether it is a signature that a found stamp touches; confidences are scores not calibrated yet."""
    stamps = [one.box for one in found if one.kind is Kind.STAMP and one.confidence >= SURE_STAMP]
    return [one.kind is Kind.SIGNATURE and any(one.box.touches(stamp) for stamp in stamps) for one in found]
