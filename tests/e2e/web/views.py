"""Every page of ours in the states people meet it in, to be looked at by machines and by people."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from playwright.sync_api import Page, expect

from shared.db import alerts, workers
from shared.db.workers import WorkerReport
from shared.domain.alert import Alert, AlertState
from shared.domain.ids import new_id
from tests.e2e.web.desk import Desk, a_page, sample_pdf
from tests.integration.gateway.workers import fail, give_up_deliveries, png

LONG_NAME = "Avenant n°3 au contrat de location de la résidence des Trois Rivières, bâtiment B, lot 42 (signé).pdf"
UNBROKEN_NAME = "minutes-of-the-extraordinary-general-meeting-" * 4 + ".pdf"
_PAGE_SHOWN = ".pane.boxed:not(.loading) img"


@dataclass(frozen=True)
class View:
    """A page at ``path``, looked at once ``ready`` (a selector) is to be seen."""

    name: str
    path: str
    ready: str = "h1"
    is_whole_page: bool = field(default=True)

    def open(self, desk: Desk, page: Page) -> None:
        page.goto(desk.url + self.path)
        expect(page.locator(self.ready).first).to_be_visible()
        page.wait_for_load_state("networkidle")

    def photograph(self, desk: Desk, page: Page, mode: str) -> None:
        desk.photograph(page, f"{self.name}-{mode}", full_page=self.is_whole_page)


OPEN_VIEWS = (
    View("login", "/login"),
    View("signup", "/signup"),
    View("about", "/about"),
    View("help", "/help"),
    View("no-such-page", "/nowhere"),
)
_LISTS = (
    View("history", "/history?whose=all"),
    View("statistics", "/statistics"),
    View("admin", "/admin"),
    View("admin-audit", "/admin/audit"),
)
EMPTY_VIEWS = (
    *(View(f"{one.name}-empty", one.path) for one in _LISTS),
    View("review-empty", "/review", "#review:not([data-phase=loading])"),
)
USUAL_VIEWS = (
    *_LISTS,
    View("submit", "/"),
    View("history-filters", "/history?whose=all&min=0&outcome=signed"),
    View("history-nothing-fits", "/history?q=nothing"),
    View("account", "/account"),
    View("admin-accounts", "/admin/accounts"),
    View("admin-keys", "/admin/keys"),
)


def fill_up(desk: Desk) -> tuple[View, ...]:
    """Something of everything: outcomes, long names, forty signatures, none, 300 pages, a failure. Their job pages."""
    examined = {
        "signed": desk.examined(a_page(0.9, 0.8), name=LONG_NAME, metadata='{"reference": "K-117"}'),
        "doubtful": desk.examined(a_page(0.4), name="doubtful.pdf"),
        "none": desk.examined(a_page(), name="none.pdf"),
        "forty": desk.examined(a_page(*([0.9] * 20 + [0.4] * 20)), name=UNBROKEN_NAME),
        "300-pages": desk.examined(
            *(a_page(*([0.9] * (number % 2)), number=number) for number in range(1, 301)),
            name="300 pages.pdf",
            content=sample_pdf(300),
        ),
    }
    desk.examined(a_page(0.9), name="told.pdf", callback_url="https://workflow.example.org/hooks/paraphe/contracts")
    give_up_deliveries(desk.engine)
    failed, waiting = desk.submit(png(), "broken.png"), desk.submit(png(), "waiting.png")
    fail(desk.engine, failed)
    summary = {"summary": "Jobs wait."}
    alert = Alert("f1", "ParapheBacklogOld", "page", AlertState.FIRING, {}, summary, datetime.now(UTC), None)
    with desk.engine.begin() as connection:
        alerts.record(connection, [alert])
        holding = WorkerReport(new_id(), "detector-7f9c/1", "signatures@1", "openvino (CPU)", 8, [UUID(waiting)])
        workers.report(connection, holding)
    return (
        *(View(f"job-{name}", f"/jobs/{job_id}", _PAGE_SHOWN, False) for name, job_id in examined.items()),
        View("job-failed", f"/jobs/{failed}"),
        View("job-waiting", f"/jobs/{waiting}"),
        View("review", "/review", "#review[data-phase=deciding]", False),
    )
