// The dark or light theme: the system's, until the reader chooses one.

const LIGHT = matchMedia("(prefers-color-scheme: light)");

export const currentTheme = () => localStorage.getItem("theme") ?? (LIGHT.matches ? "light" : "dark");

export function startTheme() {
  apply();
  LIGHT.addEventListener("change", apply);
}

export function toggleTheme() {
  localStorage.setItem("theme", currentTheme() === "dark" ? "light" : "dark");
  apply();
}

function apply() {
  document.documentElement.dataset.theme = currentTheme();
}
