"""Ways to reach those who asked to hear of an event."""
