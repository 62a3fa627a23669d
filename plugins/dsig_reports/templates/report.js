"use strict";
(() => {
  const list = document.getElementById("files");
  const items = [...list.querySelectorAll(":scope > li")];
  const folded = document.getElementById("folded");
  const query = document.getElementById("q");
  const buttons = [...document.querySelectorAll("button[data-verdict]")];
  const all = document.getElementById("all");
  const count = document.getElementById("count");
  const none = document.getElementById("none");
  const most = 200; // opened at once
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

  // Details of large reports are escaped markup, deflated: of several files together, unfolded when one is opened.
  const unfold = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return (await new Response(stream).text()).split("\0");
  };
  const unfolded = [];
  if (folded) {
    let chunks = null;
    const together = Number(list.dataset.folded);
    list.addEventListener("toggle", async (event) => {
      const details = event.target;
      const number = items.indexOf(details.parentElement);
      if (number < 0 || details.childElementCount > 1) return;
      const chunk = Math.floor(number / together);
      chunks = chunks || folded.textContent.split(" ");
      unfolded[chunk] = unfolded[chunk] || unfold(chunks[chunk]);
      const markup = (await unfolded[chunk])[number % together];
      if (details.childElementCount === 1) details.insertAdjacentHTML("beforeend", markup);
    }, true);
  }

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
    const shown = items.filter((item) => !item.hidden);
    for (const item of open ? shown.slice(0, most) : shown) item.firstElementChild.open = open;
  });
  document.getElementById("tools").hidden = items.length < 2;
  filter();
})();
