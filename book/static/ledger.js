/* The ledger's filters: every count becomes a button, a field for words is added, and the view stands in the address. */
addEventListener("DOMContentLoaded", () => {
  const filters = document.querySelector(".ledger-filters");
  if (!filters) return;
  const rows = [...document.querySelectorAll("table.ledger tbody tr")];
  const plain = (text) => text.toLowerCase().replaceAll("’", "'");
  const words = new Map(rows.map((row) => [row, plain(row.textContent)]));
  const groups = [...filters.querySelectorAll("[data-group]")].map((group) => group.dataset.group);
  const chosen = new URLSearchParams(location.search);

  for (const item of filters.querySelectorAll("li")) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.value = item.dataset.value;
    button.dataset.group = item.closest("[data-group]").dataset.group;
    button.append(...item.childNodes);
    button.addEventListener("click", () => choose(button.dataset.group, chosen.get(button.dataset.group) === button.dataset.value ? "" : button.dataset.value));
    item.append(button);
  }
  const bar = document.createElement("form");
  bar.className = "ledger-bar";
  bar.action = "../search.html"; // Chromium asks its makers about forms to fill in, but not about forms that search
  bar.addEventListener("submit", (event) => event.preventDefault());
  bar.innerHTML =
    '<label>Words <input type="search" name="words" autocomplete="off" placeholder="in any column"></label>' +
    '<output role="status" aria-live="polite"></output><button type="button" name="all">Show all</button>';
  filters.append(bar);
  const [field, status, all] = bar.querySelectorAll("input, output, button");
  field.addEventListener("input", () => choose("words", field.value.trim()));
  all.addEventListener("click", () => {
    for (const name of [...groups, "words"]) chosen.delete(name);
    show();
    field.focus();
  });

  function choose(name, value) {
    value ? chosen.set(name, value) : chosen.delete(name);
    show();
  }

  function kept(row) {
    const sought = plain(chosen.get("words") ?? "").split(/\s+/);
    const fits = (group) => !chosen.get(group) || row.dataset[group].split(" ").includes(chosen.get(group));
    return groups.every(fits) && sought.every((word) => words.get(row).includes(word));
  }

  function show() {
    let count = 0;
    for (const row of rows) count += !(row.hidden = !kept(row));
    for (const table of document.querySelectorAll("table.ledger")) {
      table.closest("section").hidden = !table.querySelector("tbody tr:not([hidden])");
    }
    for (const button of filters.querySelectorAll("button[data-group]")) {
      button.setAttribute("aria-pressed", chosen.get(button.dataset.group) === button.dataset.value);
    }
    if (document.activeElement !== field) field.value = chosen.get("words") ?? "";
    status.textContent = `${count} of ${rows.length} claims shown`;
    all.hidden = ![...groups, "words"].some((name) => chosen.get(name));
    const query = chosen.toString();
    try {
      history.replaceState(null, "", `${location.pathname}${query ? `?${query}` : ""}${location.hash}`);
    } catch {} // a page opened as a file may not change its address
  }

  /* What is linked to is shown, whatever the filters say. */
  function arrive() {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place?.closest("[hidden]")) return;
    for (const name of [...groups, "words"]) chosen.delete(name);
    show();
    place.scrollIntoView();
  }

  show();
  arrive();
  addEventListener("hashchange", arrive);
});
