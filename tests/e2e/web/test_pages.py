"""The pages as people use them, in a real browser: accounts, submitting, lists, administration."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from shared.db.accounts import Role
from tests.e2e.web.desk import PHONE, Desk, a_page, new_page, violations
from tests.e2e.web.views import fill_up
from tests.integration.gateway.conftest import GatewayProcess
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
        page.goto(f"{desk.url}/history?q=lease")
        page.locator("main [name=email]").fill("anna@example.org")
        page.locator("main [name=password]").fill("not the password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("E-mail address or password is wrong.")
        desk.log_in(page, "anna@example.org")
        expect(page).to_have_url(f"{desk.url}/history?q=lease")

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
        page.goto(f"{hasty.url}/history?q=lease")
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
        expect(page).to_have_url(f"{hasty.url}/history?q=lease")
        page.close()


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
        page.route("**/v1/jobs", lambda route: route.abort())
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
