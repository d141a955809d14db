// All icons of the page, as paths. The page loads no icon from elsewhere.

const PATHS = {
  logo: "M4 11.2 12 4l8 7.2V17a2.5 2.5 0 0 1-2.5 2.5H12L8 22.5v-3H6.5A2.5 2.5 0 0 1 4 17zM9.3 12.8v1M14.7 12.8v1",
  hash: "M9 4 7 20M17 4l-2 16M4 9h17M3 15h17",
  thread: "M4 5h16v10H11l-4 4v-4H4zM8 9h8M8 12h5",
  at: "M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0zm0 0v1.5a2.5 2.5 0 0 0 5 0V12a9 9 0 1 0-4 7.5",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  menu: "M4 7h16M4 12h16M4 17h16",
  pulse: "M3 12h4l3-7 4 14 3-7h4",
  reply: "M10 5 4 11l6 6M4 11h9a7 7 0 0 1 7 7v1",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12l5 5 9-10",
  more: "M5 11.5v1M12 11.5v1M19 11.5v1",
  file: "M6 3h8l5 5v13H6zM14 3v5h5",
  download: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zm13 0a3 3 0 1 1-6 0 3 3 0 0 1 6 0z",
  chevron: "M6 9l6 6 6-6",
  send: "M4 12 20 4l-5 16-4-7zM11 13l9-9",
  sun: "M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  globe: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
  restart: "M20 11a8 8 0 1 0-2.3 6.3M20 4v7h-7",
  bolt: "M13 2 5 13h6l-1 9 8-12h-6z",
  apps: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM17 14v6M14 17h6",
  users:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.4a6.5 6.5 0 0 1 3.5 5.6",
  down: "M12 5v14m-6-6 6 6 6-6",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 14c1 2 2.3 3 4 3s3-1 4-3M9 9h.01M15 9h.01",
  command: "M8 4 4 20M20 4l-4 16",
  external: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
};

export function icon(name, size = 20) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** The logo: a house in the form of a speech bubble. */
export function logo(size = 28) {
  const svg = icon("logo", size);
  svg.classList.add("logo");
  return svg;
}

const HUES = 8;

/** A person's initials on a colour that depends on the name. */
export function avatar(user, size = "") {
  const span = document.createElement("span");
  const hue = [...user.username].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7) % HUES;
  span.className = `avatar ${size} ${user.bot ? "bot" : `hue-${hue}`}`;
  span.setAttribute("aria-hidden", "true");
  if (user.bot) span.append(logo(size === "large" ? 44 : size === "small" ? 15 : 26));
  else span.textContent = initials(user.global_name || user.username);
  return span;
}

function initials(name) {
  const parts = name.trim().split(/\s+/);
  const letters =
    parts.length > 1 ? parts[0][0] + parts.at(-1)[0] : [...(parts[0] || "?")].slice(0, 1).join("");
  return letters.toUpperCase();
}
