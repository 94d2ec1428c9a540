"""The console's frame: what holds for every page, whoever writes it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import Client

TEMPLATES = sorted(
    path for folder in settings.BASE_DIR.glob("*/templates") for path in folder.rglob("*.html") if path.is_file()
)
BUILT = settings.BASE_DIR / "deepcap" / "static" / "console"
ICON = re.compile(r"includes/icon\.html['\"] with name=['\"]([a-z0-9-]+)['\"]")


class InlineCode(HTMLParser):
    """Collects what the content security policy would refuse to run or apply."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _value in attrs]
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith(("on", "hx-on"))]


def inline_code(html: str) -> list[str]:
    parser = InlineCode()
    parser.feed(html)
    return parser.found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: "/".join(path.parts[-3:]))
def test_a_template_compiles_names_known_icons_and_has_no_inline_code(path: Path) -> None:
    source = path.read_text()
    get_template(path.relative_to(next(parent for parent in path.parents if parent.name == "templates")).as_posix())
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (BUILT / "icons.svg").read_text()))
    assert set(ICON.findall(source)) - sprite == set()
    assert inline_code(re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", source, flags=re.DOTALL)) == []


@pytest.mark.django_db
def test_the_sign_in_page_says_what_was_wrong() -> None:
    page = Client().post("/accounts/login/", {"username": "nobody", "password": "wrong"}).content.decode()
    assert 'role="alert"' in page
    assert 'value="nobody"' in page
    assert inline_code(page) == []


@pytest.mark.parametrize("name", ["400.html", "403.html", "404.html", "500.html"])
def test_an_error_page_needs_neither_context_nor_database(name: str) -> None:
    page = get_template(name).render()
    assert f">{name[:3]}<" in page
    assert 'href="/"' in page


def test_htmx_may_not_evaluate_code() -> None:
    head = get_template("includes/head.html").render()
    assert '"allowEval":false' in head
    assert '"includeIndicatorStyles":false' in head


def test_the_lock_file_names_no_registry() -> None:
    lock = (settings.BASE_DIR / "frontend" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
