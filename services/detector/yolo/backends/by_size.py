"""A model whose looks at a page, far and near, each have a network of their own."""

from collections.abc import Sequence

from services.detector.yolo.arrays import Floats
from services.detector.yolo.backends.backend import Backend


class NetworkForEachSize:
    """Networks on one runtime, one for each size of input, that of the largest look first. See Backend."""

    def __init__(self, sizes: Sequence[int], networks: Sequence[Backend]) -> None:
        self._networks = dict(zip(sizes, networks, strict=True))
        self._largest = networks[0]
        self.name = networks[0].name
        self.device = networks[0].device
        self.preferred_batch = networks[0].preferred_batch

    def infer(self, batch: Floats) -> Floats:
        """See Backend. An input's longer side tells the size; one of another size goes to the largest look's."""
        return self._networks.get(max(batch.shape[2:]), self._largest).infer(batch)
