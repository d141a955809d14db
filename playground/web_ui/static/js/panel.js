// The side panel: the processes with their states, and the members of the server.
import { element, fill, h, morph } from "./dom.js";
import { t } from "./i18n.js";
import { avatar, icon } from "./icons.js";
import { size } from "./media.js";
import { openOverview } from "./overview.js";
import { nameOf, store } from "./store.js";
import { duration } from "./time.js";
import { toast } from "./toast.js";

const GOOD = ["ready", "running"];
const BUSY = ["starting", "loading", "restarting", "stopping", "paused"];

let socket;

export function startPanel(connection) {
  socket = connection;
  store.on(["loaded", "status", "users", "locale"], draw);
  element("panel-body").addEventListener("click", onClick);
}

function draw() {
  const fresh = h("div", { id: "panel-body" }, store.status.length ? system() : null, members());
  morph(element("panel-body"), fresh);
  const worst = store.status.map(({ state }) => health(state)).sort()[0] ?? "good";
  element("panel-toggle").dataset.health = worst;
}

/** The health of a state. "bad" sorts before "busy", and "busy" before "good". */
const health = (state) => (GOOD.includes(state) ? "good" : BUSY.includes(state) ? "busy" : "bad");

const system = () => [
  h(
    "div",
    { class: "panel-head" },
    h("h2", {}, t("system")),
    h("button", { type: "button", class: "small-button", data: { action: "overview" } }, icon("pulse", 14), t("overview")),
  ),
  store.status.map(card),
];

function card(process) {
  const { name, state, progress, detail } = process;
  return h(
    "article",
    { class: "process", data: { key: name, process: name, health: health(state) } },
    h(
      "header",
      {},
      h("i", { class: "lamp" }),
      h("b", {}, t(name)),
      h("small", {}, t(isBuiltInVision(process) ? "eye_is_simple" : `${name}_is`)),
      h("span", { class: "process-state" }, t(state)),
    ),
    typeof progress === "number" && progress < 1 ? bar(progress, name) : null,
    detail ? h("p", { class: "process-detail" }, detail) : null,
    h(
      "footer",
      {},
      h("span", { class: "process-memory" }, statistics(process)),
      button("kill", "bolt", name),
      button("restart", "restart", name),
    ),
  );
}

/** Whether the process serves the built-in vision model, which knows only simple shapes and digits. */
function isBuiltInVision({ name, detail }) {
  return name === "eye" && detail.split(" ").includes("eye");
}

/** The memory, the uptime and the number of restarts of a process. */
function statistics({ memory, uptime_s: uptime, restarts }) {
  const parts = [memory ? size(memory) : "", uptime ? duration(uptime) : "", restarts ? `↻ ${restarts}` : ""];
  return parts.filter(Boolean).join(" · ");
}

function bar(progress, name) {
  const filled = h("i", {});
  filled.style.width = `${Math.round(progress * 100)}%`;
  const values = {
    valuenow: String(Math.round(progress * 100)),
    valuemin: "0",
    valuemax: "100",
    label: t(name),
  };
  return h("div", { class: "progress", role: "progressbar", aria: values }, filled);
}

function button(action, picture, name) {
  const title = action === "kill" ? t("kill_hint", { name: t(name) }) : `${t("restart")} ${t(name)}`;
  return h(
    "button",
    {
      type: "button",
      class: "small-button",
      title,
      data: { action, process: name },
      aria: { label: `${t(action)} ${t(name)}` },
    },
    icon(picture, 14),
    t(action),
  );
}

async function onClick(event) {
  if (event.target.closest("[data-action=overview]")) return openOverview(socket);
  const target = event.target.closest("[data-process][data-action]");
  if (!target) return;
  const { action, process } = target.dataset;
  target.disabled = true;
  await socket
    .request("process", { action, name: process })
    .catch((refusal) => toast(t("failed_action", { detail: refusal.detail || refusal.code })));
  target.disabled = false;
}

function members() {
  const people = [...store.users.values()].sort((a, b) => Number(b.bot ?? false) - Number(a.bot ?? false));
  return [
    h("h2", {}, `${t("members")} — ${people.length}`),
    h("ul", { class: "members" }, people.map(member)),
  ];
}

function member(user) {
  const online = user.online !== false;
  return h(
    "li",
    { class: online ? "member" : "member away", data: { key: user.id } },
    h(
      "span",
      { class: "avatar-frame" },
      avatar(user, "list"),
      h("i", { class: `presence ${online ? "online" : "offline"}`, title: t(online ? "online" : "offline") }),
    ),
    h("span", { class: "member-name" }, nameOf(user)),
    user.bot ? h("span", { class: "app-tag" }, t("app")) : null,
    user.id === store.me.id ? h("small", {}, t("signed_in")) : null,
  );
}
