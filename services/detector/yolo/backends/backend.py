"""What every runtime offers."""

from typing import Literal, Protocol

from services.detector.yolo.arrays import Floats

Precision = Literal["f32", "auto"]
"""``f32``: the same boxes on every machine. ``auto``: whatever the hardware does fastest (bf16, mostly)."""


class Backend(Protocol):
    """One network on one runtime. Not thread-safe: one thread owns it."""

    @property
    def name(self) -> str:
        """The runtime's name, for logs, metrics and settings."""

    @property
    def device(self) -> str:
        """What it computes on, for people: ``CPU``, or a GPU's name."""

    @property
    def preferred_batch(self) -> int:
        """Pages a forward beyond which there is nothing to gain on this hardware."""

    def infer(self, batch: Floats) -> Floats:
        """One forward: float32 [pages, 3, height, width] in 0..1 to the network's first output, float32."""
