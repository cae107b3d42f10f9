"""The pages as people use them, in a real browser: accounts, submitting, lists, administration."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import delete, update

from shared.db.accounts import Role
from shared.db.tables import accounts, sessions
from tests.e2e.web.desk import PHONE, Desk, a_page, intercept, new_page, violations
from tests.e2e.web.views import fill_up
from tests.integration.gateway.conftest import GatewayProcess
from tests.integration.gateway.workers import png, succeed
from tests.servers import Servers
from tests.system import SAMPLES, System

PASSWORD = "a horse in the garden"


def sign_up(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/signup")
    page.locator("main [name=email]").fill(email)
    page.locator("main [name=password]").fill(PASSWORD)
    page.locator("main button.primary").click()
    expect(page.locator("#files")).to_be_attached()


class TestWithTheRealDetector:
    def test_sign_up_submit_three_kinds_of_file_and_find_them_again(
        self, system: System, desk_browser: Browser, tmp_path: Path, pictures: Path
    ) -> None:
        page = new_page(desk_browser)
        sign_up(page, system.url, "anna@example.org")
        not_a_document = tmp_path / "notes.pdf"
        not_a_document.write_text("hello")
        documents = [SAMPLES / name for name in ("bail-4-pages.pdf", "contrat-non-signe.jpg", "letter-1984.tif")]
        page.locator("#reference").fill("K-117")
        page.locator("#files").set_input_files([*documents, not_a_document])
        rows = {path.name: page.locator(".file", has_text=path.name) for path in (*documents, not_a_document)}
        expect(rows["bail-4-pages.pdf"].locator(".badge")).to_contain_text("Signed · 2 signatures", timeout=40_000)
        expect(rows["contrat-non-signe.jpg"].locator(".badge")).to_contain_text("Not signed", timeout=20_000)
        expect(rows["letter-1984.tif"].locator(".badge")).to_contain_text("Signed · 1 signature", timeout=20_000)
        expect(rows["notes.pdf"].locator(".file-fault")).to_contain_text("no PDF, TIFF, JPEG, PNG or WebP")
        expect(page.locator("#summary")).to_contain_text("4 of 4 done")
        page.screenshot(path=pictures / "submitted-1440-light.png", full_page=True)

        page.goto(f"{system.url}/history?q=k-117+letter")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.locator("tbody a").click()
        expect(page).to_have_title(re.compile("letter-1984.tif"))
        page.close()


class TestAccounts:
    def test_a_wrong_password_is_told_and_the_right_one_leads_on(self, desk: Desk) -> None:
        page = desk.person()
        page.locator("form[action='/logout'] button").first.click()
        expect(page.get_by_role("status")).to_have_text("You are logged out.")
        page.goto(f"{desk.url}/history?q=lease#main")
        page.locator("main [name=email]").fill("anna@example.org")
        page.locator("main [name=password]").fill("not the password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("E-mail address or password is wrong.")
        desk.log_in(page, "anna@example.org")
        expect(page).to_have_url(f"{desk.url}/history?q=lease#main")

    def test_who_logs_in_on_one_tab_goes_on_upon_the_other(self, desk: Desk) -> None:
        page = desk.person()
        other = page.context.new_page()
        end_sessions(desk)
        page.goto(f"{desk.url}/history")
        other.goto(f"{desk.url}/statistics#main")
        for one in (page, other):
            desk.log_in(one, "anna@example.org")
        expect(other).to_have_url(f"{desk.url}/statistics#main")

    def test_nobody_sees_pages_after_logging_out_not_even_with_the_back_button(self, desk: Desk) -> None:
        desk.examined(a_page(0.9), name="secret.pdf")
        page = desk.person()
        page.goto(f"{desk.url}/history?whose=all")
        expect(page.get_by_text("secret.pdf")).to_be_visible()
        page.locator("form[action='/logout'] button").first.click()
        expect(page).to_have_url(re.compile("/login"))
        page.go_back()
        expect(page.get_by_text("secret.pdf")).to_have_count(0)

    def test_keyboard_alone_signs_up(self, desk: Desk, desk_browser: Browser) -> None:
        page = new_page(desk_browser)
        page.goto(f"{desk.url}/signup")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator("main [name=email]")).to_be_focused()
        page.keyboard.type("keys@example.org")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text("Welcome")
        page.close()


class TestTimeOut:
    @pytest.fixture
    def hasty(self, desk: Desk, clean_servers: Servers, tmp_path: Path) -> Iterator[GatewayProcess]:
        """A gateway whose sessions end after seconds."""
        settings = {"PARAPHE_WEB_IDLE_S": "6", "PARAPHE_WEB_WARN_S": "4"}
        gateway = GatewayProcess({**clean_servers.environment, **settings}, tmp_path / "hasty.log")
        yield gateway
        gateway.kill()

    def test_the_person_is_warned_may_stay_and_is_logged_out_in_the_end(
        self, hasty: GatewayProcess, desk_browser: Browser
    ) -> None:
        page = new_page(desk_browser)
        sign_up(page, hasty.url, "slow@example.org")
        page.goto(f"{hasty.url}/history?q=lease#main")
        warning = page.locator("#idle-dialog")
        expect(warning).to_be_visible(timeout=6000)
        page.locator("#idle-stay").click()
        expect(warning).to_be_hidden()
        expect(warning).to_be_visible(timeout=6000)
        expect(page).to_have_url(re.compile("/login"), timeout=10_000)
        expect(page.get_by_role("status")).to_contain_text("logged out because nothing happened")
        page.locator("main [name=email]").fill("slow@example.org")
        page.locator("main [name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{hasty.url}/history?q=lease#main")
        page.close()

    def test_a_slow_link_does_not_keep_the_page_on_the_screen(
        self, hasty: GatewayProcess, desk_browser: Browser
    ) -> None:
        page = new_page(desk_browser)
        sign_up(page, hasty.url, "slow@example.org")
        page.goto(f"{hasty.url}/history")
        network = page.context.new_cdp_session(page)
        slow = {"offline": False, "latency": 700, "downloadThroughput": -1, "uploadThroughput": -1}
        network.send("Network.emulateNetworkConditions", slow)
        expect(page).to_have_url(re.compile("/login"), timeout=15_000)
        page.close()

    def test_a_page_goes_on_with_the_session_that_came_after(self, desk: Desk) -> None:
        page = desk.person()
        page.clock.install()
        page.goto(f"{desk.url}/history")
        desk.new_session(page.context)
        with page.expect_response(lambda answer: "/session/touch" in answer.url and answer.status == 204):
            assert self.told_next(page) == 403
        page.get_by_role("button", name="Français").click()
        expect(page).to_have_url(f"{desk.url}/history")
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        desk.complaints.clear()  # the browser reports what the old token was refused

    def test_a_page_is_not_left_to_somebody_else_who_has_logged_in(self, desk: Desk) -> None:
        page = desk.person()
        desk.person("bruno@example.org")
        page.clock.install()
        page.goto(f"{desk.url}/history")
        desk.new_session(page.context, "bruno@example.org")
        assert self.told_next(page) == 403
        expect(page.locator(".who")).to_have_text("bruno@example.org")
        expect(page).to_have_url(f"{desk.url}/history")
        desk.complaints.clear()

    def test_nor_is_the_answer_to_a_form_and_the_form_is_not_sent_again(self, desk: Desk) -> None:
        page = desk.person()
        desk.person("bruno@example.org")
        page.clock.install()
        page.goto(f"{desk.url}/account")
        page.locator("[name=current]").fill("not the password")
        page.locator("[name=new]").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{desk.url}/account/password")
        sent: list[str] = []
        page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
        desk.new_session(page.context, "bruno@example.org")
        assert self.told_next(page) == 403
        expect(page.locator(".who")).to_have_text("bruno@example.org")
        expect(page).to_have_url(f"{desk.url}/account")
        assert sent == [f"{desk.url}/session/touch"]
        desk.complaints.clear()

    def test_only_a_session_that_has_ended_ends_the_page(self, desk: Desk) -> None:
        page = desk.person()
        page.clock.install()
        page.goto(f"{desk.url}/history")
        intercept(page, "**/session/touch", lambda route: route.fulfill(status=503))
        assert self.told_next(page) == 503, "the database is away for a moment"
        page.unroute("**/session/touch")
        assert self.told_next(page) == 204
        desk.complaints.clear()
        end_sessions(desk)
        assert self.told_next(page) == 303
        expect(page).to_have_url(re.compile("/login.*history"))

    def test_what_came_last_before_a_rest_is_told_too(self, desk: Desk) -> None:
        page = desk.person()
        page.clock.install()
        page.goto(f"{desk.url}/history")
        assert self.told_next(page) == 204
        page.clock.fast_forward(10_000)
        page.keyboard.press("Shift")
        with page.expect_response("**/session/touch"):
            page.clock.fast_forward(25_000)

    @staticmethod
    def told_next(page: Page) -> int:
        """What the server answers when half a minute later it is told that the person does something."""
        with page.expect_response("**/session/touch") as answer:
            page.clock.fast_forward(31_000)
            page.keyboard.press("Shift")
        return answer.value.status

    def test_a_long_upload_keeps_the_session_even_while_the_person_is_asked(self, desk: Desk) -> None:
        page = desk.person()
        page.clock.install()
        page.goto(desk.url)
        network = page.context.new_cdp_session(page)
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
        network.send("Network.emulateNetworkConditions", slow)
        page.locator("#files").set_input_files({"name": "a.pdf", "mimeType": "", "buffer": bytes(9_000_000)})
        for _ in range(2):
            with page.expect_response("**/session/touch") as told:
                page.clock.fast_forward(250_000)  # the warning comes after 240 s, the end after 300 s
            assert told.value.status == 204
            expect(page.locator("#idle-dialog")).to_be_hidden()
        expect(page.locator(".file")).to_contain_text("Sending")


def end_sessions(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        connection.execute(delete(sessions))


class TestLanguages:
    def test_follow_the_browser_then_the_choice(self, desk: Desk) -> None:
        page = desk.person(locale="fr-FR")
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        expect(page.locator("h1")).to_have_text("Déposer des documents")
        page.get_by_role("button", name="English").click()
        expect(page.locator("h1")).to_have_text("Submit documents")
        page.goto(f"{desk.url}/history")
        expect(page.locator("html")).to_have_attribute("lang", "en")


class TestSubmitting:
    def test_a_phones_camera_is_offered(self, desk: Desk) -> None:
        page = desk.person(size=PHONE, has_touch=True, is_mobile=True)
        expect(page.locator("label[for=camera]")).to_be_visible()
        expect(page.locator("#camera")).to_have_attribute("capture", "environment")

    def test_limits_are_told_before_anything_is_sent(self, desk: Desk) -> None:
        page = desk.person()
        expect(page.locator("#drop")).to_contain_text("up to 50 MB and 300 pages a file")
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.method) if "/v1/jobs" in request.url else None)
        page.evaluate(
            """() => {
              const files = new DataTransfer();
              files.items.add(new File([new Uint8Array(51 * 1024 * 1024)], "huge.tif"));
              document.getElementById("files").files = files.files;
              document.getElementById("files").dispatchEvent(new Event("change"));
            }"""
        )
        expect(page.locator(".file-fault")).to_contain_text("Larger than 50 MB")
        assert sent == []

    def test_a_lost_connection_is_told_and_trying_again_sends_the_file_once(self, desk: Desk) -> None:
        page = desk.person()
        page.clock.install()
        intercept(page, "**/v1/jobs", lambda route: route.abort())
        page.locator("#files").set_input_files(SAMPLES / "contract-en.png")
        told = page.locator(".file-fault")
        for _ in range(100):
            page.clock.run_for(1000)
            if told.is_visible():
                break
        expect(told).to_contain_text("The connection broke")
        desk.complaints.clear()
        page.unroute("**/v1/jobs")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".file")).to_contain_text("Waiting for examination")
        assert len(desk.api.get("/v1/jobs").json()["jobs"]) == 1

    def test_what_was_not_sent_is_not_cleared_as_finished(self, desk: Desk) -> None:
        page = desk.person()
        page.clock.install()
        page.locator("#files").set_input_files({"name": "empty.pdf", "mimeType": "", "buffer": b""})
        intercept(page, "**/v1/jobs", lambda route: route.abort())
        page.locator("#files").set_input_files(SAMPLES / "contract-en.png")
        for _ in range(4):
            page.clock.run_for(9_000)
        try_again = page.get_by_role("button", name="Try again")
        expect(try_again).to_be_visible()
        expect(page.locator("#summary")).to_contain_text("1 of 2 done")
        clear = page.get_by_role("button", name="Clear finished")
        clear.click()
        expect(page.locator(".file-name")).to_have_text(["contract-en.png"])
        expect(clear).to_be_hidden()
        page.unroute("**/v1/jobs")
        try_again.click()
        expect(page.locator(".file")).to_contain_text("Waiting for examination")
        desk.complaints.clear()  # the browser reports what broke

    def test_who_may_not_send_is_not_told_to_try_again(self, desk: Desk) -> None:
        page = desk.person()
        with desk.engine.begin() as connection:
            connection.execute(update(accounts).values(role=Role.DATA_SCIENTIST))
        page.locator("#files").set_input_files(SAMPLES / "contract-en.png")
        expect(page.locator(".file-fault")).to_have_text("Your role may not send documents.")
        expect(page.get_by_role("button", name="Try again")).to_have_count(0)
        desk.complaints.clear()

    @pytest.mark.parametrize("what_breaks", ["window.fetch", "Response.prototype.text"])
    def test_nor_is_the_role_blamed_when_nobody_says_whether_it_may(self, desk: Desk, what_breaks: str) -> None:
        page = desk.person()
        desk.new_session(page.context)
        page.evaluate(f"() => {{ {what_breaks} = () => Promise.reject(new TypeError('network error')); }}")
        page.locator("#files").set_input_files(SAMPLES / "contract-en.png")
        expect(page.locator(".file-fault")).to_contain_text("The connection broke.")
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        desk.complaints.clear()

    def test_nothing_is_sent_in_the_name_of_somebody_else(self, desk: Desk) -> None:
        page = desk.person()
        desk.person("bruno@example.org")
        desk.new_session(page.context, "bruno@example.org")
        page.locator("#files").set_input_files(SAMPLES / "contract-en.png")
        expect(page.locator(".file-fault")).to_contain_text("You are logged out.")
        assert desk.api.get("/v1/jobs").json()["jobs"] == []
        desk.complaints.clear()

    def test_half_a_signature_is_not_asked_for(self, desk: Desk) -> None:
        page = desk.person()
        page.locator("#min").fill("2.5")
        page.locator("#files").set_input_files(SAMPLES / "contract-en.png")
        expect(page.locator(".file")).to_contain_text("Waiting for examination")
        assert desk.api.get("/v1/jobs").json()["jobs"][0]["requirements"]["min_signatures"] == 2

    def test_files_outlive_the_session(self, desk: Desk) -> None:
        page = desk.person()
        page.clock.install()
        page.goto(desk.url)
        end_sessions(desk)
        page.locator("#files").set_input_files([SAMPLES / "contract-en.png", SAMPLES / "contrat-non-signe.jpg"])
        told = page.locator(".file-fault")
        expect(told).to_contain_text(["You are logged out", "You are logged out"])
        page.clock.fast_forward(31_000)  # so long that the server is asked about the session
        with page.expect_popup() as opened:
            told.first.get_by_role("link").click()
        desk.log_in(opened.value, "anna@example.org")
        page.get_by_role("button", name="Try all again").click()
        expect(page.locator(".file")).to_contain_text(["Waiting for examination", "Waiting for examination"])
        assert len(desk.api.get("/v1/jobs").json()["jobs"]) == 2
        desk.complaints.clear()  # the browser reports what the old token was refused

    def test_files_are_sent_by_the_session_that_came_after(self, desk: Desk) -> None:
        """Nothing was sent meanwhile: what the page finds out first is that its token is another session's."""
        page = desk.person()
        page.clock.install()
        page.goto(desk.url)
        intercept(page, "**/v1/jobs", lambda route: route.abort())
        page.locator("#files").set_input_files(SAMPLES / "contract-en.png")
        for _ in range(4):
            page.clock.run_for(9_000)
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        page.unroute("**/v1/jobs")
        end_sessions(desk)
        page.clock.fast_forward("06:00")
        expect(page.locator("#idle-dialog")).to_be_hidden()
        other = page.context.new_page()
        other.goto(f"{desk.url}/login")
        desk.log_in(other, "anna@example.org")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".file")).to_contain_text("Waiting for examination")
        desk.complaints.clear()  # the browser reports what broke, and what the old token was refused

    def test_only_documents_are_pasted(self, desk: Desk) -> None:
        page = desk.person()
        page.evaluate(
            """() => {
              const paste = (target, name, text) => {
                const clipboardData = new DataTransfer();
                clipboardData.items.add(new File([], name));
                if (text) clipboardData.setData("text/plain", text);
                target.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
              };
              paste(document.body, "cell of a spreadsheet.png", "12\t13");
              paste(document.getElementById("reference"), "into a field.png", "");
              paste(document.body, "screenshot.png", "");
              paste(document.body, "from a file manager.pdf", "from a file manager.pdf");
            }"""
        )
        expect(page.locator(".file-name")).to_have_text(["from a file manager.pdf", "screenshot.png"])

    def test_a_folder_brings_all_that_lies_in_it(self, desk: Desk, tmp_path: Path) -> None:
        folder, inner = tmp_path / "contracts", tmp_path / "contracts" / "2024"
        inner.mkdir(parents=True)
        names = [f"{number}.png" for number in range(1, 121)]
        for path in (*(inner / name for name in names), folder / "last.pdf", folder / ".DS_Store", tmp_path / "a.pdf"):
            path.touch()  # empty, so that nothing is sent
        page = desk.person()
        drop(page, [tmp_path / "a.pdf", folder])
        expect(page.locator(".file-name")).to_have_text(["last.pdf", *names[::-1], "a.pdf"])

    def test_one_slow_document_does_not_hide_how_the_others_go(self, desk: Desk) -> None:
        page = desk.person()
        intercept(page, f"{desk.url}/", follow_only_two)
        page.goto(desk.url)
        rows = {}
        for name in ("slow.png", "second.png", "third.png"):
            page.locator("#files").set_input_files({"name": name, "mimeType": "image/png", "buffer": png()})
            rows[name] = page.locator(".file", has_text=name)
            expect(rows[name]).to_contain_text("Waiting for examination")
        ids = {one["document"]["filename"]: one["id"] for one in desk.api.get("/v1/jobs").json()["jobs"]}
        for name in ("second.png", "third.png"):
            succeed(desk.engine, ids[name])
            expect(rows[name]).to_contain_text("Signed · 1 signature")
        assert desk.api.delete(f"/v1/jobs/{ids['slow.png']}").status_code == 204
        expect(rows["slow.png"]).to_contain_text("Erased meanwhile")
        expect(page.locator("#summary")).to_contain_text("3 of 3 done")

    def test_the_person_and_the_consent_are_kept_with_the_document(self, desk: Desk) -> None:
        page = desk.person()
        page.locator("#consent").check()
        page.locator("#min").fill("3")
        page.locator("#files").set_input_files(SAMPLES / "contract-en.png")
        expect(page.locator(".file")).to_contain_text("Waiting for examination")
        job = desk.api.get("/v1/jobs").json()["jobs"][0]
        assert job["training_consent"] is True
        assert job["requirements"]["min_signatures"] == 3
        page.goto(f"{desk.url}/history")
        expect(page.locator("tbody tr")).to_contain_text("anna@example.org")


def drop(page: Page, paths: Sequence[Path]) -> None:
    """From the person's file manager onto the page."""
    mouse = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        mouse.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


def follow_only_two(route: Route) -> None:
    """The page, told that so many may be followed at a time instead of a hundred."""
    answer = route.fetch()
    told = answer.text()
    assert '"followed": 100' in told
    route.fulfill(response=answer, body=told.replace('"followed": 100', '"followed": 2'))


class TestHistory:
    def test_the_days_asked_for_are_those_of_the_times_shown(self, desk: Desk) -> None:
        desk.submit(png(), "now.png")
        now = datetime.now(UTC)
        # There is always a place where it is another day.
        zone = "Pacific/Kiritimati" if now.hour >= 10 else "Pacific/Pago_Pago"
        page = desk.person(timezone_id=zone)
        page.goto(f"{desk.url}/history?whose=all")
        for field in ("#from", "#until"):
            page.locator(field).fill(now.astimezone(ZoneInfo(zone)).date().isoformat())
        page.get_by_role("button", name="Filter").click()
        expect(page).to_have_url(re.compile("from=2"))
        expect(page.locator("tbody tr")).to_contain_text("now.png")


class TestAdministration:
    def test_a_failed_document_is_seen_and_tried_again(self, desk: Desk) -> None:
        fill_up(desk)
        page = desk.person(role=Role.ADMINISTRATOR)
        page.goto(f"{desk.url}/admin")
        row = page.locator("tbody tr", has_text="broken.png")
        expect(row).to_contain_text("protected by a password")
        row.get_by_role("button").click()
        expect(page.get_by_role("status")).to_have_text("Queued again.")
        expect(page.locator("tbody tr", has_text="ParapheBacklogOld")).to_contain_text("Jobs wait.")
        expect(page.get_by_text("Nothing has failed.")).to_be_visible()

    def test_a_key_is_revoked_only_after_asking(self, desk: Desk) -> None:
        page = desk.person(role=Role.ADMINISTRATOR)
        page.goto(f"{desk.url}/admin/keys")
        row = page.locator("tbody tr", has_text="scanner")
        page.once("dialog", lambda dialog: dialog.dismiss())
        row.get_by_role("button").click()
        expect(row).to_contain_text("Active")
        page.once("dialog", lambda dialog: dialog.accept())
        row.get_by_role("button").click()
        expect(page.locator("tbody tr", has_text="scanner")).to_contain_text("Revoked")


def test_the_theme_is_remembered(desk: Desk) -> None:
    page = desk.person(color_scheme="light")
    page.locator("#theme-button").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(f"{desk.url}/history")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert violations(page) == []
