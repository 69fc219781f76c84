/* Exercises: the editor of live.js with a button that runs the reader's code and then the check that stands in data-check. */
addEventListener("DOMContentLoaded", () => {
  const exercises = [...document.querySelectorAll(".exercise")];
  if (!exercises.length || !window.asprinted?.live) return;
  const { live } = asprinted;
  const LOOKS = { right: "quiz-right", wrong: "quiz-wrong" };
  const progress = asprinted.progress(exercises[0].dataset.chapter, "exercises");

  const made = (tag, about = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), about);
    element.append(...inside);
    return element;
  };

  const told = made("span");
  told.setAttribute("role", "status");
  const forget = made("button", { type: "button", className: "exercise-forget" }, "Forget my code");
  exercises[0].before(made("div", { className: "exercise-bar" }, told, forget));
  function count(words = "") {
    const all = progress.read();
    const held = exercises.map((exercise) => all[exercise.dataset.id]).filter(Boolean);
    const solved = held.filter((each) => each.solved).length;
    const now = `${words}${solved} of ${exercises.length} exercises solved. ` + (held.length ? "Your code is kept in this browser only." : "Your code stays in this browser.");
    if (told.textContent !== now) told.textContent = now; // or it would be read out at every key
    forget.hidden = !held.length;
  }

  const resets = exercises.map((exercise) => {
    const { id } = exercise.dataset;
    const ran = live.mount(exercise);
    const field = exercise.querySelector("textarea");
    const name = exercise.querySelector(".live-title").textContent;
    const check = made("button", { type: "button", className: "exercise-check" }, "Check", made("span", { className: "quiz-unseen" }, `: ${name}`));
    const feedback = made("div", { className: "exercise-feedback" });
    feedback.setAttribute("role", "status");
    const run = exercise.querySelector(".live-bar .live-run");
    if (run.hasAttribute("aria-describedby")) check.setAttribute("aria-describedby", run.getAttribute("aria-describedby"));
    run.after(check);
    exercise.querySelector(".live-bar").after(feedback);

    function show(kind, sign, strong, words, printed = "", line = "") {
      feedback.className = `exercise-feedback ${LOOKS[kind]}`;
      feedback.replaceChildren(made("span", { ariaHidden: "true" }, sign), made("strong", {}, strong), words, line);
      if (printed) feedback.append(made("pre", { className: "live-printed", tabIndex: 0 }, printed));
      exercise.dataset.answered = kind;
    }
    let turn = 0; // what a check of code that has changed since comes to is of no interest
    function clear() {
      turn++;
      feedback.className = "exercise-feedback";
      feedback.replaceChildren();
      delete exercise.dataset.answered;
    }

    const solved = () => Boolean(progress.read()[id]?.solved);
    check.addEventListener("click", async () => {
      let before = "";
      const code = field.value, mine = turn + 1;
      const onstatus = (words) => mine === turn && words !== before && feedback.replaceChildren(`${(before = words)} …`);
      const running = ran(check, { check: exercise.dataset.check, onstatus });
      if (!running) return;
      clear();
      exercise.querySelector(".live-output").replaceChildren(); // of an earlier run
      const { stdout, text, error, broken } = await running;
      if (mine !== turn) return;
      if (error) show("wrong", "✗ ", "It did not run through. ", error, stdout, live.quoted(exercise, code, error));
      else if (text) show("wrong", "✗ ", "Not yet. ", text, stdout);
      else show("right", "✓ ", "Solved. ", "Compare with the solution: there is often another way.", stdout);
      if (!broken) { // or nothing was found out
        progress.keep(id, { code, solved: solved() || (!error && !text) });
        count();
      }
      live.reveal(exercise, feedback);
    });
    const before = progress.read()[id];
    if (typeof before?.code === "string") {
      field.value = before.code;
      field.dispatchEvent(new Event("input", { bubbles: true })); // the editor grows with it
    }
    if (before?.solved) show("right", "✓ ", "Solved", " when you were here before.");
    field.addEventListener("input", () => {
      clear();
      progress.keep(id, { code: field.value, solved: solved() });
      count();
    });
    exercise.addEventListener("live:reset", () => {
      clear();
      solved() ? progress.keep(id, { solved: true }) : progress.drop(id);
      count();
    });
    return () => {
      clear();
      exercise.dispatchEvent(new CustomEvent("live:forget"));
    };
  });

  asprinted.twice(forget, () => {
    progress.forget();
    for (const reset of resets) reset();
    count("Forgotten. ");
    exercises[0].querySelector("textarea").focus();
  });
  count();
});
