// The overview: waiting and running jobs, and the time that each phase of the latest questions took.
import { h, morph } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { size } from "./media.js";
import { store } from "./store.js";

const REFRESH_MS = 1000;
const PHASES = ["waited", "reading", "writing"];

export function openOverview(socket) {
  const body = h("div", { class: "overview-body" });
  const dialog = h(
    "dialog",
    { class: "dialog overview", aria: { label: t("overview") } },
    h(
      "header",
      { class: "dialog-head" },
      h("h2", {}, t("overview")),
      h(
        "button",
        { type: "button", class: "icon-button", onclick: () => dialog.close(), aria: { label: t("close") } },
        icon("close"),
      ),
    ),
    body,
  );
  document.body.append(dialog);
  dialog.showModal();
  dialog.addEventListener("close", () => dialog.remove());
  const refresh = async () => {
    const parts = await socket.request("overview").then(overviewParts, errorText);
    if (!dialog.open) return;
    morph(body, h("div", { class: "overview-body" }, parts));
    setTimeout(refresh, REFRESH_MS);
  };
  return refresh();
}

const errorText = ({ detail, code }) =>
  h("p", { class: "failure" }, t("failed_action", { detail: detail || code }));

const overviewParts = (now) => [
  numbers(now),
  h("h3", {}, t("latest_questions")),
  now.questions.length ? questions(now.questions) : h("p", { class: "muted" }, t("no_questions")),
  h("h3", {}, t("kinds")),
  table(
    ["kind", "waiting", "running", "seconds_each", "tokens_each"],
    now.capabilities.filter(isUsed).map((it) => [
      it.name,
      it.waiting,
      it.running,
      it.service_ms === null ? "–" : number(it.service_ms / 1000),
      it.tokens === null ? "–" : number(it.tokens),
    ]),
  ),
  h("h3", {}, t("workers")),
  table(
    ["model", "engine", "state", "running", "context"],
    now.workers.map((it) => [
      it.model,
      it.engine,
      t(it.phase),
      t("of", { some: it.running, all: it.slots }),
      it.context_tokens.toLocaleString(store.locale),
    ]),
  ),
];

/** A capability such as `chat@a-model` exists for each chosen model. It has a row once it was used. */
const isUsed = ({ name, waiting, running, service_ms: service }) =>
  !name.includes("@") || waiting || running || service !== null;

const sum = (list, name) => list.reduce((all, each) => all + each[name], 0);

const numbers = (now) =>
  h(
    "dl",
    { class: "numbers" },
    [
      ["waiting", sum(now.capabilities, "waiting")],
      ["running", sum(now.capabilities, "running")],
      ["dead_letters", now.dead],
      ["queue_memory", size(now.memory)],
    ].map(([name, value]) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, String(value)))),
  );

function questions(list) {
  const longest = Math.max(...list.map((each) => sum(spans(each), "ms")), 1);
  return [
    h("p", { class: "legend", aria: { hidden: "true" } }, PHASES.map((name) => h("span", { class: name }, t(name)))),
    h("ol", { class: "timelines" }, list.map((each) => question(each, longest))),
  ];
}

/** The phases of a question and their durations. A phase in progress ends now, on the page's clock. */
function spans({
  submitted_ms: submitted,
  claimed_ms: claimed,
  first_output_ms: firstOutput,
  ended_ms: ended,
  state,
}) {
  const end = ended ?? (["queued", "running"].includes(state) ? Date.now() : submitted);
  const ms = (from, to) => (from === null ? 0 : Math.max(0, (to ?? end) - from));
  return [
    { name: "waited", ms: ms(submitted, claimed) },
    { name: "reading", ms: ms(claimed, firstOutput) },
    { name: "writing", ms: ms(firstOutput, null) },
  ];
}

function question(each, longest) {
  const parts = spans(each);
  return h(
    "li",
    { data: { key: each.id, state: each.state } },
    h("p", {}, h("b", {}, each.who), " ", h("span", { class: "kind" }, each.capability), " ", each.prompt),
    h("div", { class: "timeline", aria: { hidden: "true" } }, parts.map((part) => segment(part, longest))),
    h("small", {}, summary(each, parts)),
  );
}

function segment({ name, ms }, longest) {
  const bar = h("i", { class: name });
  bar.style.width = `${(100 * ms) / longest}%`;
  return bar;
}

function summary({ state, failure, attempts, tokens }, parts) {
  const writing = parts.at(-1).ms;
  return [
    ...parts.filter(({ ms }) => ms).map(({ name, ms }) => `${t(name)} ${number(ms / 1000, 2)} s`),
    tokens ? t("tokens", { count: tokens }) : "",
    tokens && writing > 100 ? t("a_second", { count: number((1000 * tokens) / writing) }) : "",
    attempts > 1 ? t("attempt", { count: attempts }) : "",
    failure ? t(`failed_${failure}`) : (["queued", "running"].includes(state) ? t(`is_${state}`) : ""),
  ]
    .filter(Boolean)
    .join(" · ");
}

const table = (names, rows) =>
  h(
    "table",
    {},
    h("thead", {}, h("tr", {}, names.map((name) => h("th", {}, t(name))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, String(cell)))))),
  );

const number = (value, digits = 1) =>
  value.toLocaleString(store.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
