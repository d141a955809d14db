// The account of the page: switch or add a person, set the language and the theme.
import { element, fill, h } from "./dom.js";
import { LOCALES, t } from "./i18n.js";
import { avatar, icon } from "./icons.js";
import { menu, popover } from "./popover.js";
import { ask } from "./prompt.js";
import { nameOf, store } from "./store.js";
import { currentTheme, toggleTheme } from "./theme.js";
import { toast } from "./toast.js";

let socket;

export function startAccount(connection) {
  socket = connection;
  store.on(["loaded", "locale", "users"], draw);
}

export const savedSettings = () => ({
  user: sessionStorage.getItem("user"),
  locale: localStorage.getItem("locale"),
});

function draw() {
  fill(
    element("account"),
    h(
      "button",
      {
        type: "button",
        class: "account-button",
        title: t("switch_user"),
        data: { action: "accounts" },
        onclick: openAccounts,
        aria: { haspopup: "menu" },
      },
      h("span", { class: "avatar-frame" }, avatar(store.me, "list"), h("i", { class: "presence online" })),
      h("span", { class: "account-text" }, h("b", {}, nameOf(store.me)), h("small", {}, t("switch_user"))),
    ),
    toolButton("globe", t("language"), openLanguages),
    toolButton(currentTheme() === "dark" ? "sun" : "moon", t("theme"), () => (toggleTheme(), draw())),
  );
}

const toolButton = (name, label, onclick) =>
  h(
    "button",
    { type: "button", class: "icon-button", title: label, onclick, aria: { label } },
    icon(name, 18),
  );

function openAccounts(event) {
  let close = () => {};
  const people = [...store.users.values()].filter((user) => !user.bot);
  const row = (user) =>
    h(
      "button",
      {
        type: "button",
        role: "menuitemradio",
        class: "menu-item person",
        onclick: () => (close(), switchUser(user.id)),
        aria: { checked: String(user.id === store.me.id) },
      },
      avatar(user, "list"),
      h("span", {}, nameOf(user)),
      user.id === store.me.id ? icon("check", 16) : null,
    );
  const add = h(
    "button",
    { type: "button", role: "menuitem", class: "menu-item", onclick: () => (close(), addUser()) },
    h("span", {}, t("add_user")),
    icon("plus", 16),
  );
  const content = menu([h("div", { class: "menu-label" }, t("switch_user")), people.map(row), h("hr"), add]);
  close = popover(event.currentTarget, content, { className: "menu-box" });
  content.querySelector("button")?.focus();
}

async function switchUser(user) {
  sessionStorage.setItem("user", user);
  await socket.request("switch_user", { user, locale: store.locale }).catch(showRefusal);
}

async function addUser() {
  const name = await ask({ title: t("add_user"), label: t("user_name"), accept: t("create") });
  if (!name) return;
  await socket
    .request("add_user", { name })
    .then(({ id }) => switchUser(id))
    .catch(showRefusal);
}

const showRefusal = (refusal) => toast(t("failed_action", { detail: refusal.detail || refusal.code }));

function openLanguages(event) {
  let close = () => {};
  const row = ([locale, name]) =>
    h(
      "button",
      {
        type: "button",
        role: "menuitemradio",
        class: "menu-item",
        lang: locale,
        onclick: () => (close(), setLocale(locale)),
        aria: { checked: String(locale === store.locale) },
      },
      h("span", {}, name),
      locale === store.locale ? icon("check", 16) : null,
    );
  const content = menu([h("div", { class: "menu-label" }, t("language")), Object.entries(LOCALES).map(row)]);
  close = popover(event.currentTarget, content, { className: "menu-box" });
  content.querySelector("button")?.focus();
}

/** The page and the simulated person change their language together, as Discord's setting does. */
function setLocale(locale) {
  localStorage.setItem("locale", locale);
  store.locale = locale;
  document.documentElement.lang = locale;
  store.changed("locale");
  socket.request("locale", { locale }).catch(showRefusal);
}
