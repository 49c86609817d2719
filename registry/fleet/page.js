"use strict";
// Replaces what the page shows by what it would show now; without this the browser reloads the page.
(function () {
  const every = Number(document.body.dataset.refresh) * 1000;
  const lost = document.getElementById("lost");
  async function update() {
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { cache: "no-store" });
        if (!answer.ok) throw new Error(answer.statusText);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const now = page.getElementById("fleet"), before = document.getElementById("fleet");
        if (!String(getSelection())) before.replaceWith(document.adoptNode(now));
        lost.hidden = true;
      } catch (error) {
        lost.hidden = false;
      }
    }
    setTimeout(update, every);
  }
  setTimeout(update, every);
  document.documentElement.dataset.live = "yes";
})();
