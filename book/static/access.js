/* What scrolls inside the page is a stop of the tab key, with a name, and says at which side there is more; where everything fits it is none of
   this. The theme looks at most of these boxes when the page changes; here they are looked at when their size does, as when a fold opens. */
(() => {
  const KINDS = [
    [".bd-article pre", "Code or output"],
    [".bd-article :is(.cell_output > .output, .pst-scrollable-table-container):not(:has(> pre))", "Table"],
    [".bd-article .picture", "Picture"],
    [".bd-article div.math", "Formula"],
  ];
  const kind = (box) => KINDS.find(([selector]) => box.matches?.(selector));
  const label = (box, [selector, word]) =>
    box.querySelector("table[aria-label]")?.getAttribute("aria-label") ?? `${word} ${[...document.querySelectorAll(selector)].indexOf(box) + 1}`;
  const sides = (box) => {
    const left = Math.abs(box.scrollLeft), more = [];
    if (left > 1) more.push("left");
    if (left + box.clientWidth < box.scrollWidth - 1) more.push("right");
    if (more.length && kind(box)) box.dataset.more = more.join(" ");
    else delete box.dataset.more;
  };
  const name = (box) => {
    const found = kind(box);
    if (box.tabIndex === 0 && found) {
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", `${label(box, found)}, scrolls`);
    } else if (box.tabIndex === -1 && box.getAttribute("role") === "region") {
      box.removeAttribute("role");
      box.removeAttribute("aria-label");
    }
    sides(box);
  };
  const changed = (records) => new Set(records.map((record) => record.target)).forEach(name);
  new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ["tabindex"], subtree: true });
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) target.tabIndex = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight ? 0 : -1;
  });
  addEventListener("DOMContentLoaded", () => document.querySelectorAll(KINDS.map(([selector]) => selector).join()).forEach((box) => resized.observe(box)));
  document.addEventListener("scroll", ({ target }) => target !== document && sides(target), { capture: true, passive: true });
})();

/* What unfolds a box is called by the title of the box. */
addEventListener("load", () => {
  const buttons = [...document.querySelectorAll("button.toggle-button")];
  const titles = buttons.map((button) => button.closest(".admonition-title")?.textContent.trim().replace(/\s+/g, " ") || "Hidden text");
  buttons.forEach((button, place) => {
    const same = titles.filter((title) => title === titles[place]).length;
    const before = titles.slice(0, place + 1).filter((title) => title === titles[place]).length;
    button.setAttribute("aria-label", `Show or hide: ${titles[place]}${same > 1 ? ` (${before} of ${same})` : ""}`);
  });
});

/* The contents of the page show the last heading above the upper third of the window. The theme marks a heading only while it stands there, so that
   its mark stays behind when a reader jumps or scrolls back. */
addEventListener("DOMContentLoaded", () => {
  const heading = (link) => document.getElementById(decodeURIComponent(link.hash.slice(1)));
  const links = [...document.querySelectorAll("#pst-page-toc-nav a[href^='#']")].filter((link) => heading(link)?.checkVisibility());
  let waits = 0;
  const mark = () => {
    waits = 0;
    const bottom = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    const now = links.findLast((link) => bottom || heading(link).getBoundingClientRect().top < innerHeight * 0.3);
    for (const link of links) {
      link.classList.toggle("active", link === now);
      if (link === now) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    for (const item of document.querySelectorAll("#pst-page-toc-nav li")) item.classList.toggle("active", Boolean(now) && item.contains(now));
    const side = now?.closest(".bd-sidebar-secondary");
    if (!side || side.matches(":hover")) return;
    const [link, around] = [now.getBoundingClientRect(), side.getBoundingClientRect()];
    if (link.top < around.top || link.bottom > Math.min(around.bottom, innerHeight)) side.scrollTop += link.top - around.top - around.height / 2;
  };
  if (links.length) addEventListener("scroll", () => (waits ||= setTimeout(mark, 100)), { passive: true });
});

/* The button of the theme keeps the focus and says which theme is on, and a menu that covers the page goes when something in it is chosen. */
addEventListener("click", ({ target }) => {
  const chosen = target.closest("dialog[open] a[href^='#']");
  if (chosen) chosen.closest("dialog").close();
  const themes = target.closest(".theme-switch-button");
  if (!themes) return;
  setTimeout(() => {
    themes.focus();
    themes.setAttribute("aria-label", `Colour mode: ${document.documentElement.dataset.mode || "auto"}`);
  });
});
