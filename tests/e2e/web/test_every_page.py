"""Every page in every state: no barrier, nothing that sticks out, no error of HTML, and a picture to look at."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from services.gateway import web
from services.gateway.web import i18n
from shared.db.accounts import Role
from tests.e2e.web import html_checker
from tests.e2e.web.desk import LOOKS, PHONE, Desk, new_page, violations
from tests.e2e.web.views import EMPTY_VIEWS, OPEN_VIEWS, USUAL_VIEWS, View, fill_up
from tests.system import SAMPLES


@LOOKS
class TestLooks:
    @pytest.mark.timeout(600)
    def test_inside(self, desk: Desk, size: tuple[int, int], theme: str) -> None:
        # French on the phone: the longer texts on the narrower page.
        language = "fr" if size == PHONE else "en"
        options = {"color_scheme": theme, "is_mobile": size == PHONE, "locale": language}
        page = desk.person(role=Role.ADMINISTRATOR, size=size, **options)
        keys = set(i18n.texts(language))
        for view in EMPTY_VIEWS:
            view.open(desk, page)
            assert violations(page) == [], view.name
            view.photograph(desk, page, f"{size[0]}-{theme}")
        for view in (*fill_up(desk), *USUAL_VIEWS):
            view.open(desk, page)
            if view.name == "statistics":
                page.locator("details summary").click()
            assert violations(page) == [], view.name
            widest = page.evaluate("document.documentElement.scrollWidth")
            assert widest <= size[0], f"{view.name} is {widest} px wide"
            shown = set(re.findall(r"[a-z_]+(?:\.[a-z_]+)+", page.locator("body").inner_text()))
            assert not shown & keys, f"{view.name} shows a key instead of a text"
            view.photograph(desk, page, f"{size[0]}-{theme}")

    def test_for_visitors(self, desk: Desk, desk_browser: Browser, size: tuple[int, int], theme: str) -> None:
        page = new_page(desk_browser, size=size, color_scheme=theme)
        for view in OPEN_VIEWS:
            view.open(desk, page)
            assert violations(page) == [], view.name
            view.photograph(desk, page, f"{size[0]}-{theme}")
        page.close()

    def test_rows_of_files(self, desk: Desk, tmp_path: Path, size: tuple[int, int], theme: str) -> None:
        page = desk.person(size=size, color_scheme=theme)
        empty = tmp_path / ("a-very-long-name-" * 8 + "empty.pdf")
        empty.touch()
        page.locator("#files").set_input_files([SAMPLES / "contract-en.png", empty])
        expect(page.locator(".file", has_text="contract-en.png")).to_contain_text("Waiting for examination")
        expect(page.locator(".file", has_text="empty.pdf")).to_contain_text("The file is empty.")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        desk.photograph(page, f"submit-files-{size[0]}-{theme}")


def test_the_menu_of_a_phone(desk: Desk) -> None:
    page = desk.person(role=Role.ADMINISTRATOR, size=PHONE, has_touch=True, is_mobile=True)
    expect(page.locator("nav ul")).to_be_hidden()
    page.locator("#menu-button").click()
    expect(page.locator("nav ul")).to_be_visible()
    assert violations(page) == []
    desk.photograph(page, "menu-390-light")


def test_the_nu_checker_finds_no_error(desk: Desk, desk_browser: Browser, tmp_path: Path) -> None:
    visitor, inside = new_page(desk_browser), desk.person(role=Role.ADMINISTRATOR)
    sources = [source for view in OPEN_VIEWS for source in sources_of(view, desk, visitor, tmp_path)]
    sources += [source for view in EMPTY_VIEWS for source in sources_of(view, desk, inside, tmp_path)]
    for view in (*fill_up(desk), *USUAL_VIEWS):
        sources += sources_of(view, desk, inside, tmp_path)
    visitor.close()
    static = Path(web.__file__).parent / "static"
    assert html_checker.faults([*sources, *static.rglob("*.css"), *static.rglob("*.svg")]) == ""


def sources_of(view: View, desk: Desk, page: Page, folder: Path) -> list[Path]:
    """The page as it is sent, in each language."""
    sources = []
    for language in ("en", "fr"):
        headers = {"Accept": "text/html", "Accept-Language": language}
        text = page.request.get(desk.url + view.path, headers=headers).text()
        assert f'lang="{language}"' in text, view.name
        sources.append(folder / f"{view.name}-{language}.html")
        sources[-1].write_text(text)
    return sources


def test_the_nu_checker_is_at_work(tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<!doctype html><title>x</title><p><div></p>")
    assert "bad.html" in html_checker.faults([bad])
