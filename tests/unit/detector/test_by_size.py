import numpy as np
import pytest

from services.detector.yolo.arrays import Floats
from services.detector.yolo.backends.by_size import NetworkForEachSize


class Named:
    """A network that answers with its number."""

    name, device, preferred_batch = "openvino", "CPU", 4

    def __init__(self, number: int) -> None:
        self.number = number

    def infer(self, batch: Floats) -> Floats:
        return np.full((len(batch), 7, 1), self.number, dtype=np.float32)


@pytest.mark.parametrize(
    ("height", "width", "number"),
    [(1024, 768, 1), (768, 1024, 1), (1024, 1024, 1), (640, 480, 2), (480, 640, 2), (576, 576, 1)],
)
def test_each_look_is_taken_by_its_own_network_however_a_page_lies_and_parts_by_the_largest(
    height: int, width: int, number: int
) -> None:
    networks = NetworkForEachSize([1024, 640], [Named(1), Named(2)])
    output = networks.infer(np.zeros((3, 3, height, width), dtype=np.float32))
    assert output.shape == (3, 7, 1)
    assert (output == number).all()


def test_parts_seen_from_near_may_have_a_network_of_their_own() -> None:
    networks = NetworkForEachSize([1024, 640, 576], [Named(1), Named(2), Named(3)])
    for side, number in ((1024, 1), (640, 2), (576, 3), (1440, 1)):
        assert (networks.infer(np.zeros((1, 3, side, side), dtype=np.float32)) == number).all()
