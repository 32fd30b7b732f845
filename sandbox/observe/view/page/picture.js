// The whole as a tree of items, one level a column: client, load balancers, target groups, pods.

import { element, keyed } from "./dom.js";
import { MOODS, WORDS, oneTabStop } from "./list.js";

export function showPicture(list, verdict, { mood, verdict: words, root }) {
  verdict.textContent = `${MOODS[mood]} ${words}`.trim();
  verdict.dataset.mood = mood;
  branches(list, [root]);
  oneTabStop(list);
}

function branches(list, items) {
  keyed(list, items, () => element("li", {}, element("div", { class: "row card", tabindex: "-1" })), (child, item) => {
    child.dataset.mood = item.mood;
    const card = child.querySelector(":scope > .card");
    card.dataset.refs = JSON.stringify(item.refs);
    card.title = `${item.title} ${item.note}`;
    card.replaceChildren(
      element("span", { class: "title" }, item.title), " ",
      element("span", { class: "note" }, item.note),
      ...(WORDS[item.mood] ? [element("span", { class: "unseen" }, `, ${WORDS[item.mood]}`)] : []),
    );
    let inner = child.querySelector(":scope > ul");
    if (!inner && item.items.length) child.append((inner = element("ul")));
    if (inner && !item.items.length) inner.remove();
    else if (inner) branches(inner, item.items);
  });
}
