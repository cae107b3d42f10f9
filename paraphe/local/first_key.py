"""The administrator's key: made at the first start, kept in the data folder."""

from sqlalchemy import Engine

from paraphe.local.data_folder import DataFolder
from shared.db import keys

CLIENT_NAME = "default"


def ensure_admin_key(engine: Engine, folder: DataFolder) -> tuple[str, bool]:
    """The key in ``admin.key`` and whether it was made just now.

    A key that the database does not know (another database than last time) is replaced.
    """
    kept = folder.admin_key_file.read_text().strip() if folder.admin_key_file.exists() else ""
    with engine.begin() as connection:
        known = keys.authenticate(connection, kept) if kept else None
        if known is not None and keys.Scope.ADMIN in known.scopes:
            return kept, False
        _, secret = keys.create(connection, client_name=CLIENT_NAME, name="administrator", scopes=list(keys.Scope))
        folder.write_private(folder.admin_key_file.name, secret + "\n")
    return secret, True
