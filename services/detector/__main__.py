"""``python -m services.detector``: run one detector worker."""

from services.detector.worker import main

main()
