"""Scaled pages keep their strokes sharp and their boxes on the ink."""

from typing import Any

import numpy as np
import pytest
import torch

PAPER, INK = 250, 10
BOX = np.array([[30, 60, 90, 84]], np.float32)  # left, top, right, bottom


@pytest.fixture(autouse=True)
def _same_chances() -> None:
    torch.manual_seed(4)


def page() -> dict[str, Any]:
    from ultralytics.utils.instance import Instances

    image = np.full((200, 140, 3), PAPER, np.uint8)
    left, top, right, bottom = BOX[0].astype(int)
    image[top:bottom, left:right] = INK
    instances = Instances(BOX.copy(), np.zeros((0, 1000, 2), np.float32), None, "xyxy", normalized=False)
    return {"img": image, "cls": np.zeros((1, 1), np.float32), "instances": instances}


def scaling() -> Any:
    from services.trainer.sharp_scaling import SharpScaling

    return SharpScaling(translate=0.1, scale=0.4, size=(200, 200))


def test_boxes_stay_on_the_ink() -> None:
    widths = set()
    for _ in range(40):
        shown = scaling()(page())
        assert shown["img"].shape == (200, 200, 3) == (*shown["resized_shape"], 3)
        rows, columns = np.nonzero(shown["img"][:, :, 0] < 60)
        ink = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        shown["instances"].convert_bbox("xyxy")
        assert np.allclose(shown["instances"].bboxes[0], ink, atol=1)
        widths.add(ink[2] - ink[0])
    assert min(widths) < 48
    assert max(widths) > 72


def test_many_pages_keep_every_pixel() -> None:
    shown = [scaling()(page())["img"] for _ in range(60)]
    as_they_were = [image for image in shown if set(np.unique(image)) <= {INK, 114, PAPER}]
    assert 12 <= len(as_they_were) <= 40


def test_shrunk_strokes_are_averaged() -> None:
    lined = page()
    lined["img"][:] = np.where(np.arange(140) % 4 == 0, 0, PAPER)[None, :, None]
    shown = scaling().apply_image(lined, {"M": np.diag([0.5, 0.5, 1.0]), "scale": 0.5, "size": (70, 100)})["img"]
    assert abs(float(shown[:, ::2].mean()) - PAPER / 2) < 2
    assert shown[:, 1::2].min() == PAPER


def test_ultralytics_own_warp_is_replaced_wherever_it_is() -> None:
    from ultralytics.data.augment import Compose, RandomPerspective

    from services.trainer.sharp_scaling import SharpScaling, scale_sharply

    transforms = Compose([Compose([RandomPerspective(scale=0.3, translate=0.2, size=(64, 64))]), lambda labels: labels])
    scale_sharply(transforms)
    replaced = transforms.transforms[0].transforms[0]
    assert type(replaced) is SharpScaling
    assert (replaced.scale, replaced.translate, replaced.size) == (0.3, 0.2, (64, 64))
