"""What can go wrong while starting everything on one machine; every message says what to do."""


class StartupError(Exception):
    """Something could not be started. The message is for the person at the terminal."""


class AlreadyRunningError(StartupError):
    """Another ``paraphe up`` owns this data folder. ``pid`` and ``url`` say which, where it has told."""

    def __init__(self, folder: str, pid: int | None, url: str | None) -> None:
        who = f"process {pid}" if pid else "another process"
        where = f", at {url}" if url else ", still starting"
        super().__init__(f"Paraphe already runs on {folder} ({who}{where}). Stop it, or give another --data DIR")
        self.pid = pid
        self.url = url
