/* Cells that the reader can change and run: asprinted.live.run(code, {check, files, onstatus, signal}), and an editor in every .live of the page.
   Python runs in a worker of this site, loaded at the first run; nothing is asked of any other host. */
(() => {
  const site = new URL("../", document.currentScript.src);
  const folder = location.protocol === "file:";
  const waiting = new Map(); // id → {resolve, onstatus}
  let worker, address, count = 0, ready = false, last = Promise.resolve();

  const straight = (code) => code.replace(/[“”„‟]/g, '"').replace(/[‘’‚‛]/g, "'"); // telephones write quotes that Python cannot read
  const failed = (error = "Stopped.") => ({ stdout: "", value: "", text: "", error, broken: true });
  const FROM_FOLDER =
    "A page that was opened from a folder may not start Python. Serve the folder on your own machine: open a terminal in the folder that " +
    "holds index.html, type  python3 -m http.server --bind 127.0.0.1  (on Windows py instead of python3) and open  http://127.0.0.1:8000  in the browser. Or take the chapter kit, and run the chapter in Jupyter.";

  // A worker that the page itself makes has the page's policy, and asks this site alone; one that a server sends has the policy that is sent with it, or none.
  const beginning = new Blob([`import ${JSON.stringify(new URL("live/worker.mjs", site).href)};`], { type: "text/javascript" });

  function begin() {
    worker = new Worker((address ??= URL.createObjectURL(beginning)), { type: "module" });
    worker.onmessage = ({ data }) => {
      const asked = waiting.get(data.id);
      if (!asked) return;
      if (!data.result) return asked.onstatus?.(data.status, data.done);
      ready = !data.broken;
      if (ready) loaded();
      waiting.delete(data.id);
      asked.resolve(data.broken ? failed(data.result.error) : data.result);
      if (data.broken) stop();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      stop("Python could not be started in this browser. A browser of the last three years can; the chapter kit runs everywhere.");
    };
  }

  /* Ends what runs; the next run loads Python again, from the browser's own store. */
  function stop(error) {
    worker?.terminate();
    worker = undefined;
    ready = false;
    for (const { resolve } of waiting.values()) resolve(failed(error));
    waiting.clear();
  }

  /* What the code came to: {stdout, value, text, error}; value is the repr, text the str of a last line that is an expression: of `check`,
     where there is one, which is run after the code. `broken` is true where the run came to no end of its own: stopped, or without Python.
     `name` is what the last line works out, without what only formats it. The files of every study that the code names are laid in ../data/;
     `files` names more ("data/some-trial/visits.csv"). Curly quotes in the code are straightened.
     Runs wait for each other; `signal`, an AbortSignal, ends this one, also while it waits. */
  function run(code, { check = "", files = [], onstatus, signal } = {}) {
    if (folder) return Promise.resolve(failed(FROM_FOLDER));
    const next = () =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve(failed());
        const id = ++count;
        waiting.set(id, { resolve, onstatus });
        signal?.addEventListener("abort", () => waiting.has(id) && stop());
        if (!worker) begin();
        worker.postMessage({ id, code: straight(code), check, files });
      });
    const done = last.then(next);
    last = done.catch(() => {});
    return Promise.race([done, new Promise((resolve) => signal?.addEventListener("abort", () => resolve(failed())))]);
  }

  const made = (tag, about, ...inside) => {
    const element = Object.assign(document.createElement(tag), about);
    element.append(...inside);
    return element;
  };

  /* What is said beside the buttons of the size of Python is of no interest once it is here. */
  function loaded() {
    document.querySelectorAll(".live-loads").forEach((note) => {
      document.querySelectorAll(`[aria-describedby="${note.id}"]`).forEach((button) => button.removeAttribute("aria-describedby"));
      note.remove();
    });
  }

  const unseen = (words) => made("span", { className: "live-unseen" }, words); // for screen readers, which meet many cells alike

  /* What came of a run is in view, with as little scrolling as that needs; a reader who has gone elsewhere in the meantime is left there. */
  function reveal(cell, element) {
    const { top, bottom } = cell.getBoundingClientRect();
    if (top >= innerHeight || bottom <= 0) return;
    setTimeout(() => element.scrollIntoView({ block: "nearest" }), 50); // when the page has settled; as smoothly as the page's style scrolls, which knows who wants no motion
  }

  /* The caret goes to a line of the code in `cell`, counted from nought, and the line into view. */
  function goTo(cell, line) {
    const [field, numbers] = ["textarea", ".live-lines"].map((part) => cell.querySelector(part));
    const lines = field.value.split("\n"), place = Math.min(line, lines.length - 1);
    const start = lines.slice(0, place).join("\n").length + (place ? 1 : 0);
    field.focus({ preventScroll: true });
    field.setSelectionRange(start, start + lines[place].length);
    numbers.children[place].scrollIntoView({ block: "center" });
    field.scrollTop = numbers.scrollTop;
  }

  /* The line that an error names, as it stood in the code that was run in `cell`, and a button that leads there; nothing where it names none. */
  function quoted(cell, code, error) {
    const line = Number(error.match(/^Line (\d+): /)?.[1]) - 1;
    const words = code.split("\n")[line]?.trim();
    if (!words) return "";
    const there = made("button", { type: "button", className: "live-to" }, `Go to line ${line + 1}`);
    there.addEventListener("click", () => goTo(cell, line));
    return made("p", { className: "live-where" }, "The line reads: ", made("code", {}, words), " ", there);
  }

  /* Which lines of `now`, counted from nought, a reader was asked to change when they were the lines `asked` of `before`: lines above the first difference
     and below the last are told by their place, and for those between stands all that is between now. */
  function moved(asked, before, now) {
    const most = Math.min(before.length, now.length);
    let start = 0, end = 0;
    while (start < most && before[start] === now[start]) start++;
    while (end < most - start && before.at(-1 - end) === now.at(-1 - end)) end++;
    const between = Array.from({ length: now.length - end - start }, (_, place) => start + place);
    return new Set(asked.flatMap((line) => (line < start ? line : line >= before.length - end ? line + now.length - before.length : between)));
  }

  /* Turns the code inside `cell` into an editor with Run, Reset and Stop. The cell then sends "live:result" after each run.
     Gives a function by which another button runs the editor's code, and Stop ends it too: ran(button, options of run), or nothing while it runs. */
  function mount(cell) {
    const shown = cell.querySelector("div[class*='highlight-']") ?? cell.querySelector("pre");
    if (!shown || cell.dataset.mounted) return;
    cell.dataset.mounted = "yes";
    const code = shown.querySelector("pre")?.textContent ?? shown.textContent;
    const original = code.replace(/\n+$/, "");
    const name = cell.querySelector(".live-title")?.textContent ?? "this cell";
    const id = `${cell.id || `live-cell-${document.querySelectorAll("[data-mounted]").length}`}-code`;
    const field = made("textarea", { id, value: original, spellcheck: false, autocomplete: "off", wrap: "off" });
    for (const help of ["autocapitalize", "autocorrect"]) field.setAttribute(help, "off");
    field.setAttribute("aria-describedby", `${id}-keys`);
    const asked = (cell.dataset.change?.split(" ") ?? []).map((line) => line - 1);
    const places = asked.map((line) => line + 1).join(", ").replace(/, (?=\d+$)/, " and ");
    const begins = asked.length ? `. Begin at ${asked.length > 1 ? `lines ${places}, which are` : `line ${places}, which is`} marked.` : "";
    const label = made("label", { htmlFor: id, className: "live-label" }, "Code, to be changed as you like", unseen(`: ${name}`), begins);
    const keys = made("span", { id: `${id}-keys`, className: "live-keys" }, "Ctrl and Enter run it, Tab leaves it.");
    const button = (words) => made("button", { type: "button", className: `live-${words.toLowerCase()}` }, words, unseen(`: ${name}`));
    const [start, reset, end] = ["Run", "Reset", "Stop"].map(button);
    end.disabled = true;
    const loads = cell.dataset.loads && !folder && !ready ? made("span", { id: `${id}-loads`, className: "live-keys live-loads" }, `The first run on this page loads Python, ${cell.dataset.loads}.`) : "";
    if (loads) start.setAttribute("aria-describedby", loads.id);
    const bar = made("progress", { max: 1, value: 0, hidden: true });
    bar.setAttribute("aria-label", "Loading Python");
    const status = made("p", { className: "live-status" });
    const output = made("div", { className: "live-output" });
    for (const region of [status, output]) region.setAttribute("role", "status");
    /* Behind the field stand its lines, unseen, with their numbers: they make it as high as it needs to be, and a line that goes on has no number. */
    const numbers = made("div", { className: "live-lines", ariaHidden: "true" });
    const count = () => {
      const lines = field.value.split("\n"), marked = moved(asked, original.split("\n"), lines);
      numbers.replaceChildren(...lines.map((line, place) => made("div", { className: marked.has(place) ? "live-change" : "" }, line || "\u200b")));
    };
    const begin = () => { // whoever comes by keys is where the change is asked for
      const before = original.split("\n").slice(0, asked[0] ?? 0).join("\n").length;
      field.setSelectionRange(before && before + 1, before && before + 1);
      count();
    };
    begin();
    field.addEventListener("scroll", () => ([numbers.scrollTop, numbers.scrollLeft] = [field.scrollTop, field.scrollLeft]));
    // Chromium asks its makers about forms to fill in, but not about forms that search
    const editor = made("form", { className: "live-editor", action: new URL("search.html", site) });
    editor.append(label, made("div", { className: "live-code" }, numbers, field), made("div", { className: "live-bar" }, start, reset, end, loads, keys), bar, status, output);
    editor.addEventListener("submit", (event) => event.preventDefault());
    shown.hidden = true;
    shown.after(editor);

    const turns = new Map(); // what runs, by the button that began it
    async function ran(button, options) {
      if (straight(field.value) !== field.value) {
        const { selectionStart, selectionEnd } = field;
        field.value = straight(field.value);
        field.setSelectionRange(selectionStart, selectionEnd);
      }
      const turn = new AbortController();
      turns.set(button, turn);
      end.disabled = false;
      button.setAttribute("aria-disabled", "true"); // it keeps the focus
      const result = await run(field.value, { ...options, signal: turn.signal });
      turns.delete(button);
      button.removeAttribute("aria-disabled");
      if (!turns.size) {
        if (document.activeElement === end) button.focus();
        end.disabled = true;
      }
      return result;
    }

    async function go() {
      if (turns.has(start)) return;
      output.replaceChildren();
      let before = "";
      const onstatus = (words, done = 1) => {
        bar.hidden = done >= 1;
        bar.value = done;
        if (words !== before) status.textContent = `${(before = words)} …`;
      };
      onstatus(folder ? "" : "Waiting");
      reveal(cell, status);
      const running = ran(start, { onstatus }), code = field.value;
      const result = await running;
      bar.hidden = true;
      status.textContent = "";
      show(result, code);
      reveal(cell, output);
      cell.dispatchEvent(new CustomEvent("live:result", { bubbles: true, detail: result }));
    }

    function show({ stdout, value, text, name: what, error }, code) {
      if (stdout) output.append(made("pre", { className: "live-printed", tabIndex: 0 }, stdout));
      if (error) output.append(made("p", { className: "live-error" }, made("strong", {}, "It did not run through. "), error), quoted(cell, code, error));
      else if (value) output.append(made("p", { className: "live-value" }, "Result", ...(what ? [" (", made("code", {}, what), ")"] : []), ": ", made("strong", {}, text)));
      else output.append(made("p", {}, stdout ? "It ran through." : "It ran through. Write a name alone on the last line to see what it holds."));
      const expected = cell.dataset.expects;
      if (expected === undefined || error || !value) return;
      const same = text === expected;
      const words = same ? "✓ The chapter has the same." : `≠ The chapter has ${expected}: your change moved it.`;
      output.append(made("p", { className: same ? "live-same" : "live-other" }, words));
    }

    start.addEventListener("click", go);
    end.addEventListener("click", () => turns.forEach((turn) => turn.abort()));
    /* Reset puts the code back, and can be undone until something else is typed. The cell sends "live:reset" where it is not undone, and
       takes "live:forget", after which nothing of the reader's is left. */
    let mine = null; // the reader's code, as long as Undo brings it back
    function undoable(code) {
      mine = code;
      reset.firstChild.textContent = code === null ? "Reset" : "Undo reset";
    }
    function back() {
      undoable(field.value === original ? null : field.value);
      field.value = original;
      begin();
      output.replaceChildren();
    }
    reset.addEventListener("click", () => {
      if (mine === null) {
        back();
        status.textContent = mine === null ? "The code is as it was." : "The code is as it was. Undo reset brings yours back.";
        return cell.dispatchEvent(new CustomEvent("live:reset", { bubbles: true }));
      }
      field.value = mine;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      status.textContent = "Your code is back.";
    });
    cell.addEventListener("live:forget", () => {
      back();
      undoable(null);
      status.textContent = "";
    });
    field.addEventListener("input", () => {
      count();
      undoable(null);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        go();
      }
    });
    return (button, options) => (turns.has(button) ? undefined : ran(button, options));
  }

  window.asprinted ??= {};
  window.asprinted.live = { run, mount, quoted, reveal, get ready() { return ready; } };
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".live").forEach(mount));
})();
