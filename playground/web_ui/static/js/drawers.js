// The sidebar and the panel, which slide over the channel on a small screen.
import { element } from "./dom.js";

const WIDE = matchMedia("(min-width: 900px)");

export function startDrawers() {
  element("menu-toggle").addEventListener("click", () => toggle("nav-open"));
  element("panel-toggle").addEventListener("click", () =>
    toggle(WIDE.matches ? "panel-hidden" : "panel-open"),
  );
  element("backdrop").addEventListener("click", closeDrawers);
  window.addEventListener("keydown", (event) => event.key === "Escape" && closeDrawers());
  WIDE.addEventListener("change", closeDrawers);
  updateAria();
}

function toggle(name) {
  document.body.classList.toggle(name);
  updateAria();
  if (name === "nav-open" && document.body.classList.contains(name))
    element("channels").querySelector("button")?.focus();
}

export function closeDrawers() {
  document.body.classList.remove("nav-open", "panel-open");
  updateAria();
}

/** Update the labels for assistive technology. Hidden parts cannot get the focus. */
function updateAria() {
  const { classList } = document.body;
  const panelShown = WIDE.matches ? !classList.contains("panel-hidden") : classList.contains("panel-open");
  element("navigation").inert = !WIDE.matches && !classList.contains("nav-open");
  element("panel").inert = !panelShown;
  element("menu-toggle").setAttribute("aria-expanded", String(classList.contains("nav-open")));
  element("panel-toggle").setAttribute("aria-expanded", String(panelShown));
}
