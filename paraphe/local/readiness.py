"""Whether a server of this machine answers."""

import urllib.request

# Not by a proxy that the environment names: what it calls 127.0.0.1 is its own machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url: str, timeout_s: float) -> bool:
    """Whether a GET of ``url`` succeeds in time."""
    try:
        with _direct.open(url, timeout=timeout_s) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
