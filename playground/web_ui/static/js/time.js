// Dates as Discord writes them, in the reader's language.
import { t } from "./i18n.js";
import { store } from "./store.js";

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
  s: { dateStyle: "short", timeStyle: "short" },
  S: { dateStyle: "short", timeStyle: "medium" },
};
const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

const format = (date, style) => new Intl.DateTimeFormat(store.locale, STYLES[style]).format(date);

export const clock = (iso) => format(new Date(iso), "t");

export const fullTime = (date) => format(date, "F");

export function messageTime(iso) {
  const date = new Date(iso);
  const days = dayNumber(new Date()) - dayNumber(date);
  if (days === 0) return t("today", { time: format(date, "t") });
  if (days === 1) return t("yesterday", { time: format(date, "t") });
  return format(date, "s");
}

export const dayNumber = (date) =>
  Math.floor((date.getTime() - date.getTimezoneOffset() * 60_000) / 86_400_000);

export const day = (iso) => format(new Date(iso), "D");

/** Format a duration: 75 seconds are 1:15. */
export function duration(seconds) {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  const [hours, left] = [Math.floor(minutes / 60), minutes % 60];
  const pad = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${pad(left)}:${pad(rest)}` : `${left}:${pad(rest)}`;
}

/** The text of `<t:unix:style>`. */
export function timestamp(unix, style) {
  const date = new Date(unix * 1000);
  if (Number.isNaN(date.getTime())) return String(unix);
  return style === "R" ? relative(unix - Date.now() / 1000) : format(date, style);
}

function relative(seconds) {
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(store.locale, { numeric: "auto" }).format(
    Math.round(seconds / size),
    unit,
  );
}
