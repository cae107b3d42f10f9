"""Which addresses webhooks may go to, and connections that go nowhere else."""

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from ssl import SSLContext
from typing import Any

import httpcore

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Sequence[Address]]

_NAT64 = ip_network("64:ff9b::/96")
_PRIVATE = tuple(
    ip_network(network)
    for network in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
)
# Special, though the standard library calls (some of) them global: protocol assignments, Teredo, old site-local.
_SPECIAL = tuple(ip_network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "fec0::/10"))


class AddressRefusedError(Exception):
    """The host has an address that webhooks must not go to; the message names it."""


class AddressPolicy:
    """Public addresses only, unless told otherwise.

    ``allow_private`` adds private and loopback addresses; link-local ones (cloud metadata lies there), multicast and
    the other special ones stay refused unless they lie in one of ``allowed_networks``.
    """

    def __init__(self, *, allow_private: bool = False, allowed_networks: Iterable[Network] = ()) -> None:
        self._allow_private = allow_private
        self._allowed_networks = tuple(allowed_networks)

    def permits(self, address: Address) -> bool:
        """Whether a webhook may be sent there."""
        if _lies_in(self._allowed_networks, address):
            return True
        embedded = _embedded_ipv4(address)
        if embedded is not None:
            return self.permits(embedded)
        if _lies_in(_PRIVATE, address):
            return self._allow_private
        is_special = address.is_multicast or address.is_reserved or _lies_in(_SPECIAL, address)
        return address.is_global and not is_special


def _lies_in(networks: Iterable[Network], address: Address) -> bool:
    return any(address in network for network in networks)


def _embedded_ipv4(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address of a translation or tunnel leads to."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def resolve(host: str, port: int) -> list[Address]:
    """Every address the system's resolver knows for the host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


class GuardedNetwork(httpcore.NetworkBackend):
    """Connects to a host only after checking every address it has, and then to one of those just checked.

    So a name that changes its address between check and connection (DNS rebinding) gains nothing. All that happens on
    its connections ends ``timeout_s`` after this object was made: make one a request.
    """

    def __init__(self, policy: AddressPolicy, timeout_s: float, resolver: Resolver = resolve) -> None:
        self._policy = policy
        self._resolver = resolver
        self._deadline = time.monotonic() + timeout_s
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline decides
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to one of the host's addresses, tried in the resolver's order."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._checked_addresses(host, port):
            try:
                stream = self._plain.connect_tcp(
                    str(address), port, _left(self._deadline), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure

    def _checked_addresses(self, host: str, port: int) -> Sequence[Address]:
        try:
            addresses = self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
        for address in addresses:
            if not self._policy.permits(address):
                raise AddressRefusedError(f"{host} leads to {address}, where webhooks may not go")
        return addresses


class _TimedStream(httpcore.NetworkStream):
    """A stream with one deadline for everything: single reads' time-outs do not stop one that sends byte by byte."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("no answer in time")
    return left
