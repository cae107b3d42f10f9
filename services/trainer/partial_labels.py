"""Training on pages that are labelled for some kinds of box only.

Real scans are labelled for signatures; their stamps and initials are simply not marked. Counted as background they
would teach the network that a real stamp is none. So the classification loss of such a page leaves those kinds out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

FULLY_LABELLED = "full__"
"""Packed pages whose file name starts so are labelled for every kind."""


class KnownKindsLoss(nn.Module):
    """Binary cross-entropy per anchor and kind, zero where a page is not labelled for the kind.

    known is (batch,) true for fully labelled pages, or None to count everything, as in validation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.known: torch.Tensor | None = None

    def forward(self, scores: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Scores and target (batch, anchors, kinds); the first kind is labelled everywhere."""
        loss = nn.functional.binary_cross_entropy_with_logits(scores, target, reduction="none")
        if self.known is None or len(self.known) != len(loss):
            return loss
        mask = torch.ones_like(loss)
        mask[~self.known, :, 1:] = 0
        return loss * mask


def note_labelled_kinds(model: Any, files: Sequence[str]) -> None:
    """Tell the model's loss which pages of the coming batch are fully labelled."""
    if getattr(model, "criterion", None) is None:
        model.criterion = model.init_criterion()
    names = [file.replace("\\", "/").rsplit("/", 1)[-1] for file in files]
    known = torch.tensor([name.startswith(FULLY_LABELLED) for name in names])
    for loss in _losses(model.criterion):
        if not isinstance(loss.bce, KnownKindsLoss):
            loss.bce = KnownKindsLoss()
        loss.bce.known = known


def _losses(criterion: Any) -> list[Any]:
    """A network without suppression of doubles (YOLO26) is taught by two: many boxes for each signature, and one."""
    both = [getattr(criterion, part, None) for part in ("one2many", "one2one")]
    return [loss for loss in both if loss is not None] or [criterion]
