"""Makes an administrator's key and prints it, once: for the first start of a system that has none.

``docker compose run --rm migrate python /opt/paraphe/first_key.py [NAME]``. Whoever can run this has the database's
password and needs no key; every further key is made by API (``paraphe keys create``).
"""

import sys

from shared.db import keys
from shared.db.engine import make_engine
from shared.settings import PostgresSettings

_CLIENT = "default"


def main() -> None:
    """Print the secret on standard output, and nothing else there."""
    name = sys.argv[1] if len(sys.argv) > 1 else "administrator"
    engine = make_engine(PostgresSettings())
    with engine.begin() as connection:
        made, secret = keys.create(connection, client_name=_CLIENT, name=name, scopes=list(keys.Scope))
    print(f"key {made.id} of client '{_CLIENT}'; its secret is shown this once:", file=sys.stderr)
    print(secret)


if __name__ == "__main__":
    main()
