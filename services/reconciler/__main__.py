"""``python -m services.reconciler``: run one reconciler."""

from services.reconciler.service import main

main()
