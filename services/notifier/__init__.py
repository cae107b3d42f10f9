"""The notifier: records every event once, counts it, and tells those who asked to hear of it."""
