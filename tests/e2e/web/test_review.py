"""The review queue in a real browser: page after page, with one key each."""

import re
import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.web.desk import LOOKS, Desk, Held, a_page, intercept, violations


def sit_down(desk: Desk, page: Page) -> None:
    page.goto(f"{desk.url}/review")
    expect(page.locator("#review")).not_to_have_attribute("data-phase", "loading")


def shown(page: Page) -> str:
    """``JOB NUMBER`` of the page on the desk, once it is there."""
    expect(page.locator("#review")).to_have_attribute("data-phase", "deciding")
    expect(page.locator(".close-up:not(.loading) img")).to_be_visible()
    return page.locator("#review").get_attribute("data-page") or ""


def all_sent(page: Page) -> None:
    """Until whatever the page has begun to send is known here: requests are told in their order."""
    page.evaluate("fetch('/help')")


def press(page: Page, key: str) -> None:
    """A key, and the next page."""
    before = shown(page)
    page.keyboard.press(key)
    expect(page.locator("#review")).not_to_have_attribute("data-page", before)
    shown(page)


class TestDeciding:
    def test_accept_and_reject_by_one_key_each(self, desk: Desk) -> None:
        accepted = desk.examined(a_page(0.45, 0.3))
        rejected = desk.examined(a_page(0.4))
        desk.examined(a_page(0.35))
        page = desk.person()
        sit_down(desk, page)
        assert shown(page) == f"{accepted} 1", "the page nearest the threshold comes first"
        press(page, "a")
        assert shown(page) == f"{rejected} 1"
        press(page, "r")
        assert desk.result(accepted)["corrected"]["verdict"] == "signed"
        assert [one["detection"] for one in desk.correction(accepted)["correction"]["boxes"]] == ["p1-0", "p1-1"]
        assert desk.result(rejected)["corrected"]["verdict"] == "unsigned"
        assert desk.correction(rejected)["correction"]["no_signature"] is True
        assert desk.correction(rejected)["correction"]["author"] == "anna@example.org"
        expect(page.locator("[data-part=waiting]")).to_have_text("1 page waits for a person · 2 pages decided by you")

    def test_what_was_sure_stays_when_the_rest_is_rejected(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.9, 0.4), requirements='{"min_signatures": 2}')
        page = desk.person()
        sit_down(desk, page)
        shown(page)
        page.get_by_role("button", name="Reject").click()
        expect(page.get_by_text("Nothing waits for a person.")).to_be_visible()
        assert [one["detection"] for one in desk.correction(job_id)["correction"]["boxes"]] == ["p1-0"]

    def test_a_held_key_and_a_double_click_decide_the_page_that_was_seen_and_no_other(self, desk: Desk) -> None:
        for index in range(5):
            desk.examined(a_page(0.45 - index / 100))
        page = desk.person()
        sit_down(desk, page)
        accept = page.get_by_role("button", name="Accept")
        decided: list[str] = []
        page.on("request", lambda one: decided.append(one.url) if one.method == "PUT" else None)
        for act in (lambda: hold(page, "a"), lambda: hold(page, "Enter"), lambda: double_click(page)):
            shown(page)
            accept.hover()
            accept.focus()
            act()
            all_sent(page)
            assert len(decided) == 1
            decided.clear()
        press(page, "a")
        expect(page.locator("[data-part=waiting]")).to_have_text("1 page waits for a person · 4 pages decided by you")

    def test_what_cannot_be_seen_is_not_decided_and_comes_once_it_can(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.4))
        page = desk.person()
        page.clock.install()
        intercept(page, "**/pages/1.jpg*", lambda route: route.fulfill(status=503))
        sit_down(desk, page)
        expect(page.locator("[data-part=notice]")).to_contain_text("The picture of this page does not come")
        page.keyboard.press("a")
        page.keyboard.press("e")
        page.unroute("**/pages/1.jpg*")
        page.clock.fast_forward(3000)
        shown(page)
        assert desk.correction(job_id)["correction"] is None
        press_last(page)
        desk.complaints.clear()  # the browser reports the pictures that did not come

    def test_nor_is_what_has_not_come_yet(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.4))
        page = desk.person()
        late = Held(page, "**/pages/1.jpg*")
        decisions = Held(page, "**/pages/1/correction", "PUT")
        sit_down(desk, page)
        expect(page.locator("#review")).to_have_attribute("data-phase", "deciding")
        page.keyboard.press("a")
        all_sent(page)
        assert decisions.addresses == []
        late.let_go()
        decisions.let_go()
        assert shown(page) == f"{job_id} 1"
        press_last(page)

    def test_a_picture_that_does_not_come_is_asked_for_more_and_more_rarely(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.4))
        page = desk.person()
        page.clock.install()
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url) if ".jpg" in one.url else None)
        intercept(page, "**/pages/1.jpg*", lambda route: route.fulfill(status=503))
        sit_down(desk, page)
        expect(page.locator("[data-part=notice]")).to_contain_text("The picture of this page does not come")
        for _ in range(4):
            with page.expect_response("**/pages/1.jpg*"):
                page.clock.fast_forward(24_000)
        all_sent(page)
        before = len(asked)
        page.clock.fast_forward(10_000)
        all_sent(page)
        assert len(asked) == before
        page.unroute("**/pages/1.jpg*")
        page.clock.fast_forward(48_000)
        assert shown(page) == f"{job_id} 1"
        desk.complaints.clear()

    def test_the_very_last_decision_can_be_taken_back(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.4))
        page = desk.person()
        sit_down(desk, page)
        shown(page)
        press_last(page)
        go_back = page.get_by_role("button", name="Back")
        for take_back, change in ((go_back.click, "x"), (lambda: page.keyboard.press("b"), "n")):
            take_back()
            expect(page.locator("#review")).to_have_attribute("data-phase", "editing")
            page.keyboard.press(change)
            page.keyboard.press("s")
            expect(go_back).to_be_visible()
        assert [one["version"] for one in desk.correction(job_id)["history"]] == [3, 2, 1]

    def test_under_three_seconds_a_page(self, desk: Desk) -> None:
        for index in range(8):
            desk.examined(a_page(0.45 - index / 100))
        page = desk.person()
        sit_down(desk, page)
        shown(page)
        started = time.monotonic()
        for _ in range(7):
            press(page, "a")
        seconds = (time.monotonic() - started) / 7
        print(f"from key to next page: {seconds:.2f} s")
        assert seconds < 1.5, "the machine's part of three seconds must be small"

    def test_later_edit_and_back(self, desk: Desk) -> None:
        first, second, third = (desk.examined(a_page(one)) for one in (0.45, 0.4, 0.35))
        page = desk.person()
        sit_down(desk, page)
        assert shown(page) == f"{first} 1"
        press(page, "l")
        assert shown(page) == f"{second} 1"
        page.keyboard.press("e")
        expect(page.locator("#review")).to_have_attribute("data-phase", "editing")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("s")
        assert shown(page) == f"{third} 1"
        assert desk.correction(second)["correction"]["boxes"][0]["box"]["y"] == 154
        page.keyboard.press("b")
        expect(page.locator("#review")).to_have_attribute("data-phase", "editing")
        page.keyboard.press("x")
        page.keyboard.press("s")
        assert shown(page) == f"{third} 1"
        assert [one["version"] for one in desk.correction(second)["history"]] == [2, 1]
        assert desk.correction(second)["correction"]["no_signature"] is True
        press(page, "a")
        assert shown(page) == f"{first} 1", "what was left for later comes when nothing else waits"
        expect(page.locator("[data-part=notice]")).to_contain_text("Here is what you left for later.")
        assert desk.correction(first)["correction"] is None
        press_last(page)


def hold(page: Page, key: str) -> None:
    """Down for so long that the keyboard repeats it while the next page is shown."""
    before = shown(page)
    page.keyboard.down(key)
    expect(page.locator("#review")).not_to_have_attribute("data-page", before)
    shown(page)
    for _ in range(5):
        page.keyboard.down(key)
    page.keyboard.up(key)


def double_click(page: Page) -> None:
    """Where the mouse is, and slow enough that the next page is shown in between."""
    for click_count in (1, 2):
        before = shown(page)
        page.mouse.down(click_count=click_count)
        page.mouse.up(click_count=click_count)
        if click_count == 1:
            expect(page.locator("#review")).not_to_have_attribute("data-page", before)


def press_last(page: Page) -> None:
    page.keyboard.press("a")
    expect(page.get_by_text("Nothing waits for a person.")).to_be_visible()


class TestInCompany:
    def test_two_reviewers_never_have_the_same_page(self, desk: Desk) -> None:
        jobs = {f"{desk.examined(a_page(0.45 - index / 100))} 1" for index in range(6)}
        anna, bruno = desk.person(), desk.person("bruno@example.org")
        sit_down(desk, anna)
        sit_down(desk, bruno)
        seen: list[str] = []
        for _ in range(2):
            for one in (anna, bruno):
                seen.append(shown(one))
                press(one, "a")
        seen += [shown(anna), shown(bruno)]
        assert sorted(seen) == sorted(jobs)
        for key in jobs:
            assert len(desk.correction(key.split()[0])["history"]) <= 1

    def test_who_leaves_lets_go_of_the_pages_at_once(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.4))
        anna, bruno = desk.person(), desk.person("bruno@example.org")
        sit_down(desk, anna)
        assert shown(anna) == f"{job_id} 1"
        sit_down(desk, bruno)
        expect(bruno.get_by_text("Other people are looking at the pages that wait.")).to_be_visible()
        expect(bruno.get_by_text("Nothing waits for a person.")).to_be_hidden()
        anna.goto(f"{desk.url}/history")  # the browser's own tools do not see what a page sends on leaving
        expect(bruno.locator("#review")).to_have_attribute("data-page", f"{job_id} 1", timeout=20_000)

    def test_a_page_decided_elsewhere_meanwhile_is_not_overwritten(self, desk: Desk) -> None:
        first, second = desk.examined(a_page(0.45)), desk.examined(a_page(0.4))
        page = desk.person()
        sit_down(desk, page)
        assert shown(page) == f"{first} 1"
        desk.correct_elsewhere(first)
        press(page, "a")
        expect(page.locator("[data-part=notice]")).to_contain_text("scanner has decided this page meanwhile")
        assert shown(page) == f"{second} 1"
        assert desk.correction(first)["correction"]["no_signature"] is True

    def test_it_is_told_when_nobody_can_say_who_decided_meanwhile(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.45))
        page = desk.person()
        sit_down(desk, page)
        assert shown(page) == f"{job_id} 1"
        desk.correct_elsewhere(job_id)
        intercept(
            page,
            "**/pages/1/correction",
            lambda route: route.fallback() if route.request.method == "PUT" else route.fulfill(status=503, json={}),
        )
        page.keyboard.press("a")
        expect(page.locator("[data-part=notice]")).to_contain_text("It could not be saved.")
        desk.complaints.clear()

    def test_a_page_corrected_elsewhere_while_it_is_read_is_not_served(self, desk: Desk) -> None:
        first, second = desk.examined(a_page(0.45)), desk.examined(a_page(0.4))
        page = desk.person()
        late = Held(page, f"**/{first}/pages/1/correction")
        page.goto(f"{desk.url}/review")
        late.wait()
        desk.correct_elsewhere(first)
        late.let_go()
        assert shown(page) == f"{second} 1"

    def test_when_all_that_was_served_is_corrected_elsewhere_others_are_asked_for(self, desk: Desk) -> None:
        first, second, third = (desk.examined(a_page(one)) for one in (0.45, 0.4, 0.35))
        page = desk.person()
        late = Held(page, "**/pages/1/correction", most=2)
        page.goto(f"{desk.url}/review")
        while len(late.addresses) < 2:
            page.wait_for_timeout(10)
        for job_id in (first, second):
            desk.correct_elsewhere(job_id)
        late.let_go()
        expect(page.locator("[data-part=waiting]")).to_have_text("3 pages wait for a person")
        assert page.get_by_text("Other people are looking at the pages that wait.").is_hidden()
        assert shown(page) == f"{third} 1"

    def test_an_erased_document_is_passed_over(self, desk: Desk) -> None:
        first, second = desk.examined(a_page(0.45)), desk.examined(a_page(0.4))
        page = desk.person()
        sit_down(desk, page)
        assert shown(page) == f"{first} 1"
        assert desk.api.delete(f"/v1/jobs/{first}").status_code == 204
        press(page, "r")
        assert shown(page) == f"{second} 1"

    def test_one_page_decides_a_document_of_many(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.45), a_page(0.4, number=2))
        page = desk.person()
        sit_down(desk, page)
        assert shown(page) == f"{job_id} 1"
        press_last(page)
        assert desk.correction(job_id, 2)["correction"] is None


class TestAnswersThatComeLate:
    def test_a_picture_is_never_shown_for_another_page(self, desk: Desk) -> None:
        first, second = desk.examined(a_page(0.45)), desk.examined(a_page(0.4))
        page = desk.person()
        sit_down(desk, page)
        assert shown(page) == f"{first} 1"
        expect(page.locator(".close-up:not(.loading) img")).to_be_visible()
        late = Held(page, re.compile(f"/{first}/pages/1.jpg"))
        zoom_in(page)
        late.wait()
        press(page, "a")
        late.let_go()
        page.evaluate("address => Object.assign(new Image(), { src: address }).decode()", late.addresses[0])
        zoom_in(page)
        sharp = re.compile(rf"/{second}/pages/1\.jpg\?width=(2480|3508)")
        expect(page.locator(".close-up img")).to_have_attribute("src", sharp)

    def test_who_begins_to_edit_decides_nothing_while_the_editor_is_opened(self, desk: Desk) -> None:
        first, _ = desk.examined(a_page(0.45)), desk.examined(a_page(0.4))
        page = desk.person()
        sit_down(desk, page)
        assert shown(page) == f"{first} 1"
        late = Held(page, f"**/{first}/pages/1/correction")
        decisions = Held(page, f"**/{first}/pages/1/correction", "PUT")
        page.keyboard.press("e")
        late.wait()
        page.keyboard.press("a")
        late.let_go()
        expect(page.locator("#review")).to_have_attribute("data-phase", "editing")
        page.keyboard.press("Escape")
        assert shown(page) == f"{first} 1"
        assert decisions.addresses == []

    def test_the_next_page_waits_for_who_went_back_meanwhile(self, desk: Desk) -> None:
        _, second = desk.examined(a_page(0.45)), desk.examined(a_page(0.4))
        page = desk.person()
        sit_down(desk, page)
        press(page, "a")
        assert shown(page) == f"{second} 1"
        late = Held(page, "**/v1/review/next", "POST")
        page.keyboard.press("a")
        expect(page.locator("[data-part=waiting]")).to_contain_text("2 pages decided by you")
        page.get_by_role("button", name="Back").click()
        expect(page.locator("#review")).to_have_attribute("data-phase", "editing")
        third = desk.examined(a_page(0.35))
        with page.expect_request(re.compile(f"/{third}/pages/1.jpg")):  # the next page has been read
            late.let_go()
        page.keyboard.press("x")
        page.keyboard.press("s")
        assert shown(page) == f"{third} 1"
        expect(page.locator("[data-part=waiting]")).to_have_text("1 page waits for a person · 2 pages decided by you")
        assert desk.correction(second)["correction"]["no_signature"] is True

    def test_a_page_just_decided_does_not_come_again(self, desk: Desk) -> None:
        _, second, third = (desk.examined(a_page(one)) for one in (0.45, 0.4, 0.35))
        page = desk.person()
        sit_down(desk, page)
        shown(page)
        late = Held(page, "**/v1/review/next", "POST", most=1, answered=True)
        press(page, "a")
        assert shown(page) == f"{second} 1"
        late.wait()
        press(page, "a")
        assert shown(page) == f"{third} 1"
        with page.expect_response("**/v1/review/next"):
            late.let_go()
        press_last(page)


class TestRefusals:
    def test_a_new_session_of_the_same_person_decides(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.4))
        page = desk.person()
        sit_down(desk, page)
        shown(page)
        desk.new_session(page.context)
        press_last(page)
        assert desk.correction(job_id)["correction"]["author"] == "anna@example.org"
        desk.complaints.clear()  # the browser reports what the old token was refused

    def test_nothing_is_decided_in_the_name_of_somebody_else(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.4))
        page = desk.person()
        desk.person("bruno@example.org")
        sit_down(desk, page)
        shown(page)
        desk.new_session(page.context, "bruno@example.org")
        page.keyboard.press("a")
        expect(page.locator("[data-part=notice]")).to_contain_text("you were logged out")
        assert desk.correction(job_id)["correction"] is None
        desk.complaints.clear()

    def test_a_queue_that_may_not_be_asked_says_so(self, desk: Desk) -> None:
        page = desk.person()
        intercept(page, "**/v1/review/next", lambda route: route.fulfill(status=403, json={}))
        page.goto(f"{desk.url}/review")
        expect(page.locator("[data-part=waiting]")).to_contain_text("Your role may not correct")
        desk.complaints.clear()

    @pytest.mark.parametrize("address", ["**/v1/review/next", "**/pages/1/correction"])
    def test_too_many_requests_are_made_again_when_it_is_time(self, desk: Desk, address: str) -> None:
        job_id = desk.examined(a_page(0.4))
        page = desk.person()
        page.clock.install()
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/v1/review/next") else None)
        refusal = {"status": 429, "headers": {"Retry-After": "60"}, "json": {"code": "rate_limited"}}
        intercept(page, address, lambda route: route.fulfill(**refusal))
        page.goto(f"{desk.url}/review")
        notice = page.locator("[data-part=notice]")
        expect(notice).to_contain_text("The queue cannot be reached")
        page.clock.fast_forward(50_000)
        expect(notice).to_be_hidden()
        all_sent(page)
        assert len(asked) == 1, "not before"
        page.unroute(address)
        page.clock.fast_forward(10_000)
        assert shown(page) == f"{job_id} 1"
        desk.complaints.clear()

    def test_what_was_left_for_later_stays_so_when_asking_for_it_fails(self, desk: Desk) -> None:
        first, second = desk.examined(a_page(0.45)), desk.examined(a_page(0.4))
        page = desk.person()
        sit_down(desk, page)
        assert shown(page) == f"{first} 1"
        press(page, "l")
        assert shown(page) == f"{second} 1"
        intercept(page, "**/v1/review/next", fail_without_skip)
        page.keyboard.press("a")
        notice = page.locator("[data-part=notice]")
        expect(notice).to_contain_text("The queue cannot be reached")
        page.unroute("**/v1/review/next")
        assert shown(page) == f"{second} 1"
        expect(page.locator("#review")).to_have_attribute("data-page", f"{first} 1")
        expect(notice).to_contain_text("Here is what you left for later.")
        desk.complaints.clear()


def fail_without_skip(route: Route) -> None:
    if route.request.post_data_json["skip"]:
        route.fallback()
    else:
        route.fulfill(status=503, json={})


def zoom_in(page: Page) -> None:
    for _ in range(3):
        page.keyboard.press("+")


@LOOKS
def test_axe_finds_nothing(desk: Desk, size: tuple[int, int], theme: str) -> None:
    page = desk.person(size=size, color_scheme=theme)
    sit_down(desk, page)
    expect(page.get_by_text("Nothing waits for a person.")).to_be_visible()
    assert violations(page) == []
    desk.examined(a_page(0.9, 0.4), requirements='{"min_signatures": 2}', name="a-very-long-name-" * 8 + ".pdf")
    sit_down(desk, page)
    shown(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    desk.photograph(page, f"review-long-name-{size[0]}-{theme}")
    page.get_by_role("button", name="Edit").click()
    expect(page.locator(".edit-bar")).to_be_visible()
    assert violations(page) == []


def test_in_french(desk: Desk) -> None:
    desk.examined(a_page(0.4))
    page = desk.person(locale="fr-FR")
    sit_down(desk, page)
    expect(page.get_by_text("Est-ce une signature")).to_be_visible()
    expect(page.locator("[data-part=waiting]")).to_have_text("1 page attend une personne")
