// Single keys as shortcuts. They can be switched off, for whoever speaks to the computer or types by accident.

const STORED = "paraphe-shortcuts";
// What a held key does over and over. All else it does once: nobody has seen what comes up meanwhile.
const REPEATABLE = new Set(["+", "=", "-", "j", "k", "ctrl+z", "ctrl+y", "ctrl+shift+z"]);

export class Shortcuts {
  /** ``actions``: what to do by key ("a", "+", "Escape", "ctrl+z"). An action may return false to let the key pass. */
  constructor(actions, toggle = null) {
    this.actions = actions;
    this.isOn = read() !== "off";
    addEventListener("keydown", (event) => this.keyDown(event));
    if (toggle) this.offer(toggle);
  }

  offer(toggle) {
    toggle.checked = this.isOn;
    toggle.addEventListener("change", () => {
      this.isOn = toggle.checked;
      try { localStorage.setItem(STORED, this.isOn ? "on" : "off"); } catch { /* until the page is left */ }
    });
  }

  keyDown(event) {
    if (event.defaultPrevented || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const isCombination = event.ctrlKey || event.metaKey;
    if (!isCombination && !this.isOn && event.key !== "Escape") return;
    const name = isCombination ? `ctrl+${event.shiftKey ? "shift+" : ""}${event.key.toLowerCase()}` : plain(event.key);
    const action = this.actions[name];
    const isHeld = event.repeat && !REPEATABLE.has(name);
    if (!action || (!isHeld && action(event) === false)) return;
    event.preventDefault();
  }
}

const plain = (key) => (key.length === 1 ? key.toLowerCase() : key);

function isTyping(element) {
  return element.isContentEditable || element.matches?.("input:not([type=radio], [type=checkbox]), select, textarea");
}

function read() {
  try { return localStorage.getItem(STORED); } catch { return null; }
}
