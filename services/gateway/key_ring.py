"""Keys seen a moment ago, so that not every request asks the database."""

import hashlib
import time
from uuid import UUID

from shared.db.keys import ApiKey

_MOST_REMEMBERED = 10_000


class KeyRing:
    """Live keys by the digest of their text."""

    def __init__(self, remember_s: float) -> None:
        self._remember_s = remember_s
        self._seen: dict[bytes, tuple[ApiKey, float]] = {}

    def recall(self, text: str) -> ApiKey | None:
        """The key, if it was found within the last seconds."""
        found = self._seen.get(_digest(text))
        return found[0] if found and found[1] > time.monotonic() else None

    def remember(self, text: str, key: ApiKey) -> None:
        """Keep it for a few seconds."""
        if len(self._seen) >= _MOST_REMEMBERED:
            self._seen.clear()
        self._seen[_digest(text)] = (key, time.monotonic() + self._remember_s)

    def forget(self, key_id: UUID) -> None:
        """Drop a revoked key at once."""
        for digest in [digest for digest, (key, _) in list(self._seen.items()) if key.id == key_id]:
            self._seen.pop(digest, None)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
