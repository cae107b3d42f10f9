"""People at the pages of a running gateway."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Engine

from services.gateway.web import passwords
from services.gateway.web.settings import WebSettings
from services.gateway.web.visitors import SESSION_COOKIE, csrf_token
from shared.db import accounts, keys, sessions
from shared.db.accounts import Account, Role
from tests import loopback
from tests.integration.gateway.conftest import GatewayProcess

PASSWORD = "a horse in the garden"


@cache
def password_hash() -> str:
    """Made once: each takes a tenth of a second on purpose."""
    return passwords.hash_password(PASSWORD)


@dataclass
class Person:
    """A browser: cookies, and the CSRF token of the page last seen."""

    http: httpx.Client
    account: Account | None = None
    opened_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def get(self, path: str, **options: object) -> httpx.Response:
        return self.http.get(path, headers={"Accept": "text/html"}, **options)  # type: ignore[arg-type]

    @property
    def csrf(self) -> str:
        """The token any page would hold."""
        session = self.http.cookies.get(SESSION_COOKIE)
        return csrf_token(session) if session else self._csrf_of_login_page()

    def _csrf_of_login_page(self) -> str:
        found = re.search(r'name="csrf_token" value="(\w+)"', self.get("/login").text)
        assert found
        return found.group(1)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """A form of ours."""
        return self.http.post(path, data={"csrf_token": self.csrf, **fields}, headers={"Accept": "text/html"})

    def in_french(self, shown: httpx.Response) -> httpx.Response:
        """Where a click on "Français" leads from the page that is shown."""
        here = re.search(r'action="/language">.*?name="next" value="([^"]+)"', shown.text, re.DOTALL)
        assert here
        chosen = self.post("/language", language="fr", next=here.group(1))
        return self.get(chosen.headers["location"], follow_redirects=True)

    def api(self, method: str, path: str, **options: object) -> httpx.Response:
        """A request our scripts make."""
        return self.http.request(method, path, headers={"X-CSRF-Token": self.csrf, "If-Match": "*"}, **options)  # type: ignore[arg-type]

    def log_in(self, email: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        values = {"csrf_token": self._csrf_of_login_page(), "email": email, "password": password, **fields}
        return self.http.post("/login", data=values)


MakePerson = Callable[..., Person]


def open_browser(gateway: GatewayProcess) -> Person:
    return Person(loopback.Client(base_url=gateway.url, timeout=30))


@pytest.fixture
def visitor(gateway: GatewayProcess) -> Iterator[Person]:
    """Somebody without a session."""
    person = open_browser(gateway)
    yield person
    person.http.close()


def make_account(engine: Engine, email: str, role: Role, client: str = "acme") -> Account:
    with engine.begin() as connection:
        owner = keys.ensure_client(connection, client)
        return accounts.create(connection, owner.id, email, password_hash(), role)


def open_session(engine: Engine, account_id: UUID) -> str:
    with engine.begin() as connection:
        return sessions.open_one(connection, account_id, WebSettings().session_limits)


@pytest.fixture
def make_person(gateway: GatewayProcess, engine: Engine) -> Iterator[MakePerson]:
    """Somebody with an account and a session, at a browser of their own."""
    opened: list[Person] = []

    def make(role: Role = Role.OPERATOR, email: str = "", client: str = "acme") -> Person:
        account = make_account(engine, email or f"{role}@{client}.example", role, client)
        person = open_browser(gateway)
        person.account = account
        person.http.cookies.set(SESSION_COOKIE, open_session(engine, account.id))
        opened.append(person)
        return person

    yield make
    for person in opened:
        person.http.close()


@pytest.fixture
def operator(make_person: MakePerson) -> Person:
    return make_person(Role.OPERATOR)


@pytest.fixture
def administrator(make_person: MakePerson) -> Person:
    return make_person(Role.ADMINISTRATOR)
