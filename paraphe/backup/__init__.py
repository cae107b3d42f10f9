"""Backup and restore: a dump of the database, a listing of the objects with their hashes, and the way back."""
