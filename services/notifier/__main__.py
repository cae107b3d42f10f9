"""``python -m services.notifier``: run one notifier."""

from services.notifier.service import main

main()
