/* Search: terms and claims stand above the pages that hold the words. They come with the page, so nothing is fetched. */
/* What Sphinx's own search shows: words of neighbouring blocks apart, and chapters before the pages on which everything is listed. */
document.addEventListener("DOMContentLoaded", () => { // before Search looks for anything, which waits for the same event
  if (typeof Search === "object") {
    const BLOCK = /<\/(?:caption|dd|div|dt|figcaption|h[1-6]|li|p|pre|section|summary|td|th|tr)>|<br\s*\/?>|<small\b[^>]*>/gi;
    const toText = Search.htmlToText;
    Search.htmlToText = (markup, anchor) => toText(markup.replace(BLOCK, " $& "), anchor).replace(/\s+/g, " ");
  }
  if (typeof Scorer === "object") {
    const LISTS = ["glossary", "references", "ledger", "data-dictionaries", "corrections", "execution-times", "benchmarks"].map((name) => `chapters/${name}`);
    Scorer.score = ([page, , , , score]) => (LISTS.includes(page) ? score - 100 : score);
  }
});

addEventListener("DOMContentLoaded", () => {
  const results = document.getElementById("search-results");
  const held = globalThis.asprintedFinds;
  const query = new URLSearchParams(location.search).get("q")?.trim();
  if (!results || !held || !query) return;

  const MOST = 12;
  const DASHES = /[‐‑–—]|(?<=[\p{L}\p{N}])-(?=[\p{L}\p{N}])/gu; // what joins words counts as a blank; what stands before a number is a sign
  const plain = (text) => (text ?? "").toLowerCase().replaceAll("’", "'").replace(DASHES, " ").replaceAll("−", "-").trim();
  const sought = plain(query).split(/\s+/).filter(Boolean);
  const whole = (word) => new RegExp(`(?<![\\d.])${word.replace(/[^\w\s]/g, "\\$&")}(?!\\d|\\.\\d)`); // "0.6" is not found in "0.66"
  const has = (text, word) => (/\d/.test(word) ? whole(word).test(text) : text.includes(word));

  /* The more of the words stand where they say most, the higher; 0 where one of them is nowhere. */
  function weight(entry) {
    const fields = [[entry.name, 4], [entry.printed, 5], [entry.computed, 3], [entry.study, 2], [entry.verdict, 2], [entry.says, 1], [entry.more, 1]];
    let sum = plain(entry.name) === plain(query) ? 20 : 0;
    for (const word of sought) {
      const best = Math.max(0, ...fields.map(([text, worth]) => (has(plain(text), word) ? worth : 0)));
      if (!best) return 0;
      sum += best;
    }
    return sum;
  }

  function element(name, words, attributes = {}) {
    const made = Object.assign(document.createElement(name), attributes);
    made.append(...[words].flat());
    return made;
  }

  function shown(entry) {
    const link = element("a", entry.name, { href: entry.to });
    if (entry.kind === "term") return element("li", [element("small", "term"), " ", link, element("p", entry.says)]);
    const value = entry.computed ? `printed ${entry.printed}; computed ${entry.computed}; ${entry.verdict}` : `printed ${entry.printed}; ${entry.verdict}`;
    const cells = entry.cells.flatMap((cell, place) => [place ? ", " : " Checked in: ", element("a", cell.title, { href: cell.to })]);
    return element("li", [element("small", "claim"), " ", link, element("p", [`${entry.study}: ${value}.`, ...cells])]);
  }

  const found = held.map((entry) => [weight(entry), entry]).filter(([each]) => each);
  found.sort(([first], [second]) => second - first);
  const list = element("ul", found.slice(0, MOST).map(([, entry]) => shown(entry)));
  const rest = element("button", `Show all ${found.length}`, { type: "button", hidden: found.length <= MOST });
  rest.addEventListener("click", () => {
    const first = list.children.length;
    list.append(...found.slice(MOST).map(([, entry]) => shown(entry)));
    rest.hidden = true;
    list.children[first].querySelector("a").focus();
  });
  const told = found.length === 0 ? `No term and no claim has “${query}”.` : `${found.length} ${found.length === 1 ? "term or claim has" : "terms and claims have"} “${query}”.`;
  const part = element("section", [element("h2", "Terms and claims", { id: "finds" }), element("p", told), list, rest], { className: "finds" });
  if (location.protocol === "file:") part.append(element("p", "This page was opened from a folder, so the pages below are listed without excerpts: a browser lets no page read another there."));
  part.setAttribute("aria-labelledby", "finds");
  part.querySelector("p").setAttribute("role", "status");
  results.before(part);
});
