/* What a reader has done, kept in this browser and nowhere else: asprinted.progress(chapter, thing).{read, keep, drop, forget}.
   The store is read each time, since another tab may have the same chapter open. */
(() => {
  const plain = (value) => value?.constructor === Object;

  window.asprinted ??= {};
  window.asprinted.progress = (chapter, thing) => {
    const name = `asprinted:${chapter}:${thing}`;
    let held = {}, store = true; // without a store the page remembers as long as it is open
    const tried = (use) => {
      try {
        return store ? use(localStorage) : undefined;
      } catch {
        store = false;
      }
    };

    function read() {
      const text = tried((all) => all.getItem(name) ?? "{}");
      if (text === undefined) return held;
      try {
        held = JSON.parse(text);
      } catch {
        held = {};
      }
      return plain(held) ? held : (held = {}); // what another hand wrote is not remembered
    }

    function write(next) {
      held = next;
      tried((all) => (Object.keys(held).length ? all.setItem(name, JSON.stringify(held)) : all.removeItem(name)));
    }

    return {
      read,
      keep: (id, value) => write({ ...read(), [id]: value }),
      drop: (id) => write(Object.fromEntries(Object.entries(read()).filter(([other]) => other !== id))),
      forget: () => write({}),
    };
  };

  /* A button that destroys something acts when it is pressed a second time; left alone, it is as before. */
  window.asprinted.twice = (button, act) => {
    const words = button.textContent;
    const asked = () => button.textContent !== words;
    const restore = () => (button.textContent = words);
    button.addEventListener("click", () => {
      if (!asked()) return (button.textContent = `${words}? Press again to forget`);
      restore();
      act();
    });
    button.addEventListener("blur", restore);
  };
})();
