"""What a correction changed: a person's boxes of a page against those the model found."""

from enum import StrEnum

from shared.domain.correction import CorrectionContent
from shared.domain.detection import Box, Page

# Browsers and clients round: closer than this (pixels) at every edge is the same box.
_SAME_WITHIN = 1.0


class Change(StrEnum):
    """What became of one box. Only ``confirmed`` is no change: the person agrees with the model."""

    CONFIRMED = "confirmed"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    RELABELLED = "relabelled"


def changes(page: Page, content: CorrectionContent) -> dict[Change, int]:
    """Boxes by what became of them; all kinds of change are there, with 0 where there is none.

    Against the model's boxes also where an earlier correction lies between: it is the model that is judged.
    """
    found = {one.id: one for one in page.detections}
    counts = dict.fromkeys(Change, 0)
    kept = set()
    for said in content.boxes:
        # Two boxes made from one: the first stands for it, the second is the person's own.
        origin = None if said.detection in kept else found.get(said.detection or "")
        if origin is None:
            counts[Change.ADDED] += 1
            continue
        kept.add(origin.id)
        if said.kind is not origin.kind:
            counts[Change.RELABELLED] += 1
        elif _is_same(said.box, origin.box):
            counts[Change.CONFIRMED] += 1
        else:
            counts[Change.MOVED] += 1
    counts[Change.REMOVED] = len(found.keys() - kept)
    return counts


def newly_made(page: Page, content: CorrectionContent, before: CorrectionContent | None) -> dict[Change, int]:
    """What this version brought beyond the one before it, only what there is: saving twice is not correcting twice."""
    earlier = changes(page, before) if before else dict.fromkeys(Change, 0)
    return {change: more for change, now in changes(page, content).items() if (more := now - earlier[change]) > 0}


def _is_same(one: Box, other: Box) -> bool:
    edges = zip(one.corners, other.corners, strict=True)
    return all(abs(here - there) <= _SAME_WITHIN for here, there in edges)
