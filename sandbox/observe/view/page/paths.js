// The ways of a request: { id, way, title, url, hops: [{ kind, name, does, refs }], stopped, measured }.

import { element, keyed } from "./dom.js";
import { oneTabStop } from "./list.js";

const PLACES = { client: "client", router: "VPC router", balancer: "load balancer", node: "node", pod: "pod", stop: "does not arrive" };
const NOT_MEASURED = "not measured: from what the APIs say";

// The first path of all, `opened`, opens when it comes, and when it breaks.
export function showPaths(list, paths, carries, send, opened) {
  const empty = { id: "", title: "no such path here", url: "", hops: [], stopped: "", measured: "", none: true };
  keyed(list, paths.length ? paths : [empty], () => element("li"), (child, path) => {
    const text = JSON.stringify([path, carries]);
    if (child.dataset.text === text) return;
    child.dataset.text = text;
    if (path.none) child.replaceChildren(element("div", { class: "row", tabindex: "-1" }, path.title));
    else lane(child, path, carries, send, path.id === opened);
  });
  oneTabStop(list);
}

function lane(child, path, carries, send, open) {
  let details = child.querySelector("details");
  if (details && open && path.stopped && child.dataset.mood !== "bad") details.open = true;
  if (!details) {
    details = element("details", { open },
      element("summary", { class: "row", tabindex: "-1" }),
      element("ol", { class: "hops" }),
      element("p", { class: "said", role: "status" }));
    child.append(details);
  }
  const [row, hops, said] = ["summary", ".hops", ".said"].map((part) => details.querySelector(part));
  const badge = path.stopped ? "bad" : path.measured ? "good" : "";
  row.replaceChildren(
    element("span", { class: "title" }, path.title), " ",
    element("span", { class: "badge", "data-mood": badge },
      path.stopped ? "▲ does not arrive" : path.measured ? "measured" : NOT_MEASURED),
  );
  child.dataset.mood = badge;
  const stop = path.stopped ? [{ kind: "stop", name: path.stopped, does: [], refs: [] }] : [];
  hops.replaceChildren(...[...path.hops, ...stop].map(hop));
  said.replaceChildren(path.measured);
  button(details, path, carries && path.url, send);
}

function button(details, path, may, send) {
  details.querySelector(".send")?.toggleAttribute("hidden", !may);
  if (!may || details.querySelector(".send")) return;
  const made = element("button", { class: "send", type: "button" }, "Send a request");
  made.addEventListener("click", async () => {
    if (made.getAttribute("aria-disabled")) return;
    made.setAttribute("aria-disabled", "true");
    made.textContent = "On its way…";
    const wrong = await send(path).catch((error) => String(error));
    if (wrong) details.querySelector(".said").textContent = wrong;
    made.removeAttribute("aria-disabled");
    made.textContent = "Send a request";
  });
  details.querySelector("summary").after(made);
}

function hop({ kind, name, does, refs }) {
  return element("li", { class: "hop", "data-kind": kind, "data-refs": JSON.stringify(refs) },
    element("p", { class: "kind" }, PLACES[kind] ?? kind),
    element("p", { class: "name" }, name),
    element("ul", {}, ...does.map((line) => element("li", {}, line))));
}
