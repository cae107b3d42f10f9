"""A reviewer's desk: a real gateway, people with browsers, and jobs examined as a test needs them."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from re import Pattern
from typing import Any
from uuid import UUID

import httpx
import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import APIResponse, Browser, BrowserContext, Page, Route, expect
from sqlalchemy import Engine

from services.gateway.web.passwords import hash_password
from services.gateway.web.settings import WebSettings
from services.gateway.web.visitors import SESSION_COOKIE
from shared.db import accounts, sessions
from shared.db.accounts import Role
from shared.domain.detection import Box, Detection, Kind
from shared.domain.detection import Page as DocumentPage
from tests.integration.gateway.workers import succeed
from tests.system import SAMPLES

CHROMIUM = "/usr/bin/chromium"
DESKTOP = (1440, 900)
PHONE = (390, 844)
# Each size and each theme once: what sticks out knows no theme, what is too pale no size.
LOOKS = pytest.mark.parametrize(("size", "theme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone-dark"])
# A4 at 200 dpi, the size in which sample pages are examined.
WIDTH, HEIGHT = 1654, 2339
_PASSWORD = "seven quiet reviewers"
# Some refusals are part of a test, and browsers log every one of them.
_EXPECTED = ("412 (Precondition Failed)", "404 (Not Found)", "401 (Unauthorized)")


@dataclass
class Desk:
    """Everything a test of the pages works with."""

    url: str
    browser: Browser
    engine: Engine
    client_id: UUID
    api: httpx.Client
    pictures: Path
    complaints: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def person(
        self,
        email: str = "anna@example.org",
        *,
        size: tuple[int, int] = DESKTOP,
        role: Role = Role.OPERATOR,
        client_id: UUID | None = None,
        **options: Any,
    ) -> Page:
        """Somebody who has logged in, at a browser of their own, on the first page.

        What pages complain of is kept in ``complaints``. The session is made here, in a tenth of the time that it takes
        a person: ``log_in`` does as people do.
        """
        with self.engine.begin() as connection:
            if accounts.with_hash(connection, email) is None:
                accounts.create(connection, client_id or self.client_id, email, _password_hash(), role)
        options = {"locale": "en-GB", **options}
        context = self.browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        self._contexts.append(context)
        self.new_session(context, email)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: self._listen(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._check_host(request.url))
        page.goto(self.url)
        return page

    def new_session(self, context: BrowserContext, email: str = "anna@example.org") -> None:
        """For this browser, in place of one it may have: for its open pages as if by a log-in on another tab."""
        with self.engine.begin() as connection:
            known = accounts.with_hash(connection, email)
            assert known
            token = sessions.open_one(connection, known[0].id, WebSettings().session_limits)
        context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": self.url}])

    def log_in(self, page: Page, email: str) -> None:
        """As a person does."""
        if "/login" not in page.url:
            page.goto(f"{self.url}/login")
        page.locator("main [name=email]").fill(email)
        page.locator("main [name=password]").fill(_PASSWORD)
        page.locator("main [name=password]").press("Enter")
        expect(page.locator("main [name=password]")).to_have_count(0)

    def _listen(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(expected in text for expected in _EXPECTED):
            self.complaints.append(text)

    def _check_host(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.complaints.append(f"a request left the host: {url}")

    def submit(self, content: bytes, name: str, **options: str) -> str:
        """A queued job."""
        answer = self.api.post("/v1/jobs", files={"file": (name, content)}, data=options)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def examined(
        self, *pages: DocumentPage, name: str = "lease.pdf", content: bytes | None = None, **options: str
    ) -> str:
        """A job with this result; thresholds are 0.5 and 0.25."""
        job_id = self.submit(content or sample_pdf(len(pages)), name, **options)
        succeed(self.engine, job_id, pages)
        return job_id

    def correction(self, job_id: str, number: int = 1) -> dict[str, Any]:
        """What the API says of a page."""
        answer = self.api.get(f"/v1/jobs/{job_id}/pages/{number}/correction")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def correct_elsewhere(self, job_id: str, number: int = 1) -> None:
        """Somebody says, through the API, that there is no signature on a page."""
        answer = self.api.put(
            f"/v1/jobs/{job_id}/pages/{number}/correction",
            json={"boxes": [], "no_signature": True},
            headers={"If-Match": "*"},
        )
        assert answer.status_code == 200, answer.text

    def result(self, job_id: str) -> dict[str, Any]:
        return dict(self.api.get(f"/v1/jobs/{job_id}").json()["result"])

    def photograph(self, page: Page, name: str, *, full_page: bool = True) -> None:
        """Kept as a test artefact."""
        page.screenshot(path=self.pictures / f"{name}.png", full_page=full_page)

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self.api.close()


class Held:
    """Requests that wait on their way until they are let go: people are quicker than some networks.

    With ``answered`` the server has answered them by then. Those after the first ``most`` are not held.
    """

    def __init__(
        self, page: Page, address: str | Pattern[str], method: str = "GET", *, most: int = 100, answered: bool = False
    ) -> None:
        self.addresses: list[str] = []
        self._page, self._method, self._most, self._answered = page, method, most, answered
        self._routes: list[tuple[Route, APIResponse | None]] = []
        intercept(page, address, self._hold)

    def _hold(self, route: Route) -> None:
        if route.request.method != self._method or len(self.addresses) >= self._most:
            route.fallback()
            return
        self.addresses.append(route.request.url)
        self._routes.append((route, route.fetch() if self._answered else None))

    def wait(self) -> None:
        """Until one is held."""
        deadline = time.monotonic() + 30
        while not self._routes:
            assert time.monotonic() < deadline, "nothing was asked for"
            self._page.wait_for_timeout(10)

    def let_go(self) -> None:
        """And hold no others."""
        self._most = 0
        for route, answer in self._routes:
            if answer:
                route.fulfill(response=answer)
            else:
                route.continue_()


def intercept(
    page: Page, address: str | Pattern[str], handle: Callable[[Route], object], *, times: int | None = None
) -> None:
    """``page.route`` that holds from its return on.

    A busy page learns of a route only once it has time, and what a key made it ask for before that goes its old way.
    Whoever has an answer from the page knows that it has.
    """
    page.route(address, handle, times=times)
    page.evaluate("null")


@cache
def _password_hash() -> str:
    return hash_password(_PASSWORD)


def new_page(browser: Browser, size: tuple[int, int] = DESKTOP, **options: Any) -> Page:
    """A browser of somebody who is not logged in."""
    page = browser.new_page(**{"locale": "en-GB", "viewport": {"width": size[0], "height": size[1]}, **options})
    page.set_default_timeout(30_000)
    return page


def sample_pdf(pages: int) -> bytes:
    """The sample lease, its pages repeated until there are so many."""
    source = pypdfium2.PdfDocument(str(SAMPLES / "bail-4-pages.pdf"))
    made = pypdfium2.PdfDocument.new()
    for number in range(pages):
        made.import_pages(source, [number % len(source)])
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def a_page(*confidences: float, number: int = 1, kind: Kind = Kind.SIGNATURE) -> DocumentPage:
    """A page with boxes under one another, at known places."""
    found = (
        Detection(f"p{number}-{index}", kind, one, Box(300, 150.0 + 55 * index, 400, 45))
        for index, one in enumerate(confidences)
    )
    return DocumentPage(number, WIDTH, HEIGHT, tuple(found))


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA, as lines one can act on."""
    options = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        "resultTypes": ["violations"],  # of all else one example is enough: a page of forty boxes has thousands
    }
    found = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']}: {node['html'][:200]} {node['failureSummary']}" for one in found for node in one["nodes"]]
