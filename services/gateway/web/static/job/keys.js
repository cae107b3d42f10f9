// Single keys as shortcuts. They can be switched off, for whoever speaks to the computer or types by accident.

const STORED = "paraphe-shortcuts";

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
    if (!action || action(event) === false) return;
    event.preventDefault();
  }
}

const plain = (key) => (key.length === 1 ? key.toLowerCase() : key);

function isTyping(element) {
  return element.isContentEditable || ["INPUT", "SELECT", "TEXTAREA"].includes(element.tagName);
}

function read() {
  try { return localStorage.getItem(STORED); } catch { return null; }
}
