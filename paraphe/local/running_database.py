"""The address of the database that a `paraphe up` on this machine runs.

Stands on nothing that runs servers: images have none of that.
"""

import json
from pathlib import Path

DATABASE = "paraphe"
"""The name of the database, and of the role that owns it."""


def running_database_url(data: Path) -> str | None:
    """Read off the folder without changing anything in it; None when no database was ever started there."""
    try:
        port = json.loads((data / "ports.json").read_text())["postgres"]
        password = json.loads((data / "secrets.json").read_text())["postgres_password"]
    except (FileNotFoundError, KeyError):
        return None
    return f"postgresql://{DATABASE}:{password}@127.0.0.1:{port}/{DATABASE}"
