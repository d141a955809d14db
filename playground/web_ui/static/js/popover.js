// A floating box beside the element that opened it. Escape or a click elsewhere closes it.
import { h } from "./dom.js";

const MARGIN_PX = 8;

/** Open `content` at an element or {x, y}. Returns a function that closes it. */
export function popover(at, content, { className = "", onClose } = {}) {
  const before = document.activeElement;
  const box = h("div", { class: `popover ${className}` }, content);
  const stop = new AbortController();
  const close = () => {
    if (stop.signal.aborted) return;
    stop.abort();
    const hadFocus = box.contains(document.activeElement);
    box.remove();
    if (hadFocus) before?.focus?.({ preventScroll: true });
    onClose?.();
  };
  document.body.append(box);
  place(box, at);
  const { signal } = stop;
  window.addEventListener("pointerdown", (event) => box.contains(event.target) || close(), {
    capture: true,
    signal,
  });
  window.addEventListener(
    "keydown",
    (event) => event.key === "Escape" && (event.stopPropagation(), close()),
    { capture: true, signal },
  );
  window.addEventListener("resize", close, { signal });
  return close;
}

function place(box, at) {
  const anchor =
    at instanceof Element
      ? at.getBoundingClientRect()
      : { left: at.x, right: at.x, top: at.y, bottom: at.y, width: 0 };
  const { width, height } = box.getBoundingClientRect();
  const left = Math.max(MARGIN_PX, Math.min(anchor.left, innerWidth - width - MARGIN_PX));
  const fitsBelow = anchor.bottom + height + MARGIN_PX < innerHeight;
  const top = fitsBelow ? anchor.bottom + 4 : Math.max(MARGIN_PX, anchor.top - height - 4);
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
}

/** A menu. The arrow keys move between its buttons. */
export function menu(items) {
  const list = h("div", { role: "menu", class: "menu" }, items);
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...list.querySelectorAll("[role=menuitem], [role=menuitemradio]")];
    const at = buttons.indexOf(document.activeElement);
    buttons[(at + step + buttons.length) % buttons.length].focus();
  });
  return list;
}
