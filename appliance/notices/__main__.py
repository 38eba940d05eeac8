"""`python -m appliance.notices`: writes the pages of `docs/` that tell of cards."""

from pathlib import Path

from appliance.notices.page import PAGES, page

DOCS = Path(__file__).parents[2] / "docs"

if __name__ == "__main__":
    for language, name in PAGES.items():
        (DOCS / name).write_text(page(language), "utf-8")
