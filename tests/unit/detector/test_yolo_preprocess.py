import numpy as np
import pytest

from services.detector.yolo.preprocess import bucket, place, tensor, view


@pytest.mark.parametrize(
    ("height", "width", "size", "expected"),
    [
        (640, 453, 640, (640, 480)),
        (640, 480, 640, (640, 480)),
        (640, 495, 640, (640, 512)),
        (640, 513, 640, (640, 640)),
        (640, 640, 640, (640, 640)),
        (453, 640, 640, (480, 640)),
        (640, 1, 640, (640, 480)),
        (1024, 724, 1024, (1024, 768)),
        (1024, 800, 1024, (1024, 832)),
        (320, 230, 320, (320, 256)),
    ],
)
def test_buckets_are_few_and_fit(height: int, width: int, size: int, expected: tuple[int, int]) -> None:
    chosen = bucket(height, width, size)
    assert chosen == expected
    assert all(side % 32 == 0 for side in chosen)


def test_a_raster_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        bucket(600, 400, 640)


def test_the_raster_lies_in_the_middle_of_ultralytics_grey() -> None:
    raster = np.random.default_rng(1).integers(0, 256, (640, 453, 3), dtype=np.uint8)
    placement = place(raster, (2480, 3508), (640, 480))
    result = tensor(raster, placement, (640, 480))
    assert result.shape == (3, 640, 480)
    assert result.dtype == np.float32
    assert (placement.left, placement.top) == (13, 0)
    np.testing.assert_allclose(result[:, :, 13:466], raster.transpose(2, 0, 1) / 255, atol=1e-6)
    np.testing.assert_allclose(result[:, :, :13], 114 / 255, atol=1e-6)
    np.testing.assert_allclose(result[:, :, 466:], 114 / 255, atol=1e-6)


def test_a_grey_view_gives_three_equal_channels() -> None:
    grey = np.broadcast_to(np.arange(64, dtype=np.uint8).reshape(8, 8, 1), (8, 8, 3))
    result = tensor(grey, place(grey, (8, 8), (32, 32)), (32, 32))
    np.testing.assert_array_equal(result[0], result[2])


@pytest.mark.parametrize(("width", "height"), [(2480, 3508), (3508, 2480), (1000, 1000), (30, 5000)])
def test_boxes_come_back_to_where_they_are_on_the_page(width: int, height: int) -> None:
    size = 640
    scale = size / max(width, height)
    shape = (max(1, round(height * scale)), max(1, round(width * scale)), 3)
    raster = np.zeros(shape, dtype=np.uint8)
    placement = place(raster, (width, height), bucket(shape[0], shape[1], size))
    on_page = np.array([[0.1 * width, 0.2 * height, 0.4 * width, 0.9 * height]], dtype=np.float32)
    shares = np.array([shape[1] / width, shape[0] / height] * 2, dtype=np.float32)
    in_network = on_page * shares + np.array([placement.left, placement.top] * 2, dtype=np.float32)
    np.testing.assert_allclose(placement.to_page(in_network), on_page, atol=0.01)


def test_boxes_are_cut_at_the_page_s_edges() -> None:
    raster = np.zeros((640, 453, 3), dtype=np.uint8)
    placement = place(raster, (2480, 3508), (640, 480))
    corners = placement.to_page(np.array([[-50, -50, 1000, 1000]], dtype=np.float32))
    np.testing.assert_array_equal(corners, [[0, 0, 2480, 3508]])


@pytest.mark.parametrize("grey", [True, False])
def test_a_smaller_look_shows_the_same_page(grey: bool) -> None:
    bands = np.random.default_rng(1).integers(0, 256, (896, 634, 1 if grey else 3), dtype=np.uint8)
    raster = np.broadcast_to(bands, (896, 634, 3))
    small = view(raster, (2480, 3508), 640)
    assert small.bucket == (640, 480)
    assert (small.placement.raster_height, small.placement.raster_width) == (640, 453)
    whole = np.array([[small.placement.left, 0, small.placement.left + 453, 640]], dtype=np.float32)
    np.testing.assert_allclose(small.placement.to_page(whole), [[0, 0, 2480, 3508]], rtol=1e-4)
    shown = small.tensor[:, :, small.placement.left : small.placement.left + 453]
    assert shown.mean() == pytest.approx(raster.mean() / 255, abs=0.01)
    assert (shown[0] == shown[2]).all() == grey
