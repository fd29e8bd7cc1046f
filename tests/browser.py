"""A real browser, headless, for the tests of pages; they are skipped where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

# Boxes with text of their own whose text runs over them, out of the page, or into that of another box.
FAULTS = """() => {
  const faults = [], width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) faults.push('the page scrolls sideways');
  const boxes = [];
  for (const node of document.querySelectorAll('.page *')) {
    if (node.closest('.aloud, .skip, svg, details:not([open]) > :not(summary)')) continue;
    const style = getComputedStyle(node);
    const scrolls = node.closest('.scroll');
    if (!scrolls && style.overflowX !== 'visible' && node.scrollWidth > node.clientWidth + 1)
      faults.push('cut off: ' + node.className + ' ' + node.textContent.trim().slice(0, 40));
    for (const child of node.childNodes) {
      if (child.nodeType !== Node.TEXT_NODE || !child.textContent.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(child);
      for (const box of range.getClientRects()) {
        if (box.width < 1) continue;
        if (!scrolls && (box.left < -1 || box.right > width + 1))
          faults.push('outside: ' + child.textContent.trim().slice(0, 40));
        boxes.push({node, box, text: child.textContent.trim().slice(0, 40)});
      }
    }
  }
  boxes.sort((a, b) => a.box.top - b.box.top);
  for (let i = 0; i < boxes.length; i++)
    for (let j = i + 1; j < boxes.length && boxes[j].box.top < boxes[i].box.bottom; j++) {
      const [a, b] = [boxes[i], boxes[j]];
      if (a.node.closest('.scroll') !== b.node.closest('.scroll')) continue;
      const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (across > 2 && down > 4) faults.push('overlap: ' + a.text + ' / ' + b.text);
    }
  return faults;
}"""


@contextmanager
def browsing() -> Iterator[object]:
    """A headless Chromium for the time of a block."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"needs a browser: none of {', '.join(NAMES)} is on PATH")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


def faults_of(browser: object, page: Path, width: int, *, dark: bool = False, script: bool = True) -> list[str]:
    """What is wrong with a page at this width: what the console says, and text that is cut or on other text."""
    view = browser.new_page(  # type: ignore[attr-defined]
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    said: list[str] = []
    view.on("console", lambda message: said.append(f"console: {message.text}"))
    view.on("pageerror", lambda error: said.append(f"error: {error}"))
    view.on("request", lambda request: None if request.url.startswith(("file:", "data:")) else said.append(request.url))
    view.goto(page.as_uri())
    found = said + view.evaluate(FAULTS)
    view.close()
    return found
