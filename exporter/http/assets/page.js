// What all pages share. What models and users wrote reaches a document through textContent alone.

export const SHOWN = 8000; // characters of a text that are laid out before somebody asks for the rest
const CHUNK = 4000;
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
export const TYPING = new Set(["INPUT", "TEXTAREA", "SELECT"]);

export const $ = (id) => document.getElementById(id);

export function element(name, options = {}, ...children) {
  const made = Object.assign(document.createElement(name), options);
  made.append(...children);
  return made;
}

// Text

/** Characters that would reorder or hide text, as visible names; all else as it is. */
export function safe(text) {
  const found = document.createDocumentFragment();
  let end = 0;
  for (const match of text.matchAll(CONTROLS)) {
    found.append(text.slice(end, match.index));
    const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    found.append(element("span", { className: "control", textContent: `U+${code}`, title: "invisible character" }));
    end = match.index + match[0].length;
  }
  found.append(text.slice(end));
  return found;
}

/** The places of the sentences in the text, in order and apart from each other: from, to, and which sentence it is. */
function places(text, sentences) {
  const found = [];
  for (const [number, sentence] of sentences.entries()) {
    const start = sentence ? text.indexOf(sentence) : -1;
    if (start >= 0 && !found.some(([from, to]) => start < to && from < start + sentence.length)) {
      found.push([start, start + sentence.length, number]);
    }
  }
  return found.sort((one, other) => one[0] - other[0]);
}

/** A long text in blocks, of which the browser lays out those that are seen; cut at ends of lines where there are any. */
function chunks(text) {
  const found = [];
  for (let start = 0; start < text.length; ) {
    const line = text.lastIndexOf("\n", start + CHUNK);
    const end = line > start ? line + 1 : start + CHUNK;
    found.push(element("div", { className: "chunk", textContent: text.slice(start, end) }));
    start = end;
  }
  return found;
}

/** Shows a text in a box, with sentences of it marked; ``marked`` gets each mark and the number of its sentence. */
export function fill(box, text, sentences = [], marked = () => {}) {
  const long = text.length > SHOWN;
  const shown = long ? text.slice(0, SHOWN) : text;
  const pieces = [];
  let end = 0;
  for (const [from, to, number] of places(shown, sentences)) {
    const mark = element("mark", {}, safe(shown.slice(from, to)));
    marked(mark, number);
    pieces.push(safe(shown.slice(end, from)), mark);
    end = to;
  }
  box.replaceChildren(...pieces, safe(shown.slice(end)));
  if (long) {
    const rest = element("button", { type: "button", textContent: `show ${(text.length - SHOWN).toLocaleString()} more characters` });
    rest.addEventListener("click", () => rest.replaceWith(...chunks(text.slice(SHOWN).replace(CONTROLS, "\u{fffd}"))));
    box.append("\n", rest);
  }
  if (!text) box.append(element("span", { className: "hint", textContent: "(nothing)" }));
}

// The server

/** What the server answers, with the token of this tab; throws an error with its status and what the server says of it. */
export async function call(path, body) {
  const headers = {};
  const token = sessionStorage.getItem("token");
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const options = { method: body ? "POST" : "GET", headers, credentials: "omit", cache: "no-store" };
  const response = await fetch(path, { ...options, body: body && JSON.stringify(body) });
  const said = await response.json().catch(() => ({ error: `HTTP ${response.status}` }));
  if (!response.ok) throw Object.assign(new Error(said.error), { status: response.status });
  return said;
}

export const isRefused = ({ status }) => status === 401 || status === 403;
