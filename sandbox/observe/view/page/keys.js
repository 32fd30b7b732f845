// The keyboard: digits to the sections, arrows within a list, `t` sends, `/` filters, `?` tells.

import { oneTabStop, rowsOf } from "./list.js";

const SECTIONS = { 1: "watches", 2: "calls", 3: "provisions", 4: "paths" };

export function listenToKeys(root) {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = event.target.matches("input");
    if (typing && event.key === "Escape") clear(event.target);
    if (typing) return;
    const done = SECTIONS[event.key] ? toSection(SECTIONS[event.key])
      : event.key === "?" ? (document.getElementById("keys").showModal(), true)
      : event.key === "/" ? (document.getElementById("filter").focus(), true)
      : event.key === "t" ? sends(event.target)
      : moves(event.target, event.key);
    if (done) event.preventDefault();
  });
  // Wherever the focus comes to in a list, Tab comes back to.
  root.addEventListener("focusin", (event) => {
    const list = event.target.matches(".row") && event.target.closest(".list, .lanes, .tree");
    if (list) oneTabStop(list);
  });
}

function clear(input) {
  input.value = "";
  input.dispatchEvent(new Event("input"));
}

function toSection(id) {
  const section = document.getElementById(id);
  const row = [...section.querySelectorAll(".list .row, .lanes .row")].find((each) => each.tabIndex === 0 && each.checkVisibility());
  row?.focus();
  section.scrollIntoView({ block: "nearest" });
  return true;
}

function sends(target) {
  const button = target.closest("details")?.querySelector(".send:not([hidden])");
  button?.click();
  return Boolean(button);
}

function moves(row, key) {
  const list = row.closest(".list, .lanes, .tree");
  if (!list || !row.matches(".row")) return false;
  const rows = rowsOf(list);
  const place = rows.indexOf(row);
  const details = row.tagName === "SUMMARY" ? row.parentElement : null;
  switch (key) {
    case "ArrowDown": rows[place + 1]?.focus(); return true;
    case "ArrowUp": rows[place - 1]?.focus(); return true;
    case "Home": rows[0].focus(); return true;
    case "End": rows.at(-1).focus(); return true;
    case "ArrowRight":
      if (details && !details.open) details.open = true;
      else rows[place + 1]?.focus();
      return true;
    case "ArrowLeft":
      if (details?.open) details.open = false;
      else row.closest(".body")?.parentElement.querySelector(".row").focus();
      return true;
    default: return false;
  }
}
