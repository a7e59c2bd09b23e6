"""What no screenshot shows: controls without a name, one in another, pages that are too wide."""

from playwright.sync_api import Page

_LOOK = """() => {
  const shown = (e) => e.checkVisibility() && e.getClientRects().length
    && !e.closest("[aria-hidden=true]");
  const text = (e) => (e?.innerText || e?.textContent || "").trim();
  const byIds = (ids) => ids.split(" ").map((i) => text(document.getElementById(i))).join("");
  const name = (e) => e.getAttribute("aria-label")
    || byIds(e.getAttribute("aria-labelledby") || "")
    || [...(e.labels || [])].map(text).join("") || text(e) || e.title
    || e.querySelector("[aria-label]")?.getAttribute("aria-label") || "";
  const all = (...what) => [...document.querySelectorAll(what.join(","))];
  const brief = (e) => e.outerHTML.slice(0, 200);
  const roles = ["button", "combobox", "grid", "table", "img", "dialog", "radiogroup", "slider"];
  const controls = ["input", "select", "textarea", "button", "a[href]", "summary"];
  const nested = ["[role=button] input", "button button", "a a", "a button", "button a"];
  const ids = all("[id]").map((e) => e.id);
  return [
    ...all(...controls, ...roles.map((r) => `[role=${r}]`)).filter((e) => shown(e) && !name(e))
      .map((e) => `without a name: ${brief(e)}`),
    ...all(...nested).filter(shown).map((e) => `one in another: ${brief(e)}`),
    ...new Set(ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `twice: #${id}`)),
    ...all("html", "main").filter((e) => e.scrollWidth > e.clientWidth + 1)
      .map((e) => `${e.tagName} is ${e.scrollWidth} wide`),
  ];
}"""


def faults(page: Page) -> list[str]:
    """What is wrong with the page as it stands, in words."""
    found: list[str] = page.evaluate(_LOOK)
    return found
