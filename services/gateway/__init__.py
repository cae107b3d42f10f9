"""The only door: REST in, jobs and results out. ``python -m services.gateway`` runs it."""
