// The pages of answers: a list with a filter, whose state is the address, and one answer with everything said of it.

import { $, TYPING, call, element, fill, isRefused, safe } from "./page.js";

const FIELDS = ["sli", "app", "route", "model_version", "prompt_version", "evaluator", "verdict", "signal", "from", "to", "text"];
const MOST_DOCUMENTS = 50; // laid out before somebody asks for the rest
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}'’-]*/gu;
const SHORT = 3; // words of fewer characters, without a digit, say nothing of where a sentence is from

const state = { answer: null, next: null, query: "", turn: 0 };

function say(text) {
  $("message").textContent = text;
}

/** Does one thing of the page; what goes wrong is said, and whoever may not read is asked for a token. */
async function attempt(work) {
  const turn = ++state.turn;
  try {
    say("");
    await work(() => turn === state.turn);
  } catch (error) {
    if (turn !== state.turn) return;
    if (isRefused(error)) askForToken();
    say(error.message);
  }
}

function askForToken() {
  for (const id of ["list", "answer"]) $(id).hidden = true;
  $("sign-in").hidden = false;
  $("token").focus();
}

const traceId = () => location.pathname.split("/")[2];

function show() {
  $("sign-in").hidden = true;
  $("leave").hidden = !sessionStorage.getItem("token");
  $("where").textContent = "";
  return attempt(traceId() ? showAnswer : showList);
}

function go(address) {
  history.pushState(null, "", address);
  return show();
}

// The list

/** The address as the filter's fields; what has several values is shown with commas. */
function fillFilter() {
  const query = new URLSearchParams(location.search);
  for (const name of FIELDS) {
    const values = [...query.getAll(name), ...query.getAll(`var-${name}`)];
    $(name).value = values.join(", ");
    $(name).dataset.given = $(name).value;
  }
}

function writtenFilter() {
  const before = new URLSearchParams(location.search);
  const query = new URLSearchParams();
  for (const name of FIELDS) {
    const value = $(name).value.trim();
    const kept = value && value === $(name).dataset.given;
    const values = kept ? [...before.getAll(name), ...before.getAll(`var-${name}`)] : [value].filter(Boolean);
    for (const one of values) query.append(name, one);
  }
  return query.toString();
}

async function showList(isCurrent) {
  state.query = location.search.slice(1);
  document.title = "Answers · llmq";
  const choices = await call("/api/answers/choices");
  if (!isCurrent()) return;
  offer(choices);
  fillFilter();
  $("answer").hidden = true;
  $("list").hidden = false;
  $("found").replaceChildren();
  await search(isCurrent, "");
}

function offer(choices) {
  for (const name of ["sli", "app", "route", "model_version", "prompt_version", "evaluator"]) {
    $(`${name}s`).replaceChildren(...choices[name].map((value) => element("option", { value })));
  }
  $("signal").replaceChildren(element("option", { value: "", textContent: "any" }),
    ...choices.signal.map((value) => element("option", { value, textContent: value })));
  $("text-note").textContent = {
    all: "",
    failing: "Text is stored for answers that failed (store.content: failing).",
    none: "No text is stored (store.content: none): questions and answers are not shown.",
  }[choices.text_stored];
}

async function search(isCurrent, after) {
  $("searched").textContent = "Searching …";
  $("more").hidden = true;
  const query = new URLSearchParams(state.query);
  if (after) query.set("after", after);
  const page = await call(`/api/answers?${query}`).catch((error) => {
    if (isCurrent()) $("searched").textContent = "";
    throw error;
  });
  if (!isCurrent()) return;
  $("found").append(...page.answers.map(line));
  state.next = page.next;
  $("more").hidden = !page.next;
  const count = $("found").children.length;
  const shown = count ? `${count.toLocaleString()} ${count === 1 ? "answer" : "answers"}` : "Nothing found";
  $("searched").textContent = page.next ? `${shown}, searched back to ${time(page.searched_to)}` : `${shown}${count ? ", and no more" : ""}.`;
}

function line(answer) {
  const text = (className, value) => element("span", { className: `beginning ${className}`, dir: "auto" }, safe(value));
  const words = answer.question === null && answer.answer === null
    ? [element("span", { className: "hint", textContent: answer.error ?? "no text stored" })]
    : [text("asked", answer.question ?? ""), text("", answer.answer ?? answer.error ?? "(nothing)")];
  const tags = [
    ...answer.failed.map((name) => element("span", { className: "tag bad", title: "failed" }, safe(name))),
    ...answer.signals.map((name) => element("span", { className: "tag", title: "user signal" }, safe(name))),
  ];
  const link = element("a", { href: `/answers/${answer.trace_id}` },
    element("span", {}, element("time", { textContent: time(answer.at), dateTime: answer.at, title: answer.at }),
      element("br"), element("span", { className: "slice" }, safe(slice(answer)))),
    element("span", {}, ...words), element("span", { className: "tags" }, ...tags));
  link.addEventListener("click", opened);
  return element("li", {}, link);
}

function opened(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(event.currentTarget.getAttribute("href"));
}

const slice = (where) => ["app", "route", "model_version", "prompt_version"].map((name) => where[name]).filter((value) => value && value !== "unknown").join(" · ");
const time = (at) => new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });

// One answer

async function showAnswer(isCurrent) {
  const answer = await call(`/api/answers/${encodeURIComponent(traceId())}`);
  if (!isCurrent()) return;
  state.answer = answer;
  document.title = `${answer.app} · answer · llmq`;
  $("list").hidden = true;
  $("answer").hidden = false;
  $("where").replaceChildren(safe(slice(answer.counted_in)));
  $("facts").replaceChildren(safe(facts(answer).filter(Boolean).join(" · ")));
  const objections = answer.evaluations.filter((one) => one.verdict === "fail").flatMap((one) => one.quotes.map((quote) => [quote, one]));
  const said = answer.answer ?? answer.refusal;
  box($("question"), answer.question, answer);
  box($("said"), said, answer, objections.map(([quote]) => quote), (mark, number) => objection(mark, objections[number][1]));
  $("error").replaceChildren(...(answer.error ? [element("h2", { textContent: "Error" }), element("p", { className: "bad" }, safe(answer.error))] : []));
  showDocuments(answer.context);
  const count = document.querySelectorAll("#said mark").length;
  $("marked").textContent = count ? "marked: what an evaluator objects to; choose a sentence to see its words in the documents" : "";
  $("scores").replaceChildren(...scores(answer));
  rows("feedback", "users", answer.feedback.map((one) => [one.signal, time(one.at), [one.comment, one.edited_text].filter(Boolean).join(" → ") || (one.source === "derived" ? "seen in the conversation" : "")]));
  rows("labels", "people", answer.review.labels.flatMap((label) => label.answers.map((one) => [label.reviewer, `${one.evaluator}: ${one.verdict}`, one.note || (label.corrected ?? "")])));
  $("tools").hidden = !answer.tool_calls.length;
  $("calls").replaceChildren(...answer.tool_calls.map(tool));
  showSteps(answer);
  window.scrollTo(0, 0);
}

function facts({ at, duration_seconds: seconds, tokens, finish_reason: ended, dialect, provider, conversation_id: conversation, trace_id: trace, content_state: content }) {
  const used = tokens.input || tokens.output ? `${tokens.input ?? "?"} → ${tokens.output ?? "?"} tokens` : "";
  return [time(at), seconds === null ? "" : `${seconds.toFixed(2)} s`, used, ended && `ended by ${ended}`, content, provider, dialect && `from ${dialect}`, conversation && `conversation ${conversation}`, `trace ${trace}`];
}

function box(place, text, answer, sentences, marked) {
  if (text !== null && text !== undefined) return fill(place, text, sentences, marked);
  place.replaceChildren(element("span", { className: "hint", textContent: why(answer) }));
}

function why({ content_expired: expired, content_state: content }) {
  if (expired) return "its text has expired (store.retention.content)";
  if (content === "not_captured") return "the instrumentation did not send its text";
  return "no text is stored of this answer (store.content)";
}

function objection(mark, evaluation) {
  Object.assign(mark, { tabIndex: 0, title: `${evaluation.evaluator}: ${evaluation.explanation}` });
  mark.addEventListener("click", () => choose(mark));
  mark.addEventListener("focus", () => choose(mark));
}

function showDocuments(context, most = MOST_DOCUMENTS) {
  $("documents").replaceChildren(...context.slice(0, most).map(source));
  $("against").textContent = "";
  if (!context.length) $("documents").append(element("p", { className: "hint", textContent: "none were retrieved, or none were captured" }));
  if (context.length > most) {
    const rest = element("button", { type: "button", textContent: `show ${context.length - most} more` });
    rest.addEventListener("click", () => showDocuments(context, Infinity));
    $("documents").append(rest);
  }
}

function source({ id, text, score }, number) {
  const shown = element("div", { className: "text", dir: "auto" });
  box(shown, text, state.answer);
  const name = [`${number + 1}.`, id ?? "", score === null ? "" : `score ${score}`].filter(Boolean).join(" ");
  return element("div", { className: "source" }, element("p", { className: "name" }, safe(name)), shown);
}

/** Holds one marked sentence against the documents: its words in them are shown, and those that none of them has. */
function choose(mark) {
  for (const one of document.querySelectorAll("#said mark")) one.classList.toggle("chosen", one === mark);
  const wanted = new Set(words(mark.textContent));
  const texts = state.answer.context.map(({ text }) => text ?? "");
  const known = new Set(texts.flatMap(words));
  mark.replaceChildren(...pieces(mark.textContent, (word) => !known.has(word), "absent"));
  const boxes = document.querySelectorAll("#documents .source .text");
  boxes.forEach((shown, number) => {
    if (texts[number]) fill(shown, texts[number]);
    for (const node of [...shown.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE)) {
      node.replaceWith(...pieces(node.data, (word) => wanted.has(word), "found-word"));
    }
  });
  const best = [...boxes].reduce((one, other) => (hits(other) > hits(one) ? other : one), boxes[0]);
  if (best && hits(best)) best.querySelector(".found-word").scrollIntoView({ block: "nearest" });
  const absent = [...wanted].filter((word) => !known.has(word)).length;
  $("against").textContent = `${absent} of ${wanted.size} words of the sentence are in no document`;
}

const hits = (shown) => shown.querySelectorAll(".found-word").length;
const isTelling = (word) => word.length > SHORT || /\p{N}/u.test(word);
const words = (text) => [...text.matchAll(WORD)].map(([word]) => word.toLowerCase()).filter(isTelling);

function pieces(text, isChosen, className) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(WORD)) {
    const word = match[0].toLowerCase();
    if (!isTelling(word) || !isChosen(word)) continue;
    found.push(text.slice(end, match.index), element("span", { className, textContent: match[0] }));
    end = match.index + match[0].length;
  }
  return [...found, text.slice(end)];
}

function scores(answer) {
  const verdicts = answer.evaluations.map((one) => row(one.verdict === "pass" ? "passed" : "failed",
    `${one.evaluator} ${one.evaluator_version}${one.by_judge ? ` (judge${one.sample === "shadow" ? ", does not count yet" : ""})` : ""}`,
    `${one.verdict} ${one.score.toFixed(2)}`, [one.explanation, ...one.quotes.map((quote) => `“${quote.slice(0, 500)}”`)].filter(Boolean).join(" ")));
  const failures = answer.failures.map((one) => row("failed", one.evaluator, "gave no verdict", `${one.reason}${one.detail ? `: ${one.detail}` : ""}`));
  const reasons = new Map();
  for (const { evaluator, reason } of answer.unscored) reasons.set(reason, [...(reasons.get(reason) ?? []), evaluator]);
  const unscored = [...reasons].map(([reason, some]) => row("", "not scored", reason.replaceAll("_", " "), some.join(", ")));
  return [...verdicts.sort((one, other) => (one.className === "failed" ? 0 : 1) - (other.className === "failed" ? 0 : 1)), ...failures, ...unscored];
}

function row(className, ...cells) {
  return element("tr", { className }, ...cells.map((text) => element("td", { dir: "auto" }, safe(String(text)))));
}

function rows(body, section, found) {
  $(section).hidden = !found.length;
  $(body).replaceChildren(...found.map((cells) => row("", ...cells)));
}

function tool({ name, arguments: given }) {
  const shown = element("div", { className: "text", dir: "auto" });
  fill(shown, typeof given === "string" ? given : JSON.stringify(given, null, 1));
  return element("div", {}, element("p", { className: "name" }, safe(name)), shown);
}

function showSteps({ review, trace_url: trace, question, answer, refusal }) {
  const hasText = (question ?? answer ?? refusal) !== null;
  $("send").hidden = !review.open || !hasText;
  $("trace").hidden = !trace;
  if (trace) $("trace").href = trace;
  $("review").textContent = { waiting: `waits in the review queue (${review.reason})`, done: "reviewed" }[review.state]
    ?? (review.open ? (hasText ? "" : "it cannot be reviewed: no text is stored") : "review is off (review.enabled)");
}

async function send() {
  await call("/api/review/send", { trace_id: state.answer.trace_id });
  await showAnswer(() => true);
}

// Hands

function step(by) {
  const links = [...document.querySelectorAll("#found a")];
  const at = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(at + by, links.length - 1))]?.focus();
}

function nextMark() {
  const marks = [...document.querySelectorAll("#said mark")];
  marks[(marks.findIndex((one) => one.classList.contains("chosen")) + 1) % marks.length]?.focus();
}

const back = () => go(state.query ? `/answers?${state.query}` : "/answers");

function pressed(event) {
  if (event.altKey || event.metaKey || event.ctrlKey || !$("sign-in").hidden) return;
  const typing = TYPING.has(event.target.tagName);
  if (event.key === "Escape" && typing) return event.target.blur();
  if (typing) return;
  const keys = $("list").hidden
    ? { Escape: back, m: nextMark, t: () => $("trace").hidden || $("trace").click(), r: () => $("send").hidden || attempt(send) }
    : { ArrowDown: () => step(1), ArrowUp: () => step(-1), j: () => step(1), k: () => step(-1), "/": () => $("text").focus() };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
}

document.addEventListener("keydown", pressed);
window.addEventListener("popstate", show);
$("home").addEventListener("click", opened);
$("filter").addEventListener("submit", (event) => { event.preventDefault(); const query = writtenFilter(); go(query ? `/answers?${query}` : "/answers"); });
$("clear").addEventListener("click", () => go("/answers"));
$("more").addEventListener("click", () => attempt((isCurrent) => search(isCurrent, state.next)));
$("send").addEventListener("click", () => attempt(send));
$("leave").addEventListener("click", () => { sessionStorage.clear(); location.reload(); });
$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", $("token").value.trim());
  $("token").value = "";
  show();
});
show();
