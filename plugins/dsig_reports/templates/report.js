"use strict";
(() => {
  const items = [...document.getElementById("files").children];
  const query = document.getElementById("q");
  const buttons = [...document.querySelectorAll("button[data-verdict]")];
  const all = document.getElementById("all");
  const count = document.getElementById("count");
  const none = document.getElementById("none");
  let texts = null;

  // made once, when somebody first wants it, so that loading does not wait for it
  const index = () => items.map((item) => {
    const summary = item.querySelector("summary");
    return (summary.textContent + " " + item.dataset.more).toLowerCase();
  });

  const filter = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) texts = texts || index();
    const wanted = new Set(buttons.filter((b) => b.ariaPressed === "true").map((b) => b.dataset.verdict));
    let shown = 0;
    items.forEach((item, i) => {
      const match = wanted.has(item.dataset.verdict) && words.every((word) => texts[i].includes(word));
      if (item.hidden === match) item.hidden = !match;
      if (match) shown += 1;
    });
    none.hidden = shown > 0 || !items.length;
    const said = (n) => n.toLocaleString("en") + (n === 1 ? " file" : " files");
    count.textContent = shown === items.length ? said(shown) : shown.toLocaleString("en") + " of " + said(items.length);
  };

  // details of large reports are escaped markup in a text block, which becomes elements when they are opened
  document.getElementById("files").addEventListener("toggle", (event) => {
    const text = event.target.querySelector(":scope > script");
    if (text) text.outerHTML = text.textContent;
  }, true);

  query.addEventListener("input", filter);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.ariaPressed = String(button.ariaPressed !== "true");
      filter();
    });
  }
  all.addEventListener("click", () => {
    const open = all.ariaPressed !== "true";
    all.ariaPressed = String(open);
    for (const item of items) if (!item.hidden) item.firstElementChild.open = open;
  });
  document.getElementById("tools").hidden = items.length < 2;
  filter();
})();
