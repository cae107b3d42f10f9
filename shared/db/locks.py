"""Advisory locks of the database. Their numbers share one space: two that were alike would wait for each other."""

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    """Any constants."""

    MIGRATION = 7_206_941
    """Two services that start at once must not migrate at once."""
    RECONCILER = 7_206_942
    """Held by the reconciler that leads, for as long as it lives."""
    DIGEST = 7_206_943
    """Two notifiers must not write the same summary at once."""
    INCIDENT_MAIL = 7_206_944
    """With a hash of kind and code: two transactions must not mail the same reason at once."""
