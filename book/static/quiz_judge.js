/* How a typed number is judged: asprinted.judge(typed, key, slips, unit), exactly, by the interval of values that print as the key does.
   The key comes from book/quiz_keys.py; book/site_quiz.py holds this file against asprinted.printed. */
(() => {
  const GROUPED = { ",": /^[1-9]\d{0,2}(,\d{3})+$/, ".": /^[1-9]\d{0,2}(\.\d{3})+$/ };

  /* A decimal text as {n, d}: the whole number n over ten to the power of d. */
  function exact(text) {
    const [whole, part = ""] = text.replace(/^[+-]/, "").split(".");
    const n = BigInt(`${whole}${part}` || "0");
    return { n: text.startsWith("-") ? -n : n, d: part.length };
  }

  function compare(a, b) {
    const d = Math.max(a.d, b.d);
    const [x, y] = [a, b].map((each) => each.n * 10n ** BigInt(d - each.d));
    return x < y ? -1 : x > y ? 1 : 0;
  }

  const negated = (a) => ({ n: -a.n, d: a.d });
  const hundredth = (a) => ({ n: a.n, d: a.d + 2 });
  const hundredfold = (a) => ({ n: a.n * 100n, d: a.d });
  const plus = (a, b) => {
    const d = Math.max(a.d, b.d);
    return { n: a.n * 10n ** BigInt(d - a.d) + b.n * 10n ** BigInt(d - b.d), d };
  };

  /* All that a typed text may mean: a comma or a point is the decimal mark, or parts thousands where it can; spaces and apostrophes part
     thousands alone. After the number may stand a full stop, and words of the unit. */
  function readings(typed, unit) {
    const found = typed
      .trim()
      .replace(/\s+/g, " ")
      .replace(/[\u2212\u2013\u2010\u2011]/g, "-")
      .replace(/\u00b7/g, ".")
      .match(/^(?:p ?)?(=|<=|>=|[<>≤≥])? ?([+-]?) ?([.,]?\d(?:[\d.,'’ ]*\d)?)\.? ?(%|per ?cent\b)? ?([a-z ]*)\.?$/i);
    if (!found) return [];
    const [, relation = "=", sign, body, percent, words] = found;
    const known = unit.split(" ");
    if (!words.toLowerCase().split(" ").filter(Boolean).every((word) => known.includes(word))) return [];
    const [parted] = body.match(/^[1-9]\d{0,2}([ '’])\d{3}(\1\d{3})*(?=[.,]\d+$|$)/) ?? [""];
    const bare = parted.replace(/[ '’]/g, "") + body.slice(parted.length);
    if (/[ '’]/.test(bare)) return [];
    const marks = [...bare].filter((mark) => mark in GROUPED);
    const texts = new Set();
    if (marks.length === 0) texts.add(bare);
    if (marks.length === 1) texts.add(bare.replace(",", "."));
    if (marks.length && GROUPED[marks[0]].test(bare)) texts.add(bare.replaceAll(marks[0], ""));
    if (marks.length > 1 && marks.at(-1) !== marks[0]) {
      const [whole, part, ...more] = bare.split(marks.at(-1));
      if (!more.length && GROUPED[marks[0]].test(whole)) texts.add(`${whole.replaceAll(marks[0], "")}.${part}`);
    }
    const meant = { "≤": "<=", "≥": ">=" }[relation] ?? relation;
    const share = Boolean(percent) && !/^per ?cent/.test(unit); // where it is asked in per cent, the sign changes nothing
    return [...texts].map((text) => ({ relation: meant, percent: share, ...exact(`${sign === "-" ? "-" : ""}${text}`) }));
  }

  function within(value, { lo, hi, loIn, hiIn }) {
    const below = lo === "" ? -1 : compare(exact(lo), value);
    const above = hi === "" ? -1 : compare(value, exact(hi));
    return (below < 0 || (loIn && below === 0)) && (above < 0 || (hiIn && above === 0));
  }

  /* Whether `value`, printed with its own decimals and rounded half up, would be what the number `full` prints as. */
  function rounds(value, full) {
    const half = { n: 5n, d: value.d + 1 };
    const [size, of] = [value, full].map((each) => (each.n < 0n ? negated(each) : each));
    return value.n !== 0n && value.n < 0n === full.n < 0n && compare(plus(size, negated(half)), of) <= 0 && compare(of, plus(size, half)) < 0;
  }

  function one(reading, key, slips) {
    const value = reading.percent && !key.percent ? hundredth(reading) : reading;
    const held = exact(key.value);
    const side = compare(value, held);
    if (reading.relation !== "=") {
      if (reading.relation === key.relation && side === 0) return { verdict: "right" };
      const down = reading.relation.startsWith("<");
      const beyond = down ? side : -side; // above nought: the typed bound lies on the safe side of the key
      const same = key.relation !== "=" && down === key.relation.startsWith("<");
      const holds = key.relation === "=" ? beyond > 0 || (beyond === 0 && reading.relation.endsWith("=")) : same && beyond >= 0;
      return { verdict: holds ? "bound" : "wrong", hint: "" };
    }
    if (within(value, key)) {
      const enough = key.relation !== "=" || value.d >= key.decimals;
      return { verdict: enough ? "right" : "fewer" };
    }
    if (key.relation !== "=") return { verdict: "wrong", hint: "" };
    const slip = slips.findIndex((other) => within(value, other) && value.d >= other.decimals);
    if (slip >= 0) return { verdict: "slip", slip };
    if (value.d < key.decimals && rounds(value, held)) return { verdict: "fewer" };
    if (value.n !== 0n && within(negated(value), key)) return { verdict: "sign" };
    const share = held.n !== 0n && compare(held.n < 0n ? negated(held) : held, { n: 100n, d: 0 }) <= 0; // what may be a share, or a percentage
    if (share && value.n !== 0n && [hundredth, hundredfold].some((scaled) => within(scaled(value), key))) return { verdict: "scale" };
    const unit = { n: 1n, d: key.decimals };
    const low = plus(exact(key.lo), negated(unit));
    const high = plus(exact(key.hi), unit);
    if (value.d >= key.decimals && compare(low, value) <= 0 && compare(value, high) <= 0) return { verdict: "near" };
    return { verdict: "wrong", hint: side < 0 ? "larger" : "smaller" };
  }

  /* One of: right, fewer (right with too few digits), near (the last digit differs by one), slip (a known misconception: its place),
     sign, scale (a share for a percentage), bound (true, and less than can be said), wrong, unread. */
  function judge(typed, key, slips = [], unit = "") {
    const order = ["right", "fewer", "slip", "near", "bound", "sign", "scale", "wrong"];
    const all = readings(typed, unit).map((reading) => one(reading, key, slips));
    return all.sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))[0] ?? { verdict: "unread" };
  }

  window.asprinted ??= {};
  window.asprinted.judge = judge;
})();
