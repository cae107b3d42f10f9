"""Which models a job may ask for: those whose versions lie in the models folder."""

import time

from services.gateway.problems import Problem
from shared.domain.errors import ErrorCode
from shared.settings import ModelSettings

_FRESH_S = 5.0


class KnownModels:
    """The names found in the folder, looked up again every few seconds: versions are added while we run."""

    def __init__(self, settings: ModelSettings) -> None:
        self._directory = settings.directory
        self._names: frozenset[str] = frozenset()
        self._read_at = -_FRESH_S

    def check(self, name: str) -> None:
        """Raise a problem unless there is such a model. Where no folder is, the detector decides."""
        if name in self._current() or not self._directory.is_dir():
            return
        known = ", ".join(sorted(self._names)) or "none yet"
        raise Problem(
            ErrorCode.UNKNOWN_MODEL, f"There is no model of this name. Known: {known}.", errors=[("/model", "Unknown.")]
        )

    def _current(self) -> frozenset[str]:
        if time.monotonic() - self._read_at >= _FRESH_S:
            self._names = frozenset(path.parts[-3] for path in self._directory.glob("*/*/model.json"))
            self._read_at = time.monotonic()
        return self._names
