/* Cells that the reader can change and run: asprinted.live.run(code, {files, onstatus}), and an editor in every .live of the page.
   Python runs in a worker of this site, loaded at the first run; nothing is asked of any other host. */
(() => {
  const site = new URL("../", document.currentScript.src);
  const folder = location.protocol === "file:";
  const waiting = new Map(); // id → {resolve, onstatus}
  let worker, count = 0, ready = false, last = Promise.resolve();

  const failed = (error) => ({ stdout: "", value: "", text: "", error });
  const FROM_FOLDER =
    "A page that was opened from a folder may not start Python. Serve the folder on your own machine: open a terminal in the folder that " +
    "holds index.html, type  python -m http.server  and open the address that it prints. Or take the chapter kit, and run the chapter in Jupyter.";

  function begin() {
    worker = new Worker(new URL("live/worker.mjs", site), { type: "module" });
    worker.onmessage = ({ data }) => {
      const asked = waiting.get(data.id);
      if (!asked) return;
      if (!data.result) return asked.onstatus?.(data.status, data.done);
      ready = !data.broken;
      waiting.delete(data.id);
      asked.resolve(data.result);
      if (data.broken) stop();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      stop("Python could not be started in this browser. A browser of the last three years can; the chapter kit runs everywhere.");
    };
  }

  /* Ends what runs; the next run loads Python again, from the browser's own store. */
  function stop(error = "Stopped.") {
    worker?.terminate();
    worker = undefined;
    ready = false;
    for (const { resolve } of waiting.values()) resolve(failed(error));
    waiting.clear();
  }

  /* What the code came to: {stdout, value, text, error}; value is the repr, text the str of a last line that is an expression.
     The files of every study that the code names are laid in ../data/; `files` names more ("data/some-trial/visits.csv"). Runs wait for each other. */
  function run(code, { files = [], onstatus } = {}) {
    if (folder) return Promise.resolve(failed(FROM_FOLDER));
    const next = () =>
      new Promise((resolve) => {
        const id = ++count;
        waiting.set(id, { resolve, onstatus });
        if (!worker) begin();
        worker.postMessage({ id, code, files });
      });
    const done = last.then(next);
    last = done.catch(() => {});
    return done;
  }

  const made = (tag, about, ...inside) => {
    const element = Object.assign(document.createElement(tag), about);
    element.append(...inside);
    return element;
  };

  const unseen = (words) => made("span", { className: "live-unseen" }, words); // for screen readers, which meet many cells alike

  /* Turns the code inside `cell` into an editor with Run, Reset and Stop. The cell then sends "live:result" after each run. */
  function mount(cell) {
    const shown = cell.querySelector("div[class*='highlight-']") ?? cell.querySelector("pre");
    if (!shown || cell.dataset.mounted) return;
    cell.dataset.mounted = "yes";
    const code = shown.querySelector("pre")?.textContent ?? shown.textContent;
    const original = code.replace(/\n+$/, "");
    const name = cell.querySelector(".live-title")?.textContent ?? "this cell";
    const id = `${cell.id || `live-cell-${document.querySelectorAll("[data-mounted]").length}`}-code`;
    const field = made("textarea", { id, value: original, spellcheck: false, autocomplete: "off", wrap: "off" });
    field.setAttribute("autocapitalize", "off");
    field.setAttribute("aria-describedby", `${id}-keys`);
    const label = made("label", { htmlFor: id, className: "live-label" }, "Code, to be changed as you like", unseen(`: ${name}`));
    const keys = made("span", { id: `${id}-keys`, className: "live-keys" }, "Ctrl and Enter run it, Tab leaves it.");
    const button = (words) => made("button", { type: "button", className: `live-${words.toLowerCase()}` }, words, unseen(`: ${name}`));
    const [start, reset, end] = ["Run", "Reset", "Stop"].map(button);
    end.disabled = true;
    const bar = made("progress", { max: 1, value: 0, hidden: true });
    bar.setAttribute("aria-label", "Loading Python");
    const status = made("p", { className: "live-status" });
    const output = made("div", { className: "live-output" });
    for (const region of [status, output]) region.setAttribute("role", "status");
    const grow = () => (field.rows = Math.min(Math.max(field.value.split("\n").length, 2), 40));
    grow();
    // Chromium asks its makers about forms to fill in, but not about forms that search
    const editor = made("form", { className: "live-editor", action: new URL("search.html", site) });
    editor.append(label, field, made("div", { className: "live-bar" }, start, reset, end, keys), bar, status, output);
    editor.addEventListener("submit", (event) => event.preventDefault());
    shown.hidden = true;
    shown.after(editor);

    let running = false;
    async function go() {
      if (running) return;
      running = true;
      end.disabled = false;
      start.setAttribute("aria-disabled", "true"); // it keeps the focus
      output.replaceChildren();
      let before = "";
      const onstatus = (words, done = 1) => {
        bar.hidden = done >= 1;
        bar.value = done;
        if (words !== before) status.textContent = `${(before = words)} …`;
      };
      onstatus(folder ? "" : "Waiting");
      const result = await run(field.value, { onstatus });
      bar.hidden = true;
      status.textContent = "";
      running = false;
      if (document.activeElement === end) start.focus();
      end.disabled = true;
      start.removeAttribute("aria-disabled");
      show(result);
      cell.dispatchEvent(new CustomEvent("live:result", { bubbles: true, detail: result }));
    }

    function show({ stdout, value, text, error }) {
      if (stdout) output.append(made("pre", { className: "live-printed", tabIndex: 0 }, stdout));
      if (error) output.append(made("p", { className: "live-error" }, made("strong", {}, "It did not run through. "), error));
      else if (value) output.append(made("p", { className: "live-value" }, "Result: ", made("strong", {}, text)));
      else output.append(made("p", {}, stdout ? "It ran through." : "It ran through. Write a name alone on the last line to see what it holds."));
      const expected = cell.dataset.expects;
      if (expected === undefined || error || !value) return;
      const same = text === expected;
      const words = same ? "✓ The chapter has the same." : `≠ The chapter has ${expected}: your change moved it.`;
      output.append(made("p", { className: same ? "live-same" : "live-other" }, words));
    }

    start.addEventListener("click", go);
    end.addEventListener("click", () => stop());
    reset.addEventListener("click", () => {
      field.value = original;
      grow();
      output.replaceChildren();
      status.textContent = "The code is as it was.";
    });
    field.addEventListener("input", grow);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        go();
      }
    });
  }

  window.asprinted ??= {};
  window.asprinted.live = { run, stop, mount, get ready() { return ready; } };
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".live").forEach(mount));
})();
