"""Where webhooks may go, and that a connection goes where the check looked."""

import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address, ip_network

import httpcore
import pytest

from services.notifier.channels.addresses import Address, AddressPolicy, AddressRefusedError, GuardedNetwork

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1", "::ffff:10.0.0.1"]
NEVER = [
    "169.254.169.254",
    "fe80::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff0e::1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.0.8",
    "198.18.0.1",
    "fec0::1",
    "2001:0:1::1",
    "2001:db8::1",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert AddressPolicy().permits(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE + NEVER)
def test_all_others_are_refused_by_default(address: str) -> None:
    assert not AddressPolicy().permits(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_private_ones_may_be_allowed(address: str) -> None:
    assert AddressPolicy(allow_private=True).permits(ip_address(address))


@pytest.mark.parametrize("address", NEVER)
def test_allowing_private_ones_opens_no_special_one(address: str) -> None:
    """Above all not 169.254.169.254, where clouds hand out credentials."""
    assert not AddressPolicy(allow_private=True).permits(ip_address(address))


def test_an_allowed_network_opens_itself_and_nothing_else() -> None:
    policy = AddressPolicy(allowed_networks=[ip_network("10.1.0.0/16")])
    assert policy.permits(ip_address("10.1.2.3"))
    assert policy.permits(ip_address("::ffff:10.1.2.3"))
    assert not policy.permits(ip_address("10.2.0.1"))


@pytest.fixture
def server() -> Iterator[tuple[int, list[str]]]:
    """A loopback server's port and the Host headers it has seen."""
    hosts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hosts.append(self.headers["Host"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
    yield listening.server_port, hosts
    listening.shutdown()
    listening.server_close()


class Resolver:
    """A name server whose answers change from question to question, as an attacker's do."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked += 1
        return [ip_address(one) for one in self.answers[min(self.asked, len(self.answers)) - 1]]


def get(url: str, policy: AddressPolicy, resolver: Resolver) -> int:
    with httpcore.ConnectionPool(network_backend=GuardedNetwork(policy, 2.0, resolver)) as pool:
        return pool.request("GET", url).status


def test_the_connection_goes_to_the_address_that_was_checked(server: tuple[int, list[str]]) -> None:
    port, hosts = server
    resolver = Resolver(["127.0.0.1"], ["203.0.113.9"])
    url = f"http://hooks.example:{port}/"
    assert get(url, AddressPolicy(allow_private=True), resolver) == 204
    assert resolver.asked == 1, "asked again, the name could have changed its mind"
    assert hosts == [f"hooks.example:{port}"]


def test_a_name_that_turns_private_is_refused_at_that_request(server: tuple[int, list[str]]) -> None:
    port, hosts = server
    with pytest.raises(AddressRefusedError, match=r"127\.0\.0\.1"):
        get(f"http://hooks.example:{port}/", AddressPolicy(), Resolver(["127.0.0.1"]))
    assert hosts == []


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1"):
        get("http://hooks.example/", AddressPolicy(), Resolver(["93.184.216.34", "10.0.0.1"]))


def test_the_next_address_is_tried_when_one_does_not_answer(server: tuple[int, list[str]]) -> None:
    port, _ = server
    policy = AddressPolicy(allow_private=True)
    assert get(f"http://hooks.example:{port}/", policy, Resolver(["127.0.0.2", "127.0.0.1"])) == 204


def test_a_name_without_address_is_a_fault_of_the_network() -> None:
    with pytest.raises(httpcore.ConnectError):
        get("http://hooks.example/", AddressPolicy(), Resolver([]))
