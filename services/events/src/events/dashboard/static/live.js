// What htmx leaves to the page: whatever did not change is not touched, what moved is marked, and silence is told.
"use strict";
(() => {
  const SILENT_MS = 10000;
  const MARKED_MS = 2500;
  let heard = Date.now();

  const unchanged = (element, content) => {
    const parsed = document.createElement("template");
    parsed.innerHTML = content;
    return parsed.innerHTML.trim() === element.innerHTML.trim();
  };

  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    heard = Date.now();
    if (unchanged(event.target, event.detail.data)) {
      event.preventDefault();
    } else if (event.target.id !== "freshness") {
      event.target.classList.add("moved");
      window.setTimeout(() => event.target.classList.remove("moved"), MARKED_MS);
    }
  });

  window.setInterval(() => {
    document.getElementById("silence").hidden = Date.now() - heard < SILENT_MS;
  }, 1000);
})();
