"""Which model a job gets: the one it names, if its versions lie in the models folder, or the deployment's default."""

import time

from services.gateway.problems import Problem
from shared.domain.errors import ErrorCode
from shared.settings import ModelSettings

_FRESH_S = 5.0


class KnownModels:
    """The names found in the folder, looked up again every few seconds: versions are added while we run."""

    def __init__(self, settings: ModelSettings) -> None:
        self._directory = settings.directory
        self._default = settings.default
        self._names: frozenset[str] = frozenset()
        self._read_at = -_FRESH_S

    def choose(self, named: str | None) -> str:
        """The model of a job that names this one or none; a problem unless it is there. Where no folder is, any."""
        name = named or self._default
        if name in self._current() or not self._directory.is_dir():
            return name
        known = ", ".join(sorted(self._names)) or "none yet"
        what = "There is no model of this name." if named else f"The default model here, {name}, is missing."
        raise Problem(ErrorCode.UNKNOWN_MODEL, f"{what} Known: {known}.", errors=[("/model", "Unknown.")])

    def _current(self) -> frozenset[str]:
        if time.monotonic() - self._read_at >= _FRESH_S:
            self._names = frozenset(path.parts[-3] for path in self._directory.glob("*/*/model.json"))
            self._read_at = time.monotonic()
        return self._names
