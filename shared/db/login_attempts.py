"""Failed log-ins, counted so that guessing is slow. Only hashes of e-mail addresses are kept, for a day at most."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, func, insert, or_, select

from shared.db.tables import login_attempts

_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """Failures allowed in ``window_s`` seconds: of one address for one account, of one address, for one account."""

    window_s: float
    pair: int
    address: int
    email: int


def begin(connection: Connection, email: str, address: str, limits: AttemptLimits) -> int | None:
    """Note an attempt before it is judged, so that many at once cannot slip through; its id, None when refused.

    ``succeeded`` takes it back.
    """
    digest = hashlib.sha256(email.encode()).digest()
    connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest[:8], signed=True))))
    if _is_refused(connection, digest, address, limits):
        return None
    connection.execute(delete(login_attempts).where(login_attempts.c.at < func.now() - _KEPT))
    noted = insert(login_attempts).values(email_hash=digest, address=address).returning(login_attempts.c.id)
    return int(connection.execute(noted).scalar_one())


def _is_refused(connection: Connection, digest: bytes, address: str, limits: AttemptLimits) -> bool:
    same_email, same_address = login_attempts.c.email_hash == digest, login_attempts.c.address == address
    found = connection.execute(
        select(
            func.count().filter(same_email & same_address).label("pair"),
            func.count().filter(same_address).label("address"),
            func.count().filter(same_email).label("email"),
        ).where(
            or_(same_email, same_address),
            login_attempts.c.at > func.now() - timedelta(seconds=limits.window_s),
        )
    ).one()
    return bool(found.pair >= limits.pair or found.address >= limits.address or found.email >= limits.email)


def succeeded(connection: Connection, email: str, address: str) -> None:
    """The person knew the password: earlier mistakes from there do not count any more."""
    digest = hashlib.sha256(email.encode()).digest()
    connection.execute(
        delete(login_attempts).where(login_attempts.c.email_hash == digest, login_attempts.c.address == address)
    )
