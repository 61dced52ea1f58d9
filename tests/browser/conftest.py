"""A server with small text models and the playground, and a headless Chromium that opens it."""

import shutil

import pytest

from tests.browser.running import playground
from tests.browser.text_models import save_all

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def url(tmp_path_factory):
    """Of the playground."""
    with playground(save_all(tmp_path_factory.mktemp("models"))) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    if _CHROMIUM is None:
        pytest.skip("There is no chromium on this machine (Debian: apt install chromium).")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, url):
    """Opens the playground at an address; afterwards nothing may have gone wrong unseen."""
    contexts, wrong = [], []

    def open_page(address="", width=1280, quiet=True, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        if quiet:
            page.on("console", lambda message: wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("request", lambda request: _note_foreign(request.url, url, wrong))
        page.goto(url + address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def _note_foreign(requested, url, wrong):
    if not requested.startswith(url):
        wrong.append(f"request to another server: {requested}")
