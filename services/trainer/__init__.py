"""Offline training: datasets, synthesis, fine-tuning, evaluation and export of model versions."""
