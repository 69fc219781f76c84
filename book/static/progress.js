/* What a reader has done, kept in this browser and nowhere else: asprinted.progress(chapter, thing).{read, keep, forget}. */
(() => {
  window.asprinted ??= {};
  window.asprinted.progress = (chapter, thing) => {
    const name = `asprinted:${chapter}:${thing}`;
    let held = {};
    try {
      held = JSON.parse(localStorage.getItem(name)) ?? {};
    } catch {} // no store, or one that another hand wrote: nothing is remembered
    return {
      read: () => held,
      keep(id, value) {
        held[id] = value;
        try {
          localStorage.setItem(name, JSON.stringify(held));
        } catch {} // the page goes on without a memory
      },
      forget() {
        held = {};
        try {
          localStorage.removeItem(name);
        } catch {}
      },
    };
  };
})();
