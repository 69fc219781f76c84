/* "Change it yourself": the table of settings and claims gets controls and a picture. Everything shown is read from the table, which stays below. */
addEventListener("DOMContentLoaded", () => document.querySelectorAll("table.asprinted-explore").forEach(exploreTable));

function exploreTable(table, number) {
  const make = (name, of = {}, ...inside) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(of)) element.setAttribute(key, value);
    element.append(...inside);
    return element;
  };
  const heads = [...table.tHead.rows[0].cells];
  const controls = heads.filter((head) => head.dataset.kind).map((head) => ({ name: head.textContent, slider: head.dataset.kind === "slider" }));
  const claims = heads.slice(controls.length).map((head, place) => ({
    place: place + controls.length,
    says: head.querySelector("span").textContent,
    printed: head.querySelector("small").textContent,
    axis: head.dataset.axis,
  }));
  const rows = [...table.tBodies[0].rows];
  const banded = table.querySelector("[data-from]") ? "Band: the values that print as the source does; a mark in it holds, whether on the dashed line or beside it. " : "";
  const settings = rows.map((row) => controls.map((_, place) => row.cells[place].textContent));
  const start = settings[0];
  const chosen = [...start];

  /* The values that a control can have, given those before it; a slider's in order. */
  function open(place) {
    const fit = settings.filter((setting) => setting.slice(0, place).every((value, before) => value === chosen[before]));
    const values = [...new Set(fit.map((setting) => setting[place]))];
    return controls[place].slider ? values.sort((a, b) => a - b) : values;
  }

  const figure = make("div", { class: "explore", role: "group", "aria-label": "Change it yourself" });
  const told = make("div", { class: "explore-told", role: "status" });
  const list = make("ul", { class: "explore-claims" });
  const again = make("button", { type: "button" }, "Back to the start");
  figure.append(told);
  controls.forEach((control, place) => {
    const id = `explore-${number}-${place}`;
    if (control.slider) {
      control.input = make("input", { type: "range", id, min: 0, step: 1 });
      control.value = make("output", { for: id });
      control.box = make("div", { class: "explore-slider" }, make("label", { for: id }, control.name), control.input, control.value);
      control.input.addEventListener("input", () => choose(place, open(place)[control.input.value]));
    } else {
      const values = [...new Set(settings.map((setting) => setting[place]))];
      control.radios = values.map((value) => make("input", { type: "radio", name: id, value }));
      control.box = make("fieldset", {}, make("legend", {}, control.name), ...control.radios.map((radio) => make("label", {}, radio, " ", radio.value)));
      control.radios.forEach((radio) => radio.addEventListener("change", () => choose(place, radio.value)));
    }
    figure.append(control.box);
  });
  claims.forEach((claim) => {
    claim.computed = make("span", { class: "explore-computed" });
    claim.verdict = make("b");
    claim.strip = make("div", { class: "explore-strip", "aria-hidden": "true" });
    const words = make("div", {}, make("strong", {}, claim.says), make("small", {}, `printed: ${claim.printed}`), make("p", {}, claim.computed, " ", claim.verdict));
    claim.item = make("li", {}, words, claim.strip);
    list.append(claim.item);
  });
  figure.append(list, make("p", { class: "explore-key" }, `Thick: this setting. Thin and grey: the start. Dashed: the value that decides, or that of no difference. ${banded}`, again));
  again.addEventListener("click", () => {
    chosen.splice(0, chosen.length, ...start);
    if (document.activeElement === again) figure.querySelector("input:checked, .explore-slider:not([hidden]) input").focus(); // the button is about to go
    show();
  });

  /* A slider's value with its unit: what the name of the control says after a colon or a comma, or else the whole name. */
  function withUnit(control, value) {
    const [, unit] = control.name.match(/(?:: |, in )(.+)$/) ?? [];
    return unit ? `${value} ${unit}` : `${value}, ${control.name}`;
  }

  function choose(place, value) {
    chosen[place] = value;
    show();
  }

  const at = (cell, name) => (name in cell.dataset ? Number(cell.dataset[name]) : NaN);
  const range = ["low", "estimate", "high", "line", "from", "to"];

  /* Where values of a claim stand on its strip, in per cent: one axis for all settings. */
  function axis(claim) {
    const scale = claim.axis.endsWith("ratio") ? Math.log : (value) => value;
    const all = rows.flatMap((row) => range.map((name) => at(row.cells[claim.place], name))).filter(Number.isFinite);
    const [least, most] = [Math.min(...all), Math.max(...all)];
    const place = (value) => 4 + (92 * (scale(value) - scale(least))) / (scale(most) - scale(least) || 1);
    const decimals = Math.max(0, 1 - Math.floor(Math.log10(most - least || 1))); // as many as tell one end from the other, with one to spare
    return { least, most, place, decimals, empty: !all.length };
  }

  function draw(claim, row) {
    const { least, most, place, decimals, empty } = axis(claim);
    claim.strip.hidden = empty;
    if (empty) return;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const add = (name, of, text = "") => {
      const element = document.createElementNS(svg.namespaceURI, name);
      for (const [key, value] of Object.entries(of)) element.setAttribute(key, value);
      element.textContent = text;
      svg.append(element);
    };
    const percent = (value) => `${place(value).toFixed(2)}%`;
    const bar = (cell, y, kind) => {
      const [low, estimate, high] = range.map((name) => at(cell, name));
      if (low < high) add("line", { x1: percent(low), x2: percent(high), y1: y, y2: y, class: kind });
      if (Number.isFinite(estimate)) add("circle", { cx: percent(estimate), cy: y, r: kind === "now" ? 6 : 3, class: kind });
    };
    const cell = row.cells[claim.place];
    const [line, from, to] = ["line", "from", "to"].map((name) => at(cell, name));
    if (from < to) add("rect", { x: percent(from), width: `${(place(to) - place(from)).toFixed(2)}%`, y: 2, height: 32, class: "prints" });
    if (Number.isFinite(line)) add("line", { x1: percent(line), x2: percent(line), y1: 2, y2: 34, class: "decides" });
    bar(rows[0].cells[claim.place], 28, "start");
    bar(cell, 15, "now");
    const labels = [[least, "start"], [most, "end"]].filter(([value]) => !(Math.abs(place(value) - place(line)) < 18));
    if (Number.isFinite(line)) labels.push([line, place(line) < 15 ? "start" : place(line) > 85 ? "end" : "middle"]);
    for (const [value, anchor] of labels) {
      const text = value === line ? String(Number(value.toPrecision(3))) : value.toFixed(decimals).replace(/^-(?=[0.]+$)/, "");
      add("text", { x: percent(value), y: 48, "text-anchor": anchor }, text.replace("-", "−"));
    }
    const band = place(to) - place(from) > 1 ? `; within the band it prints as ${claim.printed}` : "";
    claim.strip.replaceChildren(svg, make("small", {}, `${claim.axis}${band}`));
  }

  function show() {
    controls.forEach((control, place) => {
      const values = open(place);
      if (!values.includes(chosen[place])) chosen[place] = values.includes(start[place]) ? start[place] : values[0];
      control.box.hidden = values.length < 2;
      if (control.slider) {
        control.input.max = values.length - 1;
        control.input.value = values.indexOf(chosen[place]);
        control.input.setAttribute("aria-valuetext", withUnit(control, chosen[place]));
        control.value.textContent = chosen[place];
      } else {
        for (const radio of control.radios) {
          radio.checked = radio.value === chosen[place];
          radio.parentElement.hidden = !values.includes(radio.value);
        }
      }
    });
    const row = rows[settings.findIndex((setting) => setting.every((value, place) => value === chosen[place]))];
    const lost = [], each = [];
    let held = 0, asked = 0;
    for (const claim of claims) {
      const cell = row.cells[claim.place];
      const { holds } = cell.dataset;
      claim.item.dataset.holds = holds ?? "";
      claim.computed.textContent = `here: ${cell.querySelector("span")?.textContent ?? cell.textContent}`;
      claim.verdict.textContent = cell.querySelector("b")?.textContent ?? "";
      if (holds) each.push(`${claim.says}: ${claim.computed.textContent}, ${holds === "yes" ? "holds" : "does not hold"}`);
      asked += Boolean(holds);
      held += holds === "yes";
      if (holds === "no" && rows[0].cells[claim.place].dataset.holds === "yes") lost.push(claim.says);
      draw(claim, row);
    }
    for (const other of rows) other === row ? other.setAttribute("aria-current", "true") : other.removeAttribute("aria-current");
    const all = make("span", { class: "live-unseen" }, ` ${each.join(". ")}.`); // the eye has the list below
    const number = `${held} of ${asked} claim${asked === 1 ? "" : "s"} hold${held === 1 ? "s" : ""}.`;
    told.replaceChildren(`${number}${lost.length ? ` Lost here: ${lost.join("; ")}.` : ""}`, all);
    again.disabled = chosen.every((value, place) => value === start[place]);
  }

  const fold = table.closest("details");
  fold.before(figure);
  fold.open = false;
  addEventListener("beforeprint", () => (fold.open = true));
  show();
}
