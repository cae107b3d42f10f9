"""Documents that nobody signed become labelled pages: what looks like a signature on them and is none."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from paraphe.dataset_folder import Row, Written, new_dataset, write_index
from services.trainer.dataset import DatasetError
from services.trainer.dataset_layouts import IMAGE_SUFFIXES
from shared.domain.errors import DocumentError
from shared.domain.labels import SIGNATURES_ONLY
from shared.pages.limits import RenderLimits
from shared.pages.renderer import Renderer

SOURCE = "unsigned"
"""What the dataset's index calls these pages' source."""
SUFFIXES = IMAGE_SUFFIXES | {".pdf"}

_WIDTH = 1060  # px: upright A4 is then 1500 px high, more than any look at a page takes
_QUALITY = 90

Marked = Callable[[Path], bool]
"""Whether a model takes something on the page in this file for a signature."""
Progress = Callable[[Sequence[Path]], Iterable[Path]]


@dataclass(frozen=True, slots=True)
class UnsignedDocuments:
    """The PDFs and pictures below a folder, of which no page is signed.

    Of each ``pages_each`` pages are taken, the first and others by chance, always the same. With ``marked`` only those
    stay on which it says that a model is mistaken.
    """

    folder: Path
    pages_each: int
    limits: RenderLimits
    marked: Marked | None = None

    def write(self, out: Path, progress: Progress = iter) -> Written:
        """Write a dataset folder, whole or not at all; copies of a document count once.

        DatasetError: there is no page that can be taken. FolderNotEmptyError: ``out`` holds something.
        """
        files = sorted(path for path in self.folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        if not files:
            raise DatasetError(f"{self.folder}: no PDF and no picture in it")
        with new_dataset(out, SOURCE) as folder:
            rows, left_out = self._draw_all(progress(files), folder)
            if not rows:
                why = "the model marks nothing on these documents" if self.marked else "no page could be drawn"
                raise DatasetError("\n".join([f"{self.folder}: {why}", *left_out]))
            write_index(folder, rows)
        return Written(len(rows), len({row["group"] for row in rows}), left_out)

    def _draw_all(self, files: Iterable[Path], folder: Path) -> tuple[list[Row], list[str]]:
        rows: list[Row] = []
        left_out: list[str] = []
        seen: set[str] = set()
        with Renderer(1) as renderer:
            for file in files:
                digest = _digest(file)
                if digest in seen:
                    continue
                seen.add(digest)
                rows += self._draw(file, digest, renderer, folder, left_out)
        return rows, left_out

    def _draw(self, file: Path, digest: str, renderer: Renderer, folder: Path, left_out: list[str]) -> list[Row]:
        """The document's pages, up to one that cannot be drawn."""
        rows: list[Row] = []
        try:
            for number in _chosen(renderer.count_pages(file, self.limits), self.pages_each, digest):
                picture = folder / "images" / SOURCE / f"{digest[:16]}-p{number}.jpg"
                image = Image.fromarray(renderer.picture(file, number, _WIDTH, self.limits).raster.copy())
                image.save(picture, quality=_QUALITY)
                if self.marked and not self.marked(picture):
                    picture.unlink()
                    continue
                (folder / "labels" / SOURCE / f"{picture.stem}.txt").write_text("")
                rows.append(_row(picture, image, file, digest))
        except DocumentError as error:
            left_out.append(f"{file}: {error.detail}")
        return rows


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _chosen(count: int, most: int, digest: str) -> list[int]:
    """The first page, where forms and letters have what others lack, and others by chance; 1-based."""
    others = np.random.default_rng(int(digest, 16)).permutation(np.arange(2, count + 1))[: most - 1]
    return [1, *sorted(int(number) for number in others)]


def _row(picture: Path, image: Image.Image, file: Path, digest: str) -> Row:
    return {
        "source": SOURCE,
        "file": picture.name,
        "width": image.width,
        "height": image.height,
        "n_boxes": 0,
        "group": f"document:{digest}",
        "doc": file.name,
        # Nobody looked for stamps and initials on them.
        "tags": f"unsigned,{SIGNATURES_ONLY}",
    }
