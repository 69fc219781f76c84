/* Questions that are answered in the page. Each .quiz-question holds stem, options and a fold with the answer, as it is read without a
   script; here it becomes a form. What is said of an answer is what the fold says of it. */
addEventListener("DOMContentLoaded", () => {
  const questions = [...document.querySelectorAll(".quiz-question")];
  if (!questions.length) return;
  const progress = asprinted.progress(questions[0].dataset.chapter, "quiz");
  const LOOKS = { right: "quiz-right", wrong: "quiz-wrong", almost: "quiz-almost" };
  const SIGNS = { right: "✓", wrong: "✗", almost: "≈" };

  const made = (tag, about = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), about);
    element.append(...inside);
    return element;
  };
  const copied = (element) => [...element.cloneNode(true).childNodes];

  /* The bar above the first question. */
  const told = made("span");
  told.setAttribute("role", "status");
  const forget = made("button", { type: "button", className: "quiz-forget" }, "Forget my answers");
  const bar = made("div", { className: "quiz-bar" }, told, forget);
  questions[0].before(bar);
  function count(words = "") {
    const all = progress.read();
    const held = questions.map((question) => all[question.dataset.id]).filter(Boolean);
    const right = held.filter((each) => each.right).length;
    told.textContent = `${words}${held.length} of ${questions.length} answered, ${right} right. ` + (held.length ? "Kept in this browser only." : "Answers stay in this browser.");
    forget.hidden = !held.length;
    sumUp(held);
  }

  /* What is said when the last question has been answered: how many were right at the first try, and which were not. */
  const end = made("p", { className: "quiz-feedback quiz-end" });
  end.setAttribute("role", "status");
  questions.at(-1).after(end);
  function sumUp(held) {
    if (held.length < questions.length) return end.replaceChildren();
    const again = questions.map((question, place) => ({ question, place })).filter((_, place) => !held[place].first);
    const first = questions.length - again.length;
    const links = again.flatMap(({ question, place }, number) => [
      number ? ", " : "",
      made("a", { href: `#${(question.id ||= `quiz-question-${place + 1}`)}` }, `question ${place + 1}`),
    ]);
    const said = made("strong", {}, `All ${questions.length} questions are answered, ${first} right at the first try. `);
    const words = [said, ...(again.length ? ["Worth another look: ", ...links, "."] : ["Nothing is left to look at again."])];
    if (end.textContent !== words.map((part) => part.textContent ?? part).join("")) end.replaceChildren(...words); // or it would be read out again
  }

  const forms = questions.map((question, place) => {
    const { id, kind } = question.dataset;
    const stem = question.querySelector("p");
    const fold = question.querySelector("details");
    const body = fold.querySelector(".sd-summary-content");
    const legend = made("legend", { id: stem.id }, ...stem.childNodes);
    const status = made("div", { className: "quiz-feedback" });
    status.setAttribute("role", "status");
    const check = made("button", { type: "submit" }, "Check", made("span", { className: "quiz-unseen" }, ` question ${place + 1}`));
    const fieldset = made("fieldset", {}, legend);
    const form = made("form", { className: "quiz-form" }, fieldset);
    form.action = "../search.html"; // Chromium asks its makers about forms to fill in, but not about forms that search
    const part = kind === "choice" ? choice(question, body, fieldset, place) : numeric(question, body, fieldset, place);
    form.append(made("div", { className: "quiz-act" }, check), status);
    stem.replaceWith(form);

    const section = fold.querySelector(".quiz-section");
    function show({ sign, words }) {
      status.className = `quiz-feedback ${LOOKS[sign]}`;
      status.replaceChildren(made("span", { className: "quiz-sign", ariaHidden: "true" }, `${SIGNS[sign]} `), ...words, ...(section ? [section.cloneNode(true)] : []));
      question.dataset.answered = sign;
    }
    function clear() {
      status.className = "quiz-feedback";
      status.replaceChildren();
      delete question.dataset.answered;
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const given = part.given();
      if (given === null) {
        clear();
        status.append(part.nothing);
        return;
      }
      const answer = part.judged(given);
      if (!answer.sign) {
        clear();
        status.append(...answer.words);
        return;
      }
      show(answer);
      const right = answer.sign === "right";
      progress.keep(id, { given, right, first: progress.read()[id]?.first ?? right });
      count();
    });
    form.addEventListener("input", clear);
    const before = progress.read()[id];
    const answer = before && part.restore(before.given) ? part.judged(before.given) : {};
    if (before && !answer.sign) progress.drop(id); // the book asks something else since, or it is no answer
    else if (before) {
      show(answer);
      const right = answer.sign === "right"; // the book may have changed since
      progress.keep(id, { given: before.given, right, first: before.first ?? right });
    }
    return { form, clear, part, fold };
  });

  asprinted.twice(forget, () => {
    progress.forget();
    for (const { form, clear, fold } of forms) {
      form.reset();
      clear();
      fold.open = false;
    }
    count("Forgotten. ");
    forms[0].form.querySelector("input").focus();
  });
  count();

  /* Options as radio buttons; what is said of each is its line in the fold. */
  function choice(question, body, fieldset, place) {
    const list = question.querySelector("ul");
    const lines = [...body.querySelectorAll("ul > li")];
    const right = question.dataset.right.split(" ");
    const texts = [...list.children].map((item) => item.textContent.trim().replace(/^[a-z]\.\s*/, "")); // what is kept: letters change with the order
    const radios = [...list.children].map((item, number) => {
      const radio = made("input", { type: "radio", name: `quiz-${place}`, value: String.fromCharCode(97 + number) });
      item.replaceChildren(made("label", {}, radio, made("span", {}, ...(item.querySelector("p") ?? item).childNodes)));
      return radio;
    });
    fieldset.append(list);
    return {
      nothing: "Choose an answer first.",
      given: () => texts[radios.findIndex((radio) => radio.checked)] ?? null,
      judged(given) {
        const number = texts.indexOf(given);
        return { sign: right.includes(radios[number].value) ? "right" : "wrong", words: copied(lines[number].querySelector("p") ?? lines[number]) };
      },
      restore(given) {
        const radio = radios[texts.indexOf(given)];
        if (radio) radio.checked = true;
        return Boolean(radio);
      },
    };
  }

  /* One field for each number of the key, judged by its interval. What cannot be read as a number has no sign: it is no answer, and is not kept. */
  function numeric(question, body, fieldset, place) {
    const keys = JSON.parse(question.dataset.key);
    const slips = JSON.parse(question.dataset.slips ?? "[]");
    const names = keys.length === 1 ? ["Your answer"] : ["Lower end", "Upper end"];
    const fields = keys.map((_, number) => {
      const id = `quiz-${place}-number-${number}`;
      const plain = keys.every(({ value, relation }) => relation === "=" && !value.startsWith("-")); // the keys of decimals have no sign
      const field = made("input", { id, type: "text", inputMode: plain ? "decimal" : "text", autocomplete: "off", spellcheck: false, size: 12 });
      for (const help of ["autocapitalize", "autocorrect"]) field.setAttribute(help, "off");
      fieldset.append(made("span", { className: "quiz-number" }, made("label", { htmlFor: id }, names[number]), field, question.dataset.unit ?? ""));
      return field;
    });
    return {
      nothing: "Write a number first.",
      given: () => (fields.every((field) => field.value.trim()) ? fields.map((field) => field.value.trim()) : null),
      judged(given) {
        const verdicts = keys.map((key, number) => asprinted.judge(given[number], key, slips.map((slip) => slip[number]).filter(Boolean), question.dataset.unit));
        if (verdicts.every(({ verdict }) => verdict === "right")) return { sign: "right", words: [made("strong", {}, "Right: "), ...copied(body.querySelector("p"))] };
        const unread = verdicts.some(({ verdict }) => verdict === "unread");
        const said = verdicts.map((verdict, number) => (keys.length > 1 ? [`${names[number]}: `, ...words(verdict, keys[number], body), " "] : words(verdict, keys[number], body)));
        const almost = verdicts.every(({ verdict }) => ["right", "fewer", "near", "bound"].includes(verdict));
        return { sign: unread ? "" : almost ? "almost" : "wrong", words: said.flat() };
      },
      restore(given) {
        if (!Array.isArray(given) || given.length !== fields.length) return false;
        fields.forEach((field, number) => (field.value = given[number]));
        return true;
      },
    };
  }

  /* What is said of a number that is not right; the key itself is not given away. */
  function words({ verdict, slip, hint }, key, body) {
    const strong = (text) => made("strong", {}, text);
    const decimals = ["no decimals", "one decimal", "two decimals", "three decimals", "four decimals"][key.decimals] ?? `${key.decimals} decimals`;
    if (verdict === "slip") return [strong("Not right."), ...copied(body.querySelectorAll(".quiz-slips > li")[slip].querySelector("p")).slice(1)];
    return {
      right: [strong("Right.")],
      fewer: [strong("Right as far as it goes, with too few digits. "), key.decimals ? `Give ${decimals}.` : "Give all digits."],
      near: [strong("Near: "), "only the last digit differs. Keep all digits until the end, and round once."],
      bound: [strong("True, and less than can be said. "), "Give the number itself."],
      sign: [strong("Not right: "), "the size is right, the sign is not. Which way round is the difference taken?"],
      scale: [strong("Not right: "), "it is off by a factor of a hundred. Is it asked as a share or in per cent?"],
      wrong: [strong("Not right. "), hint ? `The number asked for is ${hint}.` : "Look again at what is asked for."],
      unread: [strong("This cannot be read as a number. "), "Write digits with a point or a comma, such as those in the chapter. It is not counted: try again."],
    }[verdict];
  }
});
