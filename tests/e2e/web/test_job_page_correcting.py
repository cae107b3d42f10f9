"""The job page in a real browser: correcting, with the mouse and by keyboard alone, alone and in company."""

import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, expect
from sqlalchemy import delete

from shared.db.tables import sessions
from shared.domain.detection import Page as DocumentPage
from tests import loopback
from tests.e2e.web.desk import HEIGHT, PHONE, WIDTH, Desk, Held, a_page, intercept, violations


def correct(desk: Desk, page: Page, job_id: str) -> None:
    """Opens the job and begins to correct its page."""
    page.goto(f"{desk.url}/jobs/{job_id}")
    expect(page.locator(".pane.boxed:not(.loading) img")).to_be_visible()
    page.keyboard.press("e")
    expect(page.locator(".edit-bar")).to_be_visible()


def saved(page: Page) -> None:
    expect(page.locator("#edit-notice")).to_have_text("Saved.")


def boxes(page: Page) -> Locator:
    return page.locator(".pane.boxed .box")


def frame(locator: Locator) -> FloatRect:
    found = locator.bounding_box()
    assert found is not None
    return found


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a point of the page (in its pixels) is on the screen."""
    stage = frame(page.locator(".pane.boxed .stage"))
    return stage["x"] + x * stage["width"] / WIDTH, stage["y"] + y * stage["height"] / HEIGHT


def assert_box(found: dict[str, Any], x: float, y: float, width: float, height: float, within: float = 6) -> None:
    """``within`` page pixels: one pixel of the screen is about four of the page."""
    box = found["box"]
    assert (box["x"], box["y"], box["width"], box["height"]) == pytest.approx((x, y, width, height), abs=within)


class TestWithTheMouse:
    def test_move_resize_draw_and_delete(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.9, 0.4, 0.3))
        page = desk.person()
        correct(desk, page, job_id)
        first = frame(boxes(page).first)
        drag(page, (first["x"] + 20, first["y"] + 5), (first["x"] + 20, first["y"] + 5 + 200))
        moved_by = 200 * WIDTH / frame(page.locator(".pane.boxed .stage"))["width"]

        page.mouse.click(*on_screen(page, 500, 225))
        expect(boxes(page).nth(1)).to_be_focused()
        corner = boxes(page).nth(1).locator(".handle.se")
        grip = frame(corner)
        drag(page, (grip["x"] + 12, grip["y"] + 12), on_screen(page, 900, 300))

        page.get_by_role("button", name="Delete this box").nth(2).click()
        drag(page, on_screen(page, 200, 1500), on_screen(page, 700, 1700))
        page.locator(".found-list select").nth(2).select_option("initials")
        page.get_by_role("button", name="Save").click()
        saved(page)

        found = desk.correction(job_id)["correction"]["boxes"]
        assert [(one["kind"], one["detection"]) for one in found] == [
            ("signature", "p1-0"),
            ("signature", "p1-1"),
            ("initials", None),
        ]
        assert_box(found[0], 300, 150 + moved_by, 400, 45)
        assert_box(found[1], 300, 205, 600, 95)
        assert_box(found[2], 200, 1500, 500, 200)
        assert desk.result(job_id)["corrected"]["count"] == 2
        assert [one["confidence"] for one in desk.correction(job_id)["detections"]] == [0.9, 0.4, 0.3]

    def test_what_was_saved_is_there_after_reloading(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.4))
        page = desk.person()
        correct(desk, page, job_id)
        page.keyboard.press("s")
        saved(page)
        expect(page.locator(".verdict")).to_contain_text("Signed")
        page.reload()
        expect(page.locator(".box.person")).to_have_count(1)
        expect(page.locator("[data-part=by]")).to_contain_text("anna@example.org")
        page.get_by_role("radio", name="Model").check()
        expect(page.locator(".box.unsure")).to_have_count(1)

    def test_no_signature_must_be_said(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.4))
        page = desk.person()
        correct(desk, page, job_id)
        page.get_by_role("button", name="Delete this box").click()
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#edit-notice")).to_contain_text("tick “No signature here”")
        assert desk.correction(job_id)["correction"] is None
        page.get_by_label("No signature here").check()
        page.get_by_role("button", name="Save").click()
        saved(page)
        page.get_by_role("button", name="Close").click()
        expect(page.locator(".verdict")).to_contain_text("Not signed")
        expect(page.get_by_text("A person says: no signature here.")).to_be_visible()
        assert desk.correction(job_id)["correction"]["no_signature"] is True

    def test_leaving_a_page_with_changes_asks_first(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.4), a_page(0.4, number=2))
        page = desk.person()
        correct(desk, page, job_id)
        page.keyboard.press("n")
        page.get_by_role("button", name="Next page").click()
        page.get_by_role("button", name="Keep editing").click()
        expect(page.locator("[data-part=number]")).to_have_value("1")
        page.get_by_role("button", name="Next page").click()
        page.locator("#leave-dialog").get_by_role("button", name="Save").click()
        expect(page.locator("[data-part=number]")).to_have_value("2")
        assert len(desk.correction(job_id)["correction"]["boxes"]) == 2

    def test_one_finger_draws_and_two_zoom(self, desk: Desk) -> None:
        job_id = desk.examined(a_page())
        page = desk.person(size=PHONE, has_touch=True, is_mobile=True)
        page.goto(f"{desk.url}/jobs/{job_id}")
        page.get_by_role("button", name="Correct").tap()
        page.get_by_role("button", name="New box").tap()
        page.locator(".pane.boxed").scroll_into_view_if_needed()
        page.touchscreen.tap(*on_screen(page, 800, 1200))
        expect(boxes(page)).to_have_count(1)
        before = frame(page.locator(".pane.boxed img"))["width"]
        pinch(page, on_screen(page, 800, 1200))
        assert frame(page.locator(".pane.boxed img"))["width"] == pytest.approx(2 * before, rel=0.05)
        page.get_by_role("button", name="Save").tap()
        saved(page)
        box = desk.correction(job_id)["correction"]["boxes"][0]["box"]
        assert (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) == pytest.approx((800, 1200), abs=8)


def pinch(page: Page, at: tuple[float, float]) -> None:
    """The first finger here, the second above; then they go apart, to twice as far."""
    x, y = at
    touch = page.context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [(x, y)]),
        ("touchStart", [(x, y), (x, y - 100)]),
        ("touchMove", [(x, y + 25), (x, y - 125)]),
        ("touchMove", [(x, y + 50), (x, y - 150)]),
        ("touchEnd", []),
    ):
        fingers = [{"x": one[0], "y": one[1], "id": index} for index, one in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})


class TestByKeyboardAlone:
    def test_everything_with_single_keys(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.9, 0.4))
        page = desk.person()
        correct(desk, page, job_id)
        keys = page.keyboard
        expect(boxes(page).first).to_be_focused()
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp"):
            keys.press(key)
        keys.press("Tab")
        expect(boxes(page).nth(1)).to_be_focused()
        keys.press("Delete")
        expect(boxes(page)).to_have_count(1)
        keys.press("Control+z")
        expect(boxes(page)).to_have_count(2)
        keys.press("Control+y")
        expect(boxes(page)).to_have_count(1)
        keys.press("n")
        keys.press("3")
        keys.press("s")
        saved(page)
        keys.press("Escape")
        expect(page.locator(".edit-bar")).to_be_hidden()
        step = round(WIDTH / 400)
        first, second = desk.correction(job_id)["correction"]["boxes"]
        assert_box(first, 300 + 2 * step, 150 + step, 400 + step, 45 - step, within=0.11)
        assert (first["kind"], second["kind"]) == ("signature", "stamp")

    def test_without_single_keys_by_tab_and_enter(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.4))
        page = desk.person()
        page.goto(f"{desk.url}/jobs/{job_id}")
        expect(page.locator(".pane.boxed:not(.loading) img")).to_be_visible()
        tab_to(page, re.compile("^Keys"))
        page.keyboard.press("Enter")
        tab_to(page, re.compile("checkbox"))
        page.keyboard.press("Space")
        page.keyboard.press("Escape")
        page.keyboard.press("e")
        expect(page.locator(".edit-bar")).to_be_hidden()

        page.locator("#main").evaluate("main => { main.tabIndex = -1; main.focus(); }")
        tab_to(page, re.compile("^Correct"))
        page.keyboard.press("Enter")
        expect(boxes(page).first).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        tab_to(page, re.compile("^Save"), backwards=True)
        page.keyboard.press("Enter")
        saved(page)
        assert_box(desk.correction(job_id)["correction"]["boxes"][0], 300, 154, 400, 45, within=0.11)

    def test_many_small_moves_are_one_undo(self, desk: Desk) -> None:
        page = desk.person()
        correct(desk, page, desk.examined(a_page(0.9)))
        before = frame(boxes(page).first)
        page.clock.set_fixed_time(datetime.now(UTC))  # a busy machine may press them a second apart
        for _ in range(10):
            page.keyboard.press("ArrowRight")
        assert frame(boxes(page).first)["x"] > before["x"] + 5
        page.keyboard.press("Control+z")
        assert frame(boxes(page).first)["x"] == pytest.approx(before["x"], abs=0.6)
        expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def tab_to(page: Page, wanted: re.Pattern[str], *, backwards: bool = False) -> None:
    """Presses Tab until something that is called so has the focus."""
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        name = page.evaluate("(document.activeElement.innerText || document.activeElement.type || '').trim()")
        if wanted.search(name):
            return
    raise AssertionError(f"no {wanted.pattern} within 60 steps")


class TestTwoReviewers:
    def test_the_second_is_told_and_nothing_is_lost(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.9, 0.4))
        anna, bruno = desk.person(), desk.person("bruno@example.org")
        for one in (anna, bruno):
            correct(desk, one, job_id)
        anna.keyboard.press("ArrowRight")
        anna.keyboard.press("s")
        saved(anna)
        bruno.keyboard.press("n")
        bruno.keyboard.press("s")
        dialog = bruno.locator("#conflict-dialog")
        expect(dialog).to_contain_text("anna@example.org saved 2 boxes")
        assert violations(bruno) == []
        desk.photograph(bruno, "job-conflict-1440-light")
        assert [one["author"] for one in desk.correction(job_id)["history"]] == ["anna@example.org"]

        dialog.get_by_role("button", name="Show theirs").click()
        expect(boxes(bruno)).to_have_count(2)
        bruno.get_by_role("button", name="Undo").click()
        expect(boxes(bruno)).to_have_count(3)
        bruno.keyboard.press("s")
        saved(bruno)
        assert [one["author"] for one in desk.correction(job_id)["history"]] == [
            "bruno@example.org",
            "anna@example.org",
        ]

    def test_one_may_stay_with_ones_own_unsaved(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.9))
        page = desk.person()
        correct(desk, page, job_id)
        desk.correct_elsewhere(job_id)
        page.keyboard.press("n")
        page.keyboard.press("s")
        expect(page.locator("#conflict-dialog")).to_contain_text("scanner saved 0 boxes")
        page.get_by_role("button", name="Stay with mine").click()
        expect(boxes(page)).to_have_count(2)
        assert desk.correction(job_id)["correction"]["no_signature"] is True


def save_after_the_session_ended(desk: Desk, page: Page) -> None:
    with desk.engine.begin() as connection:
        connection.execute(delete(sessions))
    page.keyboard.press("s")
    page.wait_for_url("**/login?**")


def test_unsaved_boxes_survive_a_session_that_ends(desk: Desk) -> None:
    job_id = desk.examined(a_page(0.9), a_page(0.9, number=2))
    page = desk.person()
    correct(desk, page, job_id)
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator(".edit-bar")).to_be_visible()
    page.keyboard.press("n")
    expect(boxes(page)).to_have_count(2)
    save_after_the_session_ended(desk, page)
    desk.log_in(page, "anna@example.org")
    page.wait_for_url(f"**/jobs/{job_id}#page=2")
    expect(page.locator(".pane.boxed:not(.loading) img")).to_be_visible()
    page.keyboard.press("e")
    expect(page.locator("#edit-notice")).to_have_text("Your unsaved changes are back.")
    expect(boxes(page)).to_have_count(2)
    page.keyboard.press("s")
    saved(page)
    assert len(desk.correction(job_id, 2)["correction"]["boxes"]) == 2


def test_they_are_not_offered_to_who_logs_in_next(desk: Desk) -> None:
    job_id = desk.examined(a_page(0.9))
    page = desk.person()
    desk.person("bruno@example.org")
    correct(desk, page, job_id)
    page.keyboard.press("n")
    expect(boxes(page)).to_have_count(2)
    save_after_the_session_ended(desk, page)
    desk.log_in(page, "bruno@example.org")
    correct(desk, page, job_id)
    expect(boxes(page)).to_have_count(1)
    expect(page.locator("#edit-notice")).to_be_hidden()


def test_they_are_saved_by_the_session_that_came_after(desk: Desk) -> None:
    job_id = desk.examined(a_page(0.9))
    page = desk.person()
    correct(desk, page, job_id)
    page.keyboard.press("n")
    desk.new_session(page.context)
    page.keyboard.press("s")
    saved(page)
    assert len(desk.correction(job_id)["correction"]["boxes"]) == 2
    desk.complaints.clear()  # the browser reports what the old token was refused


def test_they_are_not_saved_in_the_name_of_somebody_else(desk: Desk) -> None:
    job_id = desk.examined(a_page(0.9))
    page = desk.person()
    desk.person("bruno@example.org")
    correct(desk, page, job_id)
    page.keyboard.press("n")
    desk.new_session(page.context, "bruno@example.org")
    page.keyboard.press("s")
    expect(page.locator("#edit-notice")).to_contain_text("you were logged out")
    assert desk.correction(job_id)["correction"] is None
    desk.complaints.clear()


class TestAnswersThatComeLate:
    def test_the_editor_opens_once_and_on_the_page_that_is_shown(self, desk: Desk) -> None:
        job_id = desk.examined(a_page(0.9), a_page(0.9, 0.8, number=2))
        page = desk.person()
        page.goto(f"{desk.url}/jobs/{job_id}")
        expect(page.locator(".pane.boxed:not(.loading) img")).to_be_visible()
        late = Held(page, "**/pages/1/correction")
        page.get_by_role("button", name="Correct").dblclick()
        late.wait()
        page.keyboard.press("j")
        expect(page.locator("[data-part=number]")).to_have_value("2")
        late.let_go()
        page.keyboard.press("e")
        expect(page.locator(".edit-bar")).to_be_visible()
        expect(boxes(page)).to_have_count(2)
        page.keyboard.press("s")
        saved(page)
        assert desk.correction(job_id)["correction"] is None
        assert len(desk.correction(job_id, 2)["correction"]["boxes"]) == 2
        assert len(late.addresses) == 1, "a double click opens it once"

    def being_saved(self, desk: Desk) -> tuple[Page, str, Held]:
        """The first of two pages, whose correction is on its way, and what holds it there."""
        job_id = desk.examined(a_page(0.9), a_page(0.9, number=2))
        page = desk.person()
        correct(desk, page, job_id)
        late = Held(page, "**/correction", "PUT")
        page.keyboard.press("s")
        late.wait()
        return page, job_id, late

    def test_who_goes_on_while_it_is_saved_is_told_that_it_was(self, desk: Desk) -> None:
        page, job_id, late = self.being_saved(desk)
        page.keyboard.press("j")
        late.let_go()
        expect(page.locator("[data-part=number]")).to_have_value("2")
        saved(page)
        assert len(desk.correction(job_id)["correction"]["boxes"]) == 1

    def test_what_is_drawn_while_it_is_saved_is_not_taken_for_saved(self, desk: Desk) -> None:
        page, job_id, late = self.being_saved(desk)
        page.keyboard.press("n")
        late.let_go()
        saved(page)
        page.keyboard.press("j")
        page.locator("#leave-dialog").get_by_role("button", name="Save").click()
        expect(page.locator("[data-part=number]")).to_have_value("2")
        assert len(desk.correction(job_id)["correction"]["boxes"]) == 2


def test_a_page_of_another_shape(desk: Desk) -> None:
    """A landscape page: the editor's numbers are the page's own."""
    job_id = desk.examined(DocumentPage(1, HEIGHT, WIDTH, a_page(0.9).detections), content=landscape(), name="plan.png")
    page = desk.person()
    correct(desk, page, job_id)
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("s")
    saved(page)
    assert_box(
        desk.correction(job_id)["correction"]["boxes"][0], 300 - 3 * round(HEIGHT / 400), 150, 400, 45, within=0.11
    )


def landscape() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (HEIGHT, WIDTH), 255).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_network_that_fails_keeps_everything(desk: Desk) -> None:
    job_id = desk.examined(a_page(0.9))
    page = desk.person()
    correct(desk, page, job_id)
    page.keyboard.press("n")
    intercept(
        page, "**/correction", lambda route: route.abort() if route.request.method == "PUT" else route.continue_()
    )
    page.keyboard.press("s")
    expect(page.locator("#edit-notice")).to_contain_text("It could not be saved")
    desk.complaints.clear()  # the browser reports the broken request
    page.unroute("**/correction")
    page.keyboard.press("s")
    saved(page)
    assert len(desk.correction(job_id)["correction"]["boxes"]) == 2


def test_the_same_boxes_through_the_api_alone(desk: Desk) -> None:
    """What a page saves is what any client could: no second door."""
    job_id = desk.examined(a_page(0.9))
    page = desk.person()
    correct(desk, page, job_id)
    with page.expect_request(lambda request: request.method == "PUT") as sent:
        page.keyboard.press("s")
    saved(page)
    assert sent.value.headers["if-match"] == '"0"'
    stolen = loopback.put(
        sent.value.url, content=sent.value.post_data, headers={"Content-Type": "application/json", "If-Match": '"1"'}
    )
    assert stolen.status_code == 401
    without_token = page.request.put(
        sent.value.url, data=sent.value.post_data_json, headers={"If-Match": '"1"', "X-CSRF-Token": "guessed"}
    )
    assert without_token.status == 403
    assert len(desk.correction(job_id)["history"]) == 1
