"""Who is at the browser: a person with a session, or a visitor; and the token that proves a form is ours."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection

from services.gateway.resources import Resources
from services.gateway.web import i18n
from services.gateway.web.i18n import Translator
from shared.db import sessions
from shared.db.accounts import Account, Role, to_account
from shared.db.audit import Actor
from shared.db.keys import DEFAULT_REQUESTS_PER_MINUTE, ApiKey, Scope

SESSION_COOKIE = "paraphe_session"
VISITOR_COOKIE = "paraphe_visitor"
LANGUAGE_COOKIE = "paraphe_language"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"

_MOST_TOKEN = 100


@dataclass(frozen=True, slots=True)
class User:
    """A person with a session."""

    account_id: UUID
    client_id: UUID
    client_name: str
    email: str
    role: Role
    scopes: frozenset[Scope]
    language: str

    @property
    def actor(self) -> Actor:
        """As the audit log names this person."""
        return Actor(self.client_id, account_id=self.account_id)

    def may(self, scope: str) -> bool:
        """Whether the role allows it; templates ask this, too."""
        return scope in self.scopes


@dataclass(slots=True)
class Visit:
    """One request of a browser. ``token`` is what the CSRF token is derived from."""

    user: User | None
    t: Translator
    token: str
    is_new: bool = False

    @property
    def csrf_token(self) -> str:
        """Goes with every form and unsafe request; worthless without the cookie it belongs to."""
        return csrf_token(self.token)


def csrf_token(secret: str) -> str:
    """Derived, so that nothing needs to be kept for it."""
    return hmac.new(secret.encode(), b"paraphe csrf", hashlib.sha256).hexdigest()


def is_csrf_token(secret: str, given: str | None) -> bool:
    """Whether the token is the one that belongs to this cookie."""
    return hmac.compare_digest(csrf_token(secret).encode(), (given or "").encode())


async def visit_of(request: Request) -> Visit:
    """Find out who it is, once a request. Seeing a page is activity, and so is changing something."""
    known = getattr(request.state, "visit", None)
    if isinstance(known, Visit):
        return known
    visit = await _read(request)
    request.state.visit = visit
    return visit


async def _read(request: Request) -> Visit:
    token = request.cookies.get(SESSION_COOKIE, "")
    account = await _account(request, token, is_activity=True) if token else None
    language = _language(request, account)
    if account:
        return Visit(_user(account, language), Translator(language), token)
    visitor = request.cookies.get(VISITOR_COOKIE, "")
    is_new = not 20 <= len(visitor) <= _MOST_TOKEN
    return Visit(None, Translator(language), secrets.token_urlsafe(32) if is_new else visitor, is_new)


async def _account(request: Request, token: str, *, is_activity: bool) -> Account | None:
    gateway: Resources = request.app.state.resources
    limits = gateway.settings.web.session_limits
    if len(token) > _MOST_TOKEN:
        return None

    def look(connection: Connection) -> Account | None:
        row = sessions.find(connection, token, limits)
        if row and is_activity:
            sessions.touch(connection, token, row.last_seen_at, limits)
        return to_account(row) if row else None

    return await run_in_threadpool(gateway.transact, look)


def _language(request: Request, account: Account | None) -> str:
    chosen = (account.language if account else None) or request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in i18n.LANGUAGES else i18n.preferred(request.headers.get("accept-language", ""))


def _user(account: Account, language: str) -> User:
    return User(
        account.id, account.client_id, account.client_name, account.email, account.role, account.scopes, language
    )


async def api_caller(request: Request) -> ApiKey | None:
    """The person of the session cookie as a caller of the API, None without a live session.

    Reading is no activity here: a page that follows its jobs would keep the session of a person who left.
    """
    token = request.cookies.get(SESSION_COOKIE, "")
    is_safe = request.method in ("GET", "HEAD")
    account = await _account(request, token, is_activity=not is_safe) if token else None
    if account is None:
        return None
    return ApiKey(
        id=account.id,
        client_id=account.client_id,
        client_name=account.client_name,
        name=account.email,
        prefix="session",
        scopes=account.scopes,
        requests_per_minute=DEFAULT_REQUESTS_PER_MINUTE,
        created_at=account.created_at,
        revoked_at=None,
        account_id=account.id,
    )


def has_csrf_header(request: Request) -> bool:
    """Whether an API request with the session cookie comes from a page of ours."""
    return is_csrf_token(request.cookies.get(SESSION_COOKIE, ""), request.headers.get(CSRF_HEADER))
