"use strict";
// Replaces what the page shows by what it would show now; without this the browser reloads the page.
(function () {
  const every = Number(document.body.dataset.refresh) * 1000;
  const lost = document.getElementById("lost");
  const form = document.getElementById("filter");
  let timer;
  async function update() {
    clearTimeout(timer);
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { cache: "no-store" });
        if (!answer.ok) throw new Error(answer.statusText);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const now = page.getElementById("shown"), before = document.getElementById("shown");
        // what a person has opened or closed stays so
        for (const group of before.querySelectorAll("details")) {
          const same = now.querySelector(`details[data-key="${CSS.escape(group.dataset.key)}"]`);
          if (same) same.open = group.open;
        }
        if (!String(getSelection())) before.replaceWith(document.adoptNode(now));
        lost.hidden = true;
      } catch (error) {
        lost.hidden = false;
      }
    }
    clearTimeout(timer);
    timer = setTimeout(update, every);
  }
  timer = setTimeout(update, every);
  if (form) form.addEventListener("input", () => { // it filters while one types
    history.replaceState(null, "", "./?" + new URLSearchParams(new FormData(form)));
    clearTimeout(timer);
    timer = setTimeout(update, 150);
  });
  document.documentElement.dataset.live = "yes";
})();
