"""The audit log as administrators read it: filtered, page by page, as a spreadsheet."""

import csv
import html
import io
import re
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Connection, Engine, text

from shared.db import audit
from shared.db.audit import Action, Actor
from tests.integration.gateway.web.conftest import Person

ADMINISTRATOR = "administrator@acme.example"


def note(connection: Connection, actor: Actor, action: Action, subject: str, **detail: object) -> None:
    """A line that is newer than all before: lines of one millisecond have no order."""
    time.sleep(0.002)
    audit.write(connection, actor, action, subject, **detail)


def subjects_on(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [
        html.unescape(cell) for cell in re.findall(r'<td class="name" data-label="To what">([^<]*)</td>', answer.text)
    ]


@pytest.fixture
def lines(administrator: Person, engine: Engine) -> None:
    """Of the administrator: a login, a key, a document erased long ago; and one of the system's own."""
    account = administrator.account
    assert account
    actor = Actor(account.client_id, account_id=account.id)
    with engine.begin() as connection:
        connection.execute(text("delete from audit_lines"))
        note(connection, actor, Action.JOB_ERASED, "job-7")
        connection.execute(text("update audit_lines set at = now() - interval '40 days'"))
        note(connection, actor, Action.KEY_CREATED, "100%_sure", name="workflow", scopes="read, write")
        note(connection, actor, Action.ACCOUNT_LOGIN, account.email, address="127.0.0.1")
        time.sleep(0.002)
        audit.write_for_system(connection, account.client_id, Action.DELIVERIES_ERASED, "deliveries", count=3)


@pytest.mark.usefixtures("lines")
class TestAuditLog:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", ["deliveries", ADMINISTRATOR, "100%_sure", "job-7"]),
            ("action=key.created", ["100%_sure"]),
            ("action=job.replayed", []),
            ("action=no.such", ["deliveries", ADMINISTRATOR, "100%_sure", "job-7"]),
            ("q=JOB", ["job-7"]),
            ("q=%25_", ["100%_sure"]),
            ("q=TOR%40acme", [ADMINISTRATOR, "100%_sure", "job-7"]),
            ("q=admin&action=job.erased", ["job-7"]),
            ("from=2199-01-01", []),
            ("from=yesterday", ["deliveries", ADMINISTRATOR, "100%_sure", "job-7"]),
        ],
    )
    def test_filters(self, administrator: Person, query: str, found: list[str]) -> None:
        assert subjects_on(administrator.get(f"/admin/audit?{query}")) == found

    def test_a_span_of_days_holds_both_its_ends(self, administrator: Person) -> None:
        today = datetime.now(UTC).date()
        long_ago = today - timedelta(days=40)
        assert "job-7" not in subjects_on(administrator.get(f"/admin/audit?from={today}&until={today}"))
        assert len(subjects_on(administrator.get(f"/admin/audit?from={today - timedelta(days=1)}&until={today}"))) == 3
        assert subjects_on(administrator.get(f"/admin/audit?from={long_ago}&until={long_ago}")) == ["job-7"]

    def test_says_that_nothing_matches_and_how_to_get_back(self, administrator: Person) -> None:
        told = administrator.get("/admin/audit?q=nobody").text
        assert "Nothing noted matches." in told
        assert 'href="/admin/audit">Reset</a>' in told

    def test_pages_keep_the_filter(self, administrator: Person, engine: Engine) -> None:
        account = administrator.account
        assert account
        actor = Actor(account.client_id, account_id=account.id)
        with engine.begin() as connection:
            for number in range(60):
                note(connection, actor, Action.JOB_REPLAYED, f"again-{number}")
        first = administrator.get("/admin/audit?action=job.replayed")
        older = re.search(r'href="(/admin/audit\?[^"]*before=[^"]*)"', first.text)
        assert older
        second = administrator.get(html.unescape(older.group(1)))
        expected = [f"again-{number}" for number in reversed(range(60))]
        assert subjects_on(first) + subjects_on(second) == expected
        assert 'href="/admin/audit?action=job.replayed"' in second.text

    def test_exports_what_is_filtered_and_notes_that_itself(self, administrator: Person, engine: Engine) -> None:
        answer = administrator.get("/admin/audit.csv?q=admin&until=2199-01-01")
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert [row["subject"] for row in rows][-3:] == [ADMINISTRATOR, "100%_sure", "job-7"]
        assert rows[-2]["action"] == "key.created"
        assert rows[-2]["who"] == ADMINISTRATOR
        assert rows[-2]["detail"] == "name: workflow; scopes: read, write"
        assert "attachment" in answer.headers["content-disposition"]
        with engine.connect() as connection:
            told = connection.execute(
                text("select detail from audit_lines where action = 'audit.exported'")
            ).scalar_one()
        assert told == {"query": {"q": "admin", "until": "2199-01-01"}}
