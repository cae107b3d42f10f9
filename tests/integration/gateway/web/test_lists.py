"""History, statistics and exports over documents with known outcomes."""

import csv
import html
import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from shared.db import job_lists
from shared.db.accounts import Role
from shared.db.job_lists import JobFilter
from shared.domain.detection import Tone
from tests.integration.gateway.web.conftest import MakePerson, Person
from tests.integration.gateway.workers import SIGNED_PAGE, fail, png, succeed

_UNSAID = "application/octet-stream"
EMPTY_PAGE = replace(SIGNED_PAGE, detections=())
BOX = {"kind": "signature", "box": {"x": 10, "y": 20, "width": 30, "height": 15}}


def submit(person: Person, name: str, **options: str) -> str:
    answer = person.api("POST", "/v1/jobs", files={"file": (name, png(), _UNSAID)}, data=options)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def names_on(page: str) -> list[str]:
    return [html.unescape(name) for name in re.findall(r'<a href="/jobs/[^"]+">([^<]+)</a>', page)]


@pytest.fixture
def documents(operator: Person, make_person: MakePerson, engine: Engine) -> dict[str, str]:
    """One of each outcome, and one of a colleague's."""
    made = {
        "signed": submit(operator, "Bail_Évry-2024.pdf", metadata='{"reference": "K-117", "floor": 3}'),
        "unsigned": submit(operator, "lease.png", requirements='{"min_signatures": 5}'),
        "failed": submit(operator, "broken.tif"),
        "waiting": submit(operator, "late.png"),
        "colleague": submit(make_person(Role.OPERATOR, "colleague@acme.example"), "theirs.png"),
    }
    succeed(engine, made["signed"])
    succeed(engine, made["unsigned"], pages=(replace(SIGNED_PAGE, tone=Tone.COLOUR),))
    fail(engine, made["failed"])
    succeed(engine, made["colleague"], pages=(SIGNED_PAGE,))
    return made


class TestHistory:
    def test_shows_operators_their_own_first_and_everybodys_when_asked(
        self, operator: Person, documents: dict[str, str]
    ) -> None:
        mine = ["late.png", "broken.tif", "lease.png", "Bail_Évry-2024.pdf"]
        assert names_on(operator.get("/history").text) == mine
        assert names_on(operator.get("/history?whose=all").text) == ["theirs.png", *mine]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=bail", ["Bail_Évry-2024.pdf"]),
            ("q=EVRY+20", ["Bail_Évry-2024.pdf"]),
            ("q=k-117", ["Bail_Évry-2024.pdf"]),
            ("q=ail", []),
            ("q=bail+lease", []),
            ("outcome=signed", ["Bail_Évry-2024.pdf"]),
            ("outcome=unsigned", ["lease.png"]),
            ("outcome=failed", ["broken.tif"]),
            ("outcome=open", ["late.png"]),
            ("outcome=canceled", []),
            ("min=1&outcome=signed", ["Bail_Évry-2024.pdf"]),
            ("tone=grey", ["Bail_Évry-2024.pdf"]),
            ("tone=colour&whose=all", ["lease.png"]),
            ("tone=bilevel", []),
            ("min=2", []),
            ("max=0", []),
            ("metadata=reference:K-117", ["Bail_Évry-2024.pdf"]),
            ("metadata=floor:3", ["Bail_Évry-2024.pdf"]),
            ("metadata=nothing", []),
            ("model=other", []),
            ("from=2199-01-01", []),
            ("until=1999-01-01", []),
            ("from=2199-01-01&zone=Mars%2FOlympus", []),
            ("until=1999-01-01&zone=..%2F..%2Fetc%2Fpasswd", []),
            ("q=%27+%26+%21%28x%3A%2A&outcome=nonsense&tone=sepia&from=tomorrow&min=many&before=zzz", []),
        ],
    )
    def test_filters(self, operator: Person, documents: dict[str, str], query: str, found: list[str]) -> None:
        answer = operator.get(f"/history?{query}")
        assert answer.status_code == 200
        assert names_on(answer.text) == found

    def test_today_is_within_from_and_until_today(self, operator: Person, documents: dict[str, str]) -> None:
        today = datetime.now(UTC).date()
        shown = names_on(operator.get(f"/history?from={today}&until={today}").text)
        assert len(shown) == 4
        assert names_on(operator.get(f"/history?from={today + timedelta(days=1)}").text) == []

    def test_days_begin_where_the_reader_is(self, operator: Person, documents: dict[str, str]) -> None:
        now = datetime.now(UTC)
        # There is always a place where it is another day.
        zone = "Pacific/Kiritimati" if now.hour >= 10 else "Pacific/Pago_Pago"
        there = now.astimezone(ZoneInfo(zone)).date()
        assert len(names_on(operator.get(f"/history?from={there}&until={there}&zone={zone}").text)) == 4
        assert names_on(operator.get(f"/history?from={there}&until={there}").text) == []

    def test_pages_stay_stable_while_documents_come_in(self, operator: Person, engine: Engine) -> None:
        self.many(operator, engine, 120)
        first = operator.get("/history")
        older = self.link(first.text, "next")
        assert older
        assert self.link(first.text, "prev") is None
        submit(operator, "in between.png")
        second = operator.get(older)
        assert names_on(first.text) == [f"d{number}.png" for number in range(119, 69, -1)]
        assert names_on(second.text) == [f"d{number}.png" for number in range(69, 19, -1)]
        newer = self.link(second.text, "prev")
        assert newer
        assert names_on(operator.get(newer).text) == names_on(first.text)
        last = self.link(second.text, "next")
        assert last
        assert self.link(operator.get(last).text, "next") is None

    @staticmethod
    def link(page: str, rel: str) -> str | None:
        found = re.search(rf'href="([^"]+)" rel="{rel}"', page)
        return html.unescape(found.group(1)) if found else None

    @staticmethod
    def many(person: Person, engine: Engine, number: int) -> None:
        """Rows as the gateway would write them, without the uploads."""
        assert person.account
        with engine.begin() as connection:
            connection.execute(
                text(
                    "with made as (insert into documents (id, client_id, sha256, size, media_type, filename) "
                    "select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, :client, 'x', 1, "
                    "'image/png', 'd' || n || '.png' from generate_series(0, :last) n returning id, client_id) "
                    "insert into jobs (id, client_id, document_id, state, priority, model, requirements, metadata, "
                    "max_attempts, account_id) select id, client_id, id, 'queued', 'normal', 'signatures', '{}', "
                    "'{}', 1, :account from made"
                ),
                {"client": person.account.client_id, "account": person.account.id, "last": number - 1},
            )

    def test_exports_what_is_filtered_and_notes_who_did(
        self, operator: Person, documents: dict[str, str], engine: Engine
    ) -> None:
        submit(operator, "=cmd.png")
        answer = operator.get("/history.csv?whose=mine")
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert [row["file"] for row in rows] == [
            "'=cmd.png",
            "late.png",
            "broken.tif",
            "lease.png",
            "Bail_Évry-2024.pdf",
        ]
        assert rows[-1]["verdict"] == "signed"
        assert rows[-1]["tone"] == "grey"
        assert rows[-1]["submitted_by"] == "operator@acme.example"
        assert rows[2]["error"] == "encrypted_document"
        assert "attachment" in answer.headers["content-disposition"]
        with engine.connect() as connection:
            assert "history.exported" in connection.execute(text("select action from audit_lines")).scalars().all()


class TestCorrected:
    """A document is found, and counted, by the outcome that its line shows: a person's where one corrected it."""

    @pytest.fixture
    def corrected(self, operator: Person, engine: Engine) -> dict[str, str]:
        """Two the model was unsure of, of which a person rejected one; one it found nothing on, but a person did."""
        expected = {"doubtful.png": 2, "rejected.png": 2, "signed.png": 1, "missed.png": 1}
        made = {
            name: submit(operator, name, requirements=f'{{"min_signatures": {least}}}')
            for name, least in expected.items()
        }
        for name, job_id in made.items():
            succeed(engine, job_id, pages=(EMPTY_PAGE if name == "missed.png" else SIGNED_PAGE,))
        say(operator, made["rejected.png"])
        say(operator, made["missed.png"], BOX)
        return made

    def test_filters(self, operator: Person, corrected: dict[str, str]) -> None:
        wanted = {
            "outcome=unsigned": ["rejected.png"],
            "outcome=review": ["doubtful.png"],
            "outcome=signed": ["missed.png", "signed.png"],
            "max=0": ["rejected.png"],
            "min=1": ["missed.png", "signed.png", "doubtful.png"],
            "min=1&outcome=signed&q=missed": ["missed.png"],
            "max=1&outcome=review": ["doubtful.png"],
        }
        for query, found in wanted.items():
            assert names_on(operator.get(f"/history?{query}").text) == found, query
            rows = csv.DictReader(io.StringIO(operator.get(f"/history.csv?{query}").text.removeprefix("\ufeff")))
            assert [row["file"] for row in rows] == found, query

    def test_the_api_goes_by_the_models_verdict_and_shows_it(self, operator: Person, corrected: dict[str, str]) -> None:
        listed = operator.http.get("/v1/jobs?verdict=review").json()["jobs"]
        assert {one["id"] for one in listed} == {corrected["rejected.png"], corrected["doubtful.png"]}
        assert {one["result"]["verdict"] for one in listed} == {"review"}

    def test_statistics(self, operator: Person, administrator: Person, corrected: dict[str, str]) -> None:
        lines = operator.get("/statistics.csv?days=7").text.removeprefix("\ufeff")
        today = list(csv.DictReader(io.StringIO(lines)))[-1]
        counted = [today[name] for name in ("scans", "signed", "review", "unsigned", "signed_share", "corrections")]
        assert counted == ["4", "2", "1", "1", "0.5", "2"]
        by_person = administrator.get("/statistics").text.split("operator@acme.example")[1]
        assert re.findall(r'data-label="[^"]+">([^<]+)</td>', by_person)[:7] == ["4", "2", "1", "1", "0", "50%", "2"]

    def test_pages_of_a_list_hold_each_once_in_both_directions(self, operator: Person, engine: Engine) -> None:
        ids = [UUID(submit(operator, f"d{number}.png", requirements='{"min_signatures": 2}')) for number in range(6)]
        for number, job_id in enumerate(ids):
            succeed(engine, str(job_id), pages=(EMPTY_PAGE if number % 2 else SIGNED_PAGE,))
            if not number % 2:
                say(operator, str(job_id))
        assert operator.account
        client_id, which = operator.account.client_id, JobFilter(verdicts=["unsigned"], as_corrected=True)
        with engine.connect() as connection:
            older = job_lists.page(connection, client_id, which, limit=2)
            seen = [job.id for job in older.jobs]
            while older.has_older:
                older = job_lists.page(connection, client_id, which, before=seen[-1], limit=2)
                seen += [job.id for job in older.jobs]
            assert seen == ids[::-1]
            newer = job_lists.page(connection, client_id, which, after=ids[1], limit=2)
            assert [job.id for job in newer.jobs] == [ids[3], ids[2]]
            assert newer.has_newer


def say(person: Person, job_id: str, *boxes: object) -> None:
    """The person says that these are the signatures of the only page."""
    body = {"boxes": boxes, "no_signature": not boxes}
    answer = person.api("PUT", f"/v1/jobs/{job_id}/pages/1/correction", json=body)
    assert answer.status_code == 200, answer.text


class TestConsent:
    def test_is_no_unless_somebody_says_yes(self, operator: Person, engine: Engine) -> None:
        submit(operator, "a.png")
        submit(operator, "b.png", training_consent="true")
        with engine.connect() as connection:
            found = connection.execute(text("select training_consent from jobs order by id")).scalars().all()
        assert found == [False, True]

    def test_is_given_and_taken_back_on_the_job_s_page_on_record(self, operator: Person, engine: Engine) -> None:
        job_id = submit(operator, "a.png")
        succeed(engine, job_id)
        for said in ("yes", "yes", "no"):
            answer = operator.post(f"/jobs/{job_id}/training-consent", allowed=said)
            assert (answer.status_code, answer.headers["location"]) == (303, f"/jobs/{job_id}")
            assert operator.api("GET", f"/v1/jobs/{job_id}").json()["training_consent"] is (said == "yes")
        with engine.connect() as connection:
            told = connection.execute(text("select action from audit_lines order by id")).scalars().all()
        assert told == ["job.training_allowed", "job.training_forbidden"]
        answer = operator.api("PUT", f"/v1/jobs/{job_id}/training-consent", json={"training_consent": "yes"})
        assert answer.status_code == 422


class TestStatistics:
    def test_counts_by_day(self, operator: Person, documents: dict[str, str]) -> None:
        answer = operator.get("/statistics.csv?days=7&whose=all")
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert len(rows) == 7
        today = rows[-1]
        assert today["day"] == datetime.now(UTC).date().isoformat()
        counted = [today[name] for name in ("scans", "signed", "unsigned", "review", "failed", "signed_share")]
        assert counted == ["5", "2", "1", "0", "1", "0.6667"]
        assert float(today["median_s"]) > 0
        assert {row["scans"] for row in rows[:-1]} == {"0"}

    def test_names_people_to_administrators_only(
        self, operator: Person, administrator: Person, documents: dict[str, str]
    ) -> None:
        assert "colleague@acme.example" in administrator.get("/statistics").text
        assert "colleague@acme.example" not in operator.get("/statistics?whose=all").text


def test_the_progress_of_many_is_told_in_one_stream(
    operator: Person, documents: dict[str, str], engine: Engine
) -> None:
    succeed(engine, documents["waiting"])
    query = "&".join(f"job={job_id}" for job_id in documents.values())
    answer = operator.http.get(f"/v1/progress?{query}")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.count("event: job") == len(documents)
    assert answer.text.rstrip().endswith("event: end\ndata: {}")
