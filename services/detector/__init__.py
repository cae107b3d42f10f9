"""The Celery worker that examines documents: pages → model → boxes → verdict."""
