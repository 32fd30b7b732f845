// Elements, made from names, attributes and children; text only, never markup.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Make `parent` hold one child for each of `things`, in their order, and keep those that it had: who reads one of them,
// or has the focus in it, is not disturbed.
export function keyed(parent, things, make, update) {
  const had = new Map([...parent.children].filter((child) => child.dataset.id !== undefined)
    .map((child) => [child.dataset.id, child]));
  const held = document.activeElement;
  let place = parent.firstElementChild;
  for (const thing of things) {
    let child = had.get(thing.id);
    if (child) had.delete(thing.id);
    else {
      child = make(thing);
      child.dataset.id = thing.id;
    }
    update(child, thing);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const gone of had.values()) leave(gone);
  // An element that is moved loses the focus.
  if (held !== document.activeElement && parent.contains(held)) held.focus();
}

// The focus goes to a neighbour, not back to the top of the page.
function leave(gone) {
  if (gone.contains(document.activeElement)) {
    const near = gone.nextElementSibling ?? gone.previousElementSibling;
    near?.querySelector(".row")?.focus();
  }
  gone.remove();
}
