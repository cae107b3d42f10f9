"""One renderer for the tests that only render."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.domain.fit import Fit
from shared.pages.limits import RenderLimits
from shared.pages.renderer import RenderedPage, Renderer

Render = Callable[..., list[RenderedPage]]


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    with Renderer(1) as started:
        yield started


@pytest.fixture
def render(renderer: Renderer, tmp_path: Path) -> Render:
    """Bytes (and limits) to pages, their longer side 100 pixels."""

    def rendered(content: bytes, size: int = 100, **limits: object) -> list[RenderedPage]:
        path = tmp_path / "document"
        path.write_bytes(content)
        return list(renderer.pages(path, Fit(size, size), RenderLimits(**limits)))  # type: ignore[arg-type]

    return rendered
