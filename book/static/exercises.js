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
    const held = Object.values(progress.read());
    const solved = held.filter((each) => each.solved).length;
    told.textContent = `${words}${solved} of ${exercises.length} exercises solved. ` + (held.length ? "Your code is kept in this browser only." : "Your code stays in this browser.");
    forget.hidden = !held.length;
  }

  const resets = exercises.map((exercise) => {
    const { id } = exercise.dataset;
    live.mount(exercise);
    const field = exercise.querySelector("textarea");
    const stop = exercise.querySelector(".live-stop");
    const name = exercise.querySelector(".live-title").textContent;
    const check = made("button", { type: "button", className: "exercise-check" }, "Check", made("span", { className: "quiz-unseen" }, `: ${name}`));
    const feedback = made("div", { className: "exercise-feedback" });
    feedback.setAttribute("role", "status");
    exercise.querySelector(".live-bar .live-run").after(check);
    exercise.querySelector(".live-bar").after(feedback);

    function show(kind, sign, strong, words, printed = "") {
      feedback.className = `exercise-feedback ${LOOKS[kind]}`;
      feedback.replaceChildren(made("span", { ariaHidden: "true" }, sign), made("strong", {}, strong), words);
      if (printed) feedback.append(made("pre", { className: "live-printed", tabIndex: 0 }, printed));
      exercise.dataset.answered = kind;
    }
    function clear() {
      feedback.className = "exercise-feedback";
      feedback.replaceChildren();
      delete exercise.dataset.answered;
    }

    let running = false;
    check.addEventListener("click", async () => {
      if (running) return;
      running = true;
      clear();
      check.setAttribute("aria-disabled", "true");
      stop.disabled = false;
      let before = "";
      const code = field.value;
      const { stdout, text, error } = await live.run(`${code}\n${exercise.dataset.check}`, {
        onstatus: (words) => words !== before && feedback.replaceChildren(`${(before = words)} …`),
      });
      running = false;
      stop.disabled = true;
      check.removeAttribute("aria-disabled");
      if (error) show("wrong", "✗ ", "It did not run through. ", error, stdout);
      else if (text) show("wrong", "✗ ", "Not yet. ", text, stdout);
      else show("right", "✓ ", "Solved. ", "Compare with the solution: there is often another way.", stdout);
      progress.keep(id, { code, solved: !error && !text });
      count();
    });
    field.addEventListener("input", clear);
    exercise.querySelector(".live-reset").addEventListener("click", clear);

    const before = progress.read()[id];
    if (typeof before?.code === "string") {
      field.value = before.code;
      field.dispatchEvent(new Event("input", { bubbles: true })); // the editor grows with it
      if (before.solved) show("right", "✓ ", "Solved", " when you were here before.");
    }
    return () => exercise.querySelector(".live-reset").click();
  });

  forget.addEventListener("click", () => {
    progress.forget();
    for (const reset of resets) reset();
    count("Forgotten. ");
    exercises[0].querySelector("textarea").focus();
  });
  count();
});
