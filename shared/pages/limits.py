"""What one document may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """Bounds on rendering one document; crossing one fails the document with its own error code.

    ``seconds`` bounds the time waited for the renderer over the whole document, ``seconds_per_page`` that of each
    page; a slow consumer is not charged. ``memory_bytes`` bounds the renderer's address space: a page needs up to
    eight bytes a pixel while it is decoded. PDF pages are drawn at ``pdf_dpi``, or as large as
    ``max_page_pixels`` allow.
    """

    max_pages: int = 300
    max_page_pixels: int = 100_000_000
    seconds: float = 120.0
    seconds_per_page: float = 20.0
    memory_bytes: int = 2 * 1024**3
    pdf_dpi: int = 200

    def __post_init__(self) -> None:
        if min(self.max_pages, self.max_page_pixels, self.seconds, self.seconds_per_page, self.pdf_dpi) <= 0:
            raise ValueError(f"render limits must be positive, not {self}")
        if self.memory_bytes < 256 * 1024**2:
            raise ValueError("memory_bytes under 256 MiB leaves the renderer no room to start")
