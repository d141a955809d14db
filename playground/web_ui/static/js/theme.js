// Dark or light: as the system says, until the reader chooses.

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
