export const texts = JSON.parse(document.getElementById("texts").textContent);

/** Puts values at their {names}. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** "one|other" by the number, as the language counts. */
export function counted(text, n) {
  const [one, other] = text.split("|");
  const isOne = new Intl.PluralRules(document.documentElement.lang).select(n) === "one";
  return fill(isOne ? one : other ?? one, { n });
}
