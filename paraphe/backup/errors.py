"""What can go wrong with a backup, said to a person."""


class BackupError(Exception):
    """The message says what was wrong and what to do."""
