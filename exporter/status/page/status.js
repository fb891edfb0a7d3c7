// The status page: what comes in, what is captured, what scores, what is wrong now.

import { $, call, element, isRefused, safe } from "./page.js";

const EVERY = 10_000; // milliseconds between two looks

function cells(kind, texts) {
  return element("tr", {}, ...texts.map((text) => (text instanceof Node ? text : element(kind, { dir: "auto" }, safe(String(text))))));
}

function table(id, heads, rows) {
  $(id).replaceChildren(element("thead", {}, cells("th", heads)), element("tbody", {}, ...rows.map((row) => cells("td", row))));
}

const ago = (seconds) => (seconds < 90 ? `${Math.max(0, Math.round(seconds))} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min`
  : seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`);
const percent = (part, whole) => (part === whole ? "all" : part === 0 ? "none" : `${Math.max(1, Math.min(99, Math.round((100 * part) / whole)))} %`);

function show(said) {
  document.querySelector("main").hidden = false;
  $("version").textContent = `version ${said.version}, ${said.kernels}`;
  const { answers, sources, scored, wrong } = said;
  $("state").replaceChildren(element("strong", { className: wrong.length ? "bad" : "good", textContent: wrong.length ? `${wrong.length} to mend` : "Nothing is wrong" }),
    answers ? `. The last ${answers.toLocaleString()} answers came in ${ago(said.now - said.since)}, the last one ${ago(said.now - Math.max(...sources.map(({ last_at: at }) => at)))} ago.` : ".");
  $("wrong").replaceChildren(...wrong.map((text) => element("li", { dir: "auto" }, safe(text))));
  for (const id of ["incoming", "scoring"]) $(id).hidden = !answers;
  $("start").hidden = Boolean(answers);
  if (answers) {
    table("sources", ["App", "Answers", "Last", "Instrumentation", ...sources[0].captured.map(({ what }) => what)], sources.map((source) => [
      link(source.app, `/answers?${new URLSearchParams({ app: source.app })}`), source.answers, `${ago(said.now - source.last_at)} ago`,
      source.instrumentations.join(", "), ...source.captured.map((one) => captured(one, source.answers))]));
    table("scored", ["Evaluator", "Passed", "Failed", "Not scored, and why", "Broke"], scored.map((one) => [
      one.evaluator, one.passed, one.failed ? link(one.failed, `/answers?${new URLSearchParams({ evaluator: one.evaluator, verdict: "fail" })}`) : 0,
      reasons(one.unscored), reasons(one.failures)]));
  }
  table("settings", ["", "Now", "Setting"], said.settings.map(({ what, is, setting }) => [what, is, setting]));
  $("grpc").textContent = `OTLP over gRPC: ${said.grpc}.`;
  $("variables").textContent = `OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nOTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_AND_EVENT`;
  $("curl").textContent = `curl ${location.origin}/v1/interactions -H 'Content-Type: application/json' -d '{"app": "shop", "route": "/ask", "question": "Refunds?", "answer": "I cannot help with that."}'`;
}

function captured({ answers, cure }, whole) {
  return element("td", { className: answers < whole ? "gap" : "", title: answers < whole ? cure : "", textContent: percent(answers, whole) });
}

const reasons = (counts) => Object.entries(counts).map(([reason, count]) => `${count} ${reason.replaceAll("_", " ")}`).join(", ");
const link = (text, href) => element("td", {}, element("a", { href }, safe(String(text))));

async function look() {
  try {
    show(await call("/api/status"));
    $("sign-in").hidden = true;
    $("message").textContent = "";
  } catch (error) {
    if (isRefused(error)) {
      document.querySelector("main").hidden = true;
      $("sign-in").hidden = false;
    }
    $("message").textContent = isRefused(error) && !sessionStorage.getItem("token") ? "" : error.message;
  }
  $("leave").hidden = !sessionStorage.getItem("token");
}

$("leave").addEventListener("click", () => { sessionStorage.clear(); location.reload(); });
$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", $("token").value.trim());
  $("token").value = "";
  look();
});
setInterval(() => { if ($("sign-in").hidden && !document.hidden) look(); }, EVERY);
look();
