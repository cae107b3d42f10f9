"""Passwords: argon2id, at most a few at a time, for each takes 64 MiB and a tenth of a second."""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10
MAX_LENGTH = 200

_hasher = PasswordHasher()
_at_a_time = threading.BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """An argon2id hash with its own salt and parameters in it."""
    with _at_a_time:
        return _hasher.hash(password)


def is_right(password: str, hashed: str | None) -> bool:
    """Whether it is the password of this hash. Without one it takes as long: nobody shall learn who has an account."""
    with _at_a_time:
        try:
            matches = _hasher.verify(hashed or _nobodys_hash(), password)
        except (VerificationError, InvalidHashError):
            return False
    return matches and hashed is not None


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody's password")


def fault(password: str, email: str) -> str | None:
    """What is wrong with a password somebody chose, as a key of a text; None when it will do."""
    if len(password) < MIN_LENGTH:
        return "password.too_short"
    if len(password) > MAX_LENGTH:
        return "password.too_long"
    if password.strip().lower() == email.strip().lower() or len(set(password)) < 4:
        return "password.too_simple"
    return None
