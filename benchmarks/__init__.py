"""Commands that measure and try the system: ``python -m benchmarks.NAME``."""
