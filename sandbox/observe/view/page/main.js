// The page: takes each section as the server sends it, and puts it in its place.

import { element } from "./dom.js";
import { listenToKeys } from "./keys.js";
import { applyFilter, linkAlike, showList } from "./list.js";
import { showPaths } from "./paths.js";
import { showPicture } from "./picture.js";

const at = (id) => document.getElementById(id);
const KINDS = {
  Service: "Services",
  Ingress: "Ingresses",
  EndpointSlice: "Endpoints",
  Pod: "Pods",
  TargetGroupBinding: "Target group bindings",
  Node: "Nodes",
};
let about = {};
let paths = [];

const sections = {
  about(told) {
    about = told;
    at("cluster").textContent = told.cluster;
    const packets = told.traffic ? `real packets, kube-proxy ${told.traffic}` : "no packets (sandbox up --traffic)";
    at("about").textContent = [told.region, told.vpc, packets].filter(Boolean).join(" · ");
    at("why").textContent = told.why;
    at("why").hidden = !told.why;
    ways();
    document.title = told.cluster ? `${told.cluster} – sandbox` : "Sandbox";
  },
  watches(kinds) {
    for (const { kind, items } of kinds) showList(listOf(kind), items);
  },
  events(items) {
    tell(items);
    showList(at("events"), items);
  },
  picture(told) {
    showPicture(at("whole"), at("verdict"), told);
  },
  calls({ denied, recent, counts }) {
    at("refused").hidden = !denied.length;
    showList(at("denied"), denied);
    showList(at("counts"), counts);
    showList(at("recent"), recent);
  },
  provisions({ balancers, groups }) {
    showList(at("balancers"), balancers);
    showList(at("groups"), groups);
  },
  paths(told) {
    paths = told;
    ways();
  },
};

function ways() {
  const [first] = paths; // one that does not arrive, if there is such a one
  for (const way of ["ip", "instance"]) {
    showPaths(at(way), paths.filter((path) => path.way === way), Boolean(about.traffic), send, first?.id);
  }
  if (first?.stopped) toTop(at(first.way).parentElement, at("paths").querySelector(".way"));
}

function toTop(block, top) {
  if (block === top) return;
  const held = document.activeElement; // an element that is moved loses the focus
  top.before(block);
  if (block.contains(held)) held.focus();
}

function listOf(kind) {
  const id = `kind-${kind}`;
  if (!at(id)) {
    at("kinds").append(
      element("h3", { id: `${id}-title` }, KINDS[kind] ?? kind),
      element("ul", { id, class: "list", "aria-labelledby": `${id}-title` }),
    );
  }
  return at(id);
}

// New events are said aloud, a second's worth at once: a rollout makes dozens.
let newest = null;
let waiting = [];
function tell(items) {
  const first = newest;
  newest = items.length ? Number(items[0].id) : (newest ?? -1);
  if (first === null) return;
  const fresh = items.filter((item) => Number(item.id) > first).map((item) => `${item.title} ${item.note}`);
  if (fresh.length && !waiting.length) setTimeout(say, 1000);
  waiting.push(...fresh.reverse());
}
function say() {
  const more = waiting.length - 3;
  at("told").textContent = waiting.slice(0, 3).join(". ") + (more > 0 ? `. And ${more} more events` : "");
  waiting = [];
}

async function send(path) {
  const answer = await fetch("trace", { method: "POST", body: JSON.stringify({ path: path.id }) });
  return answer.ok ? "" : ((await answer.json().catch(() => null))?.error ?? `HTTP ${answer.status}`);
}

const source = new EventSource("changes");
source.onopen = () => {
  newest = null; // a server that was started again counts its events anew
  live("live");
};
source.onerror = () => live("lost; trying again");
for (const [name, show] of Object.entries(sections)) {
  source.addEventListener(name, (event) => {
    show(JSON.parse(event.data));
    applyFilter(at("filter").value);
  });
}

function live(word) {
  at("live").textContent = word;
  at("live").dataset.mood = word === "live" ? "good" : "bad";
}

at("filter").addEventListener("input", () => applyFilter(at("filter").value));
at("search").addEventListener("submit", (event) => event.preventDefault());
at("help").addEventListener("click", () => at("keys").showModal());
linkAlike(document.body);
listenToKeys(document);
