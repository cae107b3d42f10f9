"""Paraphe: what a person types (``paraphe``) or imports (``paraphe.Client``)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paraphe.client import Client

__all__ = ["Client"]


def __getattr__(name: str) -> object:
    """Import the client only when it is asked for: the command line starts faster without it."""
    if name == "Client":
        from paraphe.client import Client

        return Client
    raise AttributeError(f"module 'paraphe' has no attribute {name!r}")
