// Lists of items: { id, title, note, mood, time, refs, details: [[name, value]], items } (sandbox/observe/view/items.py).
// One stop of the Tab key a list; arrows move within it.

import { element, keyed } from "./dom.js";

export const MOODS = { good: "●", wait: "◐", bad: "▲", "": "" };
export const WORDS = { good: "well", wait: "waits", bad: "broken", "": "" };
const MOST = 300;

export function showList(list, items) {
  const open = list.hasAttribute("data-open");
  const shown = items.slice(0, MOST);
  if (items.length > MOST) shown.push(more(items.length - MOST));
  if (!items.length) shown.push({ id: "", title: "none", note: "", mood: "", refs: [], details: [], items: [] });
  const begun = list.children.length > 0;
  keyed(list, shown, () => entry(begun), (child, item) => update(child, item, open));
  oneTabStop(list);
}

function more(count) {
  return { id: "…", title: `and ${count} more`, note: "", mood: "", refs: [], details: [], items: [] };
}

function entry(isNew) {
  const made = element("li");
  if (isNew) flash(made);
  return made;
}

function update(child, item, open) {
  const text = JSON.stringify(item);
  if (child.dataset.text === text) return;
  child.dataset.mood = item.mood;
  const changed = child.dataset.text !== undefined && child.note !== item.note;
  child.dataset.text = text;
  child.note = item.note;
  const folds = item.details.length > 0 || item.items.length > 0;
  let row = child.querySelector(":scope > .row, :scope > details > .row");
  if (!row || (row.tagName === "SUMMARY") !== folds) {
    child.replaceChildren(folds
      ? element("details", { open: open && item.items.length > 0 }, element("summary", { class: "row", tabindex: "-1" }))
      : element("div", { class: "row", tabindex: "-1" }));
    row = child.querySelector(".row");
  }
  row.replaceChildren(
    element("span", { class: "mood", "data-mood": item.mood, "aria-hidden": true }, MOODS[item.mood] ?? ""),
    ...(item.time ? [element("time", {}, item.time), " "] : []),
    element("span", { class: "words" },
      element("span", { class: "title" }, item.title),
      ...(item.note ? [" ", element("span", { class: "note" }, item.note)] : []),
      ...(WORDS[item.mood] ? [element("span", { class: "unseen" }, `, ${WORDS[item.mood]}`)] : [])),
  );
  row.dataset.refs = JSON.stringify(item.refs);
  if (folds) inside(row.parentElement, item, open);
  if (changed) flash(child);
}

function inside(details, item, open) {
  let body = details.querySelector(":scope > .body");
  if (!body) details.append((body = element("div", { class: "body" })));
  if (item.details.length && !item.items.length) {
    body.replaceChildren(
      element("dl", {}, ...item.details.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])));
    return;
  }
  // Beside items, the facts fold into one of their own.
  const inner = body.querySelector(":scope > ul") ?? body.appendChild(element("ul"));
  const facts = { id: "facts", title: "", note: "details", mood: "", refs: [], details: item.details, items: [] };
  const shown = item.details.length ? [...item.items, facts] : item.items;
  keyed(inner, shown, () => element("li"), (child, sub) => update(child, sub, open));
}

function flash(child) {
  child.classList.remove("changed");
  requestAnimationFrame(() => child.classList.add("changed"));
  child.addEventListener("animationend", () => child.classList.remove("changed"), { once: true });
}

export function rowsOf(list) {
  return [...list.querySelectorAll(".row")].filter((row) => row.checkVisibility());
}

export function oneTabStop(list) {
  const rows = [...list.querySelectorAll(".row")];
  const stop = rows.find((row) => row === document.activeElement) ?? rows.find((row) => row.tabIndex === 0 && row.checkVisibility())
    ?? rows.find((row) => row.checkVisibility());
  for (const row of rows) row.tabIndex = row === stop ? 0 : -1;
}

// What has a word of the filter nowhere in it is hidden.
let filtered = "";
export function applyFilter(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length && !filtered) return;
  filtered = words.trim();
  for (const list of document.querySelectorAll(".list, .lanes, .tree")) {
    for (const child of list.children) {
      const text = (child.dataset.text ?? "").toLowerCase();
      child.hidden = !wanted.every((word) => text.includes(word));
    }
    oneTabStop(list);
  }
}

// What shares an address, a host name or an ARN with the row under focus or pointer is marked.
export function linkAlike(root) {
  const mark = (event) => {
    const row = event.target.closest?.("[data-refs]");
    const refs = new Set(row ? JSON.parse(row.dataset.refs) : []);
    for (const other of root.querySelectorAll("[data-refs]")) {
      const alike = refs.size > 0 && JSON.parse(other.dataset.refs).some((ref) => refs.has(ref));
      other.classList.toggle("linked", alike && other !== row);
    }
  };
  root.addEventListener("focusin", mark);
  root.addEventListener("mouseover", mark);
}
