/* A link to a place inside something folded opens it, and shows the place. */
(() => {
  const arrive = () => {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place) return;
    let opened = false;
    for (let fold = place.closest("details:not([open])"); fold; fold = fold.parentElement.closest("details:not([open])")) {
      fold.open = opened = true;
    }
    for (let fold = place.closest(".toggle-hidden"); fold; fold = fold.parentElement.closest(".toggle-hidden")) {
      fold.querySelector("button.toggle-button")?.click();
      fold.classList.remove("toggle-hidden");
      opened = true;
    }
    if (opened) place.scrollIntoView();
  };
  addEventListener("hashchange", arrive);
  addEventListener("load", arrive);
  addEventListener("click", (event) => { // a link that is followed a second time changes no address
    const link = event.target.closest?.("a[href*='#']");
    if (link?.hash && link.href === location.href) arrive();
  });
})();
