// What every page does: theme, menu, local times and days, and the warning before a session ends.
import { watchIdleness } from "./idle.js";

const root = document.documentElement;

function isDark() {
  const chosen = root.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function setUpTheme(button) {
  const show = () => { button.textContent = isDark() ? button.dataset.light : button.dataset.dark; };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("paraphe-theme", root.dataset.theme); } catch { /* lasts for this page only */ }
    show();
  });
  show();
}

function setUpMenu(button) {
  button.addEventListener("click", () => {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
  });
}

/** Times are written in UTC by the server; here they become the reader's own. */
export function localTimes(within = document) {
  const format = new Intl.DateTimeFormat(root.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const element of within.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.dateTime);
    if (!Number.isNaN(moment.valueOf())) {
      element.textContent = format.format(moment);
      element.title = moment.toISOString();
    }
  }
}

setUpTheme(document.getElementById("theme-button"));
setUpMenu(document.getElementById("menu-button"));
localTimes();
// Days that are asked for are the reader's own, too.
for (const field of document.querySelectorAll("input[name=zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
if (document.body.dataset.idleS) watchIdleness(document.body.dataset);
// Where to go on afterwards: no server is told what follows "#", such as which page of a document was looked at.
for (const field of document.querySelectorAll("input[type=hidden][name=next]")) {
  field.form.addEventListener("formdata", ({ formData }) => {
    if (!field.value.includes("#")) formData.set("next", field.value + location.hash);
  });
}
for (const element of document.querySelectorAll("[data-submit-on-change]")) {
  element.addEventListener("change", () => element.form.requestSubmit());
}
for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => { if (!confirm(form.dataset.confirm)) event.preventDefault(); });
}
