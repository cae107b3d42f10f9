"""Windows: pixels and boxes move together, cut-off boxes go."""

import torch

from services.trainer.cropping import WindowCropper


def test_boxes_follow_their_pixels() -> None:
    images, boxes, owner = torch.zeros(40, 3, 96, 96), [], []
    for number in range(40):
        x, y = 8 + number, 70 - number
        images[number, :, y : y + 12, x : x + 20] = 1
        boxes.append([(x + 10) / 96, (y + 6) / 96, 20 / 96, 12 / 96])
        owner.append(number)
    batch = {
        "img": images,
        "bboxes": torch.tensor(boxes),
        "cls": torch.arange(40.0)[:, None],
        "batch_idx": torch.tensor(owner).float(),
    }
    cropped = WindowCropper(64, whole=0.0, seed=1).crop(batch)
    assert cropped["img"].shape == (40, 3, 64, 64)
    assert 10 < len(cropped["bboxes"]) < 40
    for box, kind, image in zip(cropped["bboxes"], cropped["cls"], cropped["batch_idx"].long(), strict=True):
        assert int(kind) == int(image)
        rows, columns = torch.nonzero(cropped["img"][image, 0], as_tuple=True)
        left, top = (box[:2] - box[2:] / 2) * 64
        right, bottom = (box[:2] + box[2:] / 2) * 64
        expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert torch.allclose(torch.stack([left, top, right, bottom]), torch.stack(expected).float(), atol=1e-3)
        assert image in owner


def test_some_batches_are_reduced_whole() -> None:
    images = torch.zeros(2, 3, 96, 96)
    images[:, :, 24:48, 48:72] = 1
    batch = {"img": images, "bboxes": torch.tensor([[0.625, 0.375, 0.25, 0.25]]), "batch_idx": torch.tensor([0.0])}
    batch["cls"] = torch.zeros(1, 1)
    cropper = WindowCropper(64, whole=0.5, seed=1)
    cropped = [cropper.crop(batch) for _ in range(40)]
    reduced = [each for each in cropped if each["bboxes"] is batch["bboxes"]]
    assert 10 < len(reduced) < 30
    assert all(each["img"].shape == (2, 3, 64, 64) for each in cropped)
    for each in reduced:
        rows, columns = torch.nonzero(each["img"][0, 0] > 0.5, as_tuple=True)
        assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == [32, 16, 48, 32]


def test_small_images_stay() -> None:
    batch = {"img": torch.zeros(1, 3, 64, 64)}
    assert WindowCropper(64, whole=0.0, seed=1).crop(batch) is batch
