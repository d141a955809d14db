// Builds and updates elements. Text is always inserted as text; only markup.js inserts HTML.

/** h("button", {class: "x", onclick, data: {id: 1}, aria: {label: "…"}}, ...children) */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "aria") setAria(element, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

function setAria(element, values) {
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null) element.setAttribute(`aria-${name}`, value);
  }
}

export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

// Classes that the reader's clicks set. An edit of the message keeps them.
const KEPT_CLASSES = ["revealed", "copied", "waiting"];

/** Update `from` to equal `to` with the fewest changes, so that a growing text does not flicker. */
export function morph(from, to) {
  if (from.isEqualNode(to)) return from;
  if (
    from.nodeType !== to.nodeType ||
    from.nodeName !== to.nodeName ||
    from.dataset?.key !== to.dataset?.key
  ) {
    from.replaceWith(to);
    return to;
  }
  if (from.nodeType === Node.TEXT_NODE) growText(from, to.data);
  else {
    syncAttributes(from, to);
    syncChildren(from, to);
  }
  return from;
}

function growText(node, text) {
  if (text.startsWith(node.data)) node.appendData(text.slice(node.data.length));
  else node.data = text;
}

function syncAttributes(from, to) {
  const kept = KEPT_CLASSES.filter((name) => from.classList.contains(name));
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    // The policy of the page forbids style attributes; the object model may set styles.
    if (name === "style") from.style.cssText = to.style.cssText;
    else if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  if (kept.length) from.classList.add(...kept);
}

function syncChildren(from, to) {
  const before = [...from.childNodes];
  const after = [...to.childNodes];
  after.forEach((child, at) => (before[at] ? morph(before[at], child) : from.append(child)));
  before.slice(after.length).forEach((child) => child.remove());
}

export const element = (id) => document.getElementById(id);

/** Grow a text area with its text, up to `limit` pixels. */
export function autosize(area, limit = 320) {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, limit)}px`;
}
