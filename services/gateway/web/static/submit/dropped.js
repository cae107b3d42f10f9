// What is dropped or pasted, as files: a folder brings all that lies in it, text brings none.
const BY_THE_SYSTEM = /^(\..*|thumbs\.db|desktop\.ini)$/i; // what systems put into folders, unasked
const BY_NAME = new Intl.Collator(document.documentElement.lang, { numeric: true });
const FIELD = "input[type=text], input[type=number]";

/**
 * The files pasted, none where text is meant: spreadsheets put a picture beside the text that is copied from them.
 * File managers put the files' names there.
 */
export function filesPasted({ target, clipboardData }) {
  const files = [...(clipboardData?.files ?? [])];
  const lines = clipboardData?.getData("text/plain").split(/[\r\n]+/).filter(Boolean) ?? [];
  const isNames = lines.every((line) => files.some((file) => line.endsWith(file.name)));
  return isNames && !target.matches?.(FIELD) ? files : [];
}

/** The files dropped, those of folders by their names. To be called while the event lasts: later it tells nothing. */
export async function filesDropped(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const dropped = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const files = [];
  for (const { entry, file } of dropped) files.push(...(entry?.isDirectory ? await filesWithin(entry) : [file]));
  return files;
}

async function filesWithin(folder) {
  const entries = await entriesOf(folder).catch(() => null);
  if (!entries) return [unreadable(folder)];
  const files = [];
  for (const entry of entries.filter((one) => !BY_THE_SYSTEM.test(one.name))) {
    files.push(...(entry.isDirectory ? await filesWithin(entry) : [await fileOf(entry)]));
  }
  return files;
}

async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  let some;
  do { // a hundred at a time, until there are no more
    some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    all.push(...some);
  } while (some.length);
  return all.sort((one, other) => BY_NAME.compare(one.name, other.name));
}

function fileOf(entry) {
  return new Promise((resolve) => { entry.file(resolve, () => resolve(unreadable(entry))); });
}

/** Listed all the same, to be refused as empty: nothing of a folder is left out in silence. */
function unreadable(entry) { return new File([], entry.name); }
