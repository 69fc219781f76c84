/* The theme makes what scrolls inside the page a stop of the tab key; here the stop gets a name, and loses it where everything fits. */
(() => {
  const KINDS = [
    [".bd-article pre", "Code or output"],
    [".bd-article :is(.cell_output > .output, .pst-scrollable-table-container):not(:has(> pre))", "Table"],
  ];
  const name = (box) => {
    const found = KINDS.find(([selector]) => box.matches(selector));
    if (box.tabIndex === 0 && found) {
      const place = [...document.querySelectorAll(found[0])].indexOf(box) + 1;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", `${found[1]} ${place}, scrolls`);
    } else if (box.tabIndex === -1 && box.getAttribute("role") === "region") {
      box.removeAttribute("role");
      box.removeAttribute("aria-label");
    }
  };
  const changed = (records) => new Set(records.map((record) => record.target)).forEach(name);
  new MutationObserver(changed).observe(document.documentElement, {attributeFilter: ["tabindex"], subtree: true});
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
