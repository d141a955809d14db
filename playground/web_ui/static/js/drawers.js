// On a small screen the sidebar and the panel slide over the channel.
import { element } from "./dom.js";

const WIDE = matchMedia("(min-width: 900px)");

export function startDrawers() {
  element("menu-toggle").addEventListener("click", () => toggle("nav-open"));
  element("panel-toggle").addEventListener("click", () =>
    toggle(WIDE.matches ? "panel-hidden" : "panel-open"),
  );
  element("veil").addEventListener("click", closeDrawers);
  window.addEventListener("keydown", (event) => event.key === "Escape" && closeDrawers());
  WIDE.addEventListener("change", closeDrawers);
  tell();
}

function toggle(name) {
  document.body.classList.toggle(name);
  tell();
  if (name === "nav-open" && document.body.classList.contains(name))
    element("channels").querySelector("button")?.focus();
}

export function closeDrawers() {
  document.body.classList.remove("nav-open", "panel-open");
  tell();
}

/** What is off the screen is out of the order of focus, too. */
function tell() {
  const { classList } = document.body;
  const panelShown = WIDE.matches ? !classList.contains("panel-hidden") : classList.contains("panel-open");
  element("navigation").inert = !WIDE.matches && !classList.contains("nav-open");
  element("panel").inert = !panelShown;
  element("menu-toggle").setAttribute("aria-expanded", String(classList.contains("nav-open")));
  element("panel-toggle").setAttribute("aria-expanded", String(panelShown));
}
