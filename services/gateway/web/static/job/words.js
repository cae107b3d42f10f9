// Texts and numbers in the page's language. The texts come with the page.

let texts = {};
const language = document.documentElement.lang;
const percents = new Intl.NumberFormat(language, { style: "percent" });
const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const plurals = new Intl.PluralRules(language);

export function learn(found) { texts = found; }

export function t(key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Of ``one|other`` the form that goes with the number. */
export function count(key, number) {
  const [one, other] = (texts[key] ?? key).split("|");
  return (plurals.select(number) === "one" ? one : other ?? one).replace("{n}", number);
}

export const percent = (share) => percents.format(share);
export const moment = (text) => moments.format(new Date(text));
