// The review page: claims, shows and labels. What models and users wrote reaches the document through textContent alone.

import { $, SHOWN, TYPING, call as asking, element, fill, isRefused, safe } from "./page.js";

const state = { item: null, answers: [], current: 0, revealed: false, until: null, work: Promise.resolve() };

function say(text) {
  $("message").textContent = text;
}

// The server

async function call(path, body) {
  try {
    return await asking(path, body && { reviewer: name(), ...body });
  } catch (error) {
    if (isRefused(error)) askWho();
    throw error;
  }
}

/** One thing after the other, however fast somebody types; what goes wrong is said, and nothing that was typed is lost. */
function then(work) {
  state.work = state.work.then(async () => {
    try {
      await work();
    } catch (error) {
      say(error.message);
      if (error.status === 404 || error.status === 409) state.revealed = true; // lost: only the next item is left
      steps();
    }
  });
}

const name = () => sessionStorage.getItem("reviewer") ?? "";

// Steps

function askWho() {
  $("sign-in").hidden = false;
  $("item").hidden = $("verdict").hidden = true;
  $("name").value = name();
  $("name").focus();
}

async function next() {
  const reason = $("queue").value;
  const { item } = await call("/api/review/claim", reason ? { reason } : {});
  say("");
  show(item);
  count().catch(({ message }) => say(message));
}

async function count() {
  const { enabled, queues } = await call("/api/review");
  const sum = (key) => queues.reduce((total, queue) => total + queue[key], 0);
  const open = sum("waiting") + sum("disputed");
  $("counts").textContent = `${open} waiting · ${sum("claimed")} claimed · ${sum("done")} done`;
  const known = new Set([...$("queue").options].map((option) => option.value));
  for (const { reason } of queues) if (!known.has(reason)) $("queue").append(element("option", { value: reason, textContent: reason }));
  if (!state.item) say(enabled || open ? "Nothing waits for you. This page looks again every few seconds." : "Review is off: set review.enabled in the config.");
}

function show(item) {
  Object.assign(state, { item, revealed: false, current: 0, answers: [] });
  $("item").hidden = $("verdict").hidden = !item;
  $("revealed").hidden = true;
  state.until = item?.claim_seconds ? performance.now() + item.claim_seconds * 1000 : null;
  if (!item) return;
  $("instructions").textContent = item.instructions;
  fill($("question"), item.question);
  fill($("answer"), item.answer, item.unsupported);
  const marked = $("answer").querySelectorAll("mark").length;
  $("marks").textContent = marked ? `marked: words of ${marked === 1 ? "this sentence are" : "these sentences are"} in no document` : "";
  const facts = [item.app, item.route, item.finish_reason && `ended by ${item.finish_reason}`, item.tools.length && `tools: ${item.tools.join(", ")}`];
  $("facts").replaceChildren(safe(facts.filter(Boolean).join(" · ")));
  $("documents").hidden = !item.context.length;
  $("context").replaceChildren(...item.context.map(source));
  $("corrected").value = "";
  $("correcting").open = false;
  ask(item);
  if (item.revealed) reveal(item.revealed);
  steps();
  window.scrollTo(0, 0);
}

function source({ id, text }, number) {
  const box = element("div", { className: "text", dir: "auto" });
  fill(box, text);
  return element("div", {}, element("p", { className: "name" }, `${number + 1}. `, safe(id ?? "")), box);
}

function ask(item) {
  state.answers = item.ask.map(({ evaluator, question }, number) => {
    const pass = element("button", { type: "button", className: "pass", textContent: "Pass" });
    const fail = element("button", { type: "button", className: "fail", textContent: "Fail" });
    const note = element("input", { placeholder: "note", maxLength: 10000, dir: "auto", ariaLabel: `Note on ${evaluator}` });
    const text = element("span", { className: "ask" }, question, " ", element("span", { className: "evaluator", textContent: evaluator }));
    const row = element("div", { className: "asked" }, text, pass, fail, note);
    const answer = { evaluator, row, note, buttons: { pass, fail }, verdict: null };
    for (const verdict of ["pass", "fail"]) answer.buttons[verdict].addEventListener("click", () => { focusOn(number); decide(verdict); });
    note.addEventListener("focus", () => focusOn(number));
    return answer;
  });
  $("asked").replaceChildren(...state.answers.map(({ row }) => row));
  focusOn(0);
}

function focusOn(number) {
  state.current = Math.max(0, Math.min(number, state.answers.length - 1));
  state.answers.forEach(({ row, buttons, verdict }, index) => {
    row.classList.toggle("current", index === state.current && !state.revealed);
    for (const [one, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", String(one === verdict));
  });
}

function decide(verdict) {
  const answer = state.answers[state.current];
  if (!answer || state.revealed) return;
  answer.verdict = verdict;
  const open = state.answers.findIndex((one) => !one.verdict);
  focusOn(open < 0 ? state.current : open);
}

function steps() {
  for (const id of ["submit", "skip", "release"]) $(id).hidden = state.revealed;
  $("asked").hidden = $("correcting").hidden = state.revealed;
  $("next").hidden = !state.revealed;
  focusOn(state.current);
  if (state.revealed) $("next").focus();
  else document.activeElement?.blur();
}

const forward = () => (state.revealed || !state.item ? next() : submit());

async function submit() {
  const given = state.answers.filter(({ verdict }) => verdict);
  const corrected = $("corrected").value;
  if (!given.length && !corrected) return say("Say pass or fail to one question at least, correct the answer, or skip.");
  const labels = Object.fromEntries(given.map(({ evaluator, verdict, note }) => [evaluator, { verdict, note: note.value }]));
  const said = await call("/api/review/label", { trace_id: state.item.trace_id, labels, ...(corrected && { corrected }) });
  say("");
  reveal(said.item.revealed);
  steps();
  count().catch(({ message }) => say(message));
}

async function giveUp(action) {
  await call(`/api/review/${action}`, { trace_id: state.item.trace_id });
  if (action === "skip") return next();
  show(null);
  say("Given back. Press Enter for the next one.");
  state.revealed = true;
  $("verdict").hidden = false;
  steps();
}

function reveal(found) {
  state.revealed = true;
  const line = (who, what, verdict, more) => element("tr", {},
    element("td", {}, safe(who)), element("td", {}, safe(what)),
    element("td", { className: verdict === "pass" ? "good" : "bad", textContent: verdict }), element("td", {}, safe(more)));
  const same = (reviewer) => reviewer.trim().toLowerCase() === name().trim().toLowerCase();
  const said = (labels, who) => labels.flatMap(({ reviewer, answers }) => answers.map((one) => line(who ?? reviewer, one.evaluator, one.verdict, one.note)));
  const people = said(found.labels.filter(({ reviewer }) => !same(reviewer)));
  const mine = said(found.labels.filter(({ reviewer }) => same(reviewer)), "you");
  const machines = found.evaluations.map((one) => line("llmq", one.evaluator, one.verdict, `${one.score.toFixed(2)} ${one.explanation.slice(0, 500)}`));
  const users = found.signals.length ? ` Its user: ${found.signals.join(", ")}.` : "";
  const standing = found.done ? "Done." : found.disputed.length ? "People differ: somebody else decides." : "Saved; more people look at it.";
  $("revealed").replaceChildren(
    element("h2", { textContent: "What others say" }),
    element("p", {}, safe(`${standing} It was here because of: ${found.why.join(", ")}.${users}`)),
    ...found.comments.map((comment) => element("p", { className: "text", dir: "auto" }, safe(comment.slice(0, SHOWN)))),
    element("table", {}, element("tbody", {}, ...people, ...machines)),
    element("h2", { textContent: "What you said" }),
    element("table", {}, element("tbody", {}, ...mine)));
  $("revealed").hidden = false;
  requestAnimationFrame(() => $("revealed").scrollIntoView({ block: "nearest" }));
}

function tick() {
  if (!state.until || state.revealed) return void ($("clock").textContent = "");
  const left = Math.round((state.until - performance.now()) / 1000);
  $("clock").textContent = left > 0 ? (left < 120 ? `yours for ${left} s` : "") : "your claim ran out; save quickly, or it may be somebody else's";
}

// Hands

function pressed(event) {
  if ($("help").open || $("sign-in").hidden === false || event.altKey || event.metaKey) return;
  const typing = TYPING.has(event.target.tagName);
  if (event.key === "?" && !typing) {
    event.preventDefault();
    return $("help").showModal();
  }
  if (event.key === "Escape" && typing) return event.target.blur();
  if (event.key === "Enter" && (event.ctrlKey || !typing) && event.target.tagName !== "SUMMARY") {
    if (event.target.tagName === "BUTTON" && !["submit", "next"].includes(event.target.id)) return;
    event.preventDefault();
    return event.repeat || then(forward);
  }
  if (typing || event.ctrlKey || event.repeat) return;
  const keys = {
    p: () => decide("pass"),
    f: () => decide("fail"),
    ArrowDown: () => focusOn(state.current + 1),
    ArrowUp: () => focusOn(state.current - 1),
    n: () => state.answers[state.current]?.note.focus(),
    c: () => { $("correcting").open = true; $("corrected").focus(); },
    s: () => then(() => giveUp("skip")),
    r: () => then(() => giveUp("release")),
  };
  if (!keys[event.key] || !state.item || state.revealed) return;
  event.preventDefault();
  keys[event.key]();
}

async function start() {
  $("sign-in").hidden = true;
  $("who").textContent = name();
  $("leave").hidden = false;
  await next();
}

document.addEventListener("keydown", pressed);
$("verdict").addEventListener("submit", (event) => { event.preventDefault(); then(forward); });
$("next").addEventListener("click", () => then(next));
$("skip").addEventListener("click", () => then(() => giveUp("skip")));
$("release").addEventListener("click", () => then(() => giveUp("release")));
$("queue").addEventListener("change", () => { $("queue").blur(); if (!state.item || state.revealed) then(next); });
$("leave").addEventListener("click", () => { sessionStorage.clear(); location.reload(); });
$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("reviewer", $("name").value.trim());
  if ($("token").value) sessionStorage.setItem("token", $("token").value.trim());
  $("token").value = "";
  then(start);
});
setInterval(tick, 1000);
setInterval(() => { if (name() && !state.item && !state.revealed && $("sign-in").hidden) then(next); }, 5000);
if (name()) then(start);
else askWho();
