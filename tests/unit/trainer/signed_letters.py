"""A little signature data: a letter signed in colour, the same in black and white, and one that is not signed."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from services.trainer.synthesis.ink import rasterise
from services.trainer.synthesis.page import Box
from services.trainer.synthesis.signature import signature

SIGNED_AT: Box = (300.0, 700.0, 560.0, 790.0)


def scan(signed: bool = True) -> np.ndarray:
    """A letter of 850 by 1100 px: lines of print, and a signature that fills its box."""
    page = np.full((1100, 850, 3), 250, np.uint8)
    for y in range(120, 640, 40):
        cv2.putText(
            page, "the parties agree as follows and so on", (90, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 20), 2
        )
    if signed:
        left, top, right, bottom = (int(side) for side in SIGNED_AT)
        alpha = rasterise(signature(np.random.default_rng(4), "Ellen Dimmock"), (right - left, bottom - top), 3.0)
        high, wide = alpha.shape
        region = page[top : top + high, left : left + wide]
        region[alpha > 60] = (30, 40, 140)
    return page


def write_letters(folder: Path) -> Path:
    """Write the three letters, laid out like the project's signature data."""
    for part in ("images/some", "labels/some"):
        (folder / part).mkdir(parents=True)
    Image.fromarray(scan()).save(folder / "images/some/colour.png")
    Image.fromarray(scan()).convert("L").point(lambda value: 255 * (value > 128)).convert("1").save(
        folder / "images/some/black.png"
    )
    Image.fromarray(scan(signed=False)).save(folder / "images/some/blank.png")
    x0, y0, x1, y1 = SIGNED_AT
    line = f"0 {(x0 + x1) / 2 / 850} {(y0 + y1) / 2 / 1100} {(x1 - x0) / 850} {(y1 - y0) / 1100}\n"
    rows = ["source,file,n_boxes,group,split,tags"]
    for name, boxes, tags in (("colour", 1, "en"), ("black", 1, "bilevel"), ("blank", 0, "en")):
        (folder / f"labels/some/{name}.txt").write_text(line * boxes)
        rows.append(f'some,{name}.png,{boxes},{name},train,"{tags}"')
    (folder / "index.csv").write_text("\n".join(rows) + "\n")
    return folder
