"""The job page in a real browser while somebody else works on the same document."""

from playwright.sync_api import expect

from tests.e2e.web.desk import Desk, a_page, intercept
from tests.e2e.web.test_job_page_correcting import boxes, correct


class TestSomebodyElseMeanwhile:
    def test_the_page_shows_what_another_person_has_corrected(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.9), a_page(0.8, number=2))
        page = desk.person()
        page.clock.install()
        page.goto(f"{desk.url}/jobs/{job_id}")
        expect(boxes(page)).to_have_count(1)
        desk.correct_elsewhere(job_id)
        page.evaluate("dispatchEvent(new Event('focus'))")
        expect(page.locator("#page-notice")).to_contain_text("scanner has just corrected page 1")
        expect(boxes(page)).to_have_count(0)
        expect(page.locator("[data-part=none]")).to_contain_text("A person says: no signature here.")
        expect(page.locator(".summary")).to_contain_text("1 page corrected by a person.")
        desk.correct_elsewhere(job_id, 2)
        page.clock.fast_forward(10_000)
        expect(page.locator("#page-notice")).to_contain_text("corrected page 2")

    def test_it_does_so_though_the_correction_could_not_be_read_at_first(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.9))
        page = desk.person()
        page.clock.install()
        page.goto(f"{desk.url}/jobs/{job_id}")
        expect(boxes(page)).to_have_count(1)
        intercept(page, "**/correction", lambda route: route.fulfill(status=503, json={}), times=1)
        desk.correct_elsewhere(job_id)
        with page.expect_response("**/correction"):
            page.evaluate("dispatchEvent(new Event('focus'))")
        page.clock.fast_forward(10_000)
        expect(page.locator("#page-notice")).to_contain_text("scanner has just corrected page 1")
        desk.complaints.clear()

    def test_who_is_correcting_is_told_and_keeps_what_was_drawn(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.9, 0.8))
        page = desk.person()
        correct(desk, page, job_id)
        page.keyboard.press("n")
        desk.correct_elsewhere(job_id)
        page.evaluate("dispatchEvent(new Event('focus'))")
        expect(page.locator("#page-notice")).to_contain_text("scanner has just corrected this page, too")
        expect(boxes(page)).to_have_count(3)
        page.keyboard.press("s")
        expect(page.locator("#conflict-dialog")).to_contain_text("scanner saved 0 boxes")

    def test_an_erased_document_is_told(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.9))
        page = desk.person()
        page.goto(f"{desk.url}/jobs/{job_id}")
        expect(boxes(page)).to_have_count(1)
        assert desk.api.delete(f"/v1/jobs/{job_id}").status_code == 204
        page.evaluate("dispatchEvent(new Event('focus'))")
        expect(page.locator("#page-notice")).to_contain_text("erased meanwhile")
