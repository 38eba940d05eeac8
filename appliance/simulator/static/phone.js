// The phone: writes as a customer through /simulator/messages and follows the ledger through /simulator/events.
// Everything from outside is inserted as text, never as markup.

const texts = JSON.parse(document.body.dataset.texts);
const business = document.body.dataset.business;
const language = document.documentElement.lang;
const [log, empty, problem, composer, message, channel, contact] =
  ["log", "empty", "problem", "composer", "message", "channel", "contact"].map((id) => document.getElementById(id));

const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });
const symbols = { queued: "clock", sending: "clock", sent: "tick", delivered: "ticks", read: "ticks" };
const bubbles = new Map(); // sid → element
const fresh = new Map(); // sid → entry as told by events since the last load began
const unheard = new Set(); // sids whose webhook was not answered with success
const explains = "explains" in document.body.dataset; // the appliance beside this page says why it is silent
const PATIENCE = [0.5, 1, 1, 2, 3, 5, 10, 20]; // seconds between two looks for that
const EXPLAINED = 10; // messages of a conversation that is opened again
let lastDay = "";

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function icon(symbol) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${symbol}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

function customer() {
  const number = contact.value.trim();
  return channel.value.startsWith("whatsapp:") && !number.includes(":") ? `whatsapp:${number}` : number;
}

function concerns(entry) {
  const ends = [customer(), channel.value];
  return ends.includes(entry.from) && ends.includes(entry.to);
}

function mark(symbol, words, visibleWords = "") {
  const state = element("span", `state ${symbol}`);
  state.title = words;
  if (visibleWords) {
    state.append(icon(symbol), visibleWords);
  } else {
    state.setAttribute("role", "img");
    state.setAttribute("aria-label", words);
    state.append(icon(symbol));
  }
  return state;
}

function stateOf(entry) {
  if (entry.direction === "inbound") {
    return unheard.has(entry.sid) ? mark("alert", texts.unheard, texts.unheard) : mark("tick", texts.sent);
  }
  if (!(entry.status in symbols)) {
    const words = entry.error_code ? `${texts.failed} (${entry.error_code})` : texts.failed;
    return mark("alert", words, words);
  }
  const state = mark(symbols[entry.status], texts.statuses[entry.status]);
  state.classList.toggle("read", entry.status === "read");
  return state;
}

function attachment(item) {
  const kind = { image: "image", audio: "audio" }[item.content_type.split("/")[0]] ?? "file";
  const shown = element("span", `attachment ${kind}`);
  if (kind !== "file") shown.append(icon(kind === "image" ? "camera" : "wave"));
  shown.append(element("span", "", texts[kind]));
  return shown;
}

function fill(bubble, entry) {
  const mine = entry.direction === "inbound";
  bubble.className = `bubble ${mine ? "mine" : "theirs"}`;
  bubble.dataset.sid = entry.sid;
  bubble.dataset.status = entry.status;
  const meta = element("span", "meta");
  const time = element("time", "", clock.format(entry.date_created));
  time.dateTime = new Date(entry.date_created).toISOString();
  meta.append(time, stateOf(entry));
  bubble.replaceChildren(
    element("span", "speaker", `${mine ? texts.you : business}: `),
    ...entry.media.map(attachment),
    ...(entry.body ? [element("span", "body", entry.body)] : []),
    meta,
  );
}

function addDay(entry) {
  const day = calendar.format(entry.date_created);
  if (day !== lastDay) log.append(element("p", "day", day));
  lastDay = day;
}

function show(entry) {
  if (!concerns(entry)) return;
  const known = bubbles.get(entry.sid);
  if (known) {
    // Only the state changes: rewriting the text would make a screen reader say it again.
    known.dataset.status = entry.status;
    known.querySelector(".state").replaceWith(stateOf(entry));
    return;
  }
  addDay(entry);
  const bubble = element("article", "");
  fill(bubble, entry);
  bubbles.set(entry.sid, bubble);
  log.append(bubble);
  empty.hidden = true;
  log.scrollTop = log.scrollHeight;
}

// Say below a customer's message why nobody answers it.
async function explain(sid) {
  for (const seconds of explains ? PATIENCE : []) {
    await new Promise((done) => setTimeout(done, seconds * 1000));
    const bubble = bubbles.get(sid);
    if (!bubble) return;
    const response = await fetch(`/simulator/messages/${encodeURIComponent(sid)}/silence`);
    const { silence } = await response.json();
    if (!silence) continue;
    if (!bubble.querySelector(".silence")) {
      const words = texts.silences[silence.reason] ?? silence.words;
      bubble.append(element("span", "silence", `${texts.unanswered}: ${words}`));
      log.scrollTop = log.scrollHeight;
    }
    return;
  }
}

function explainAll(entries) {
  const written = entries.filter((entry) => entry.direction === "inbound" && bubbles.has(entry.sid));
  written.slice(-EXPLAINED).forEach((entry) => explain(entry.sid).catch(() => {}));
}

async function load() {
  fresh.clear();
  const response = await fetch(`/simulator/messages?contact=${encodeURIComponent(customer())}`);
  const entries = new Map((await response.json()).map((entry) => [entry.sid, entry]));
  fresh.forEach((entry, sid) => entries.set(sid, entry)); // may be newer than the list
  bubbles.clear();
  lastDay = "";
  log.replaceChildren();
  empty.hidden = false;
  entries.forEach(show);
  explainAll([...entries.values()]);
  complain("");
}

function complain(words) {
  problem.textContent = words;
  problem.hidden = !words;
}

async function send(body, media = []) {
  const response = await fetch("/simulator/messages", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from: customer(), to: channel.value, body, media }),
  });
  const { sid, status } = await response.json();
  if (status === null || status >= 300) unheard.add(sid);
  if (unheard.has(sid) || !bubbles.has(sid)) await load();
}

function trySend(body, media) {
  return send(body, media).catch(() => complain(texts.offline));
}

composer.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = message.value;
  if (!body.trim()) return;
  message.value = "";
  await trySend(body);
  if (!problem.hidden && !message.value) message.value = body;
});

message.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

for (const button of document.querySelectorAll("[data-media]")) {
  button.addEventListener("click", () => trySend("", [{ content_type: button.dataset.media }]));
}
for (const button of document.querySelectorAll("[data-question]")) {
  button.addEventListener("click", () => trySend(button.textContent));
}

document.querySelector(".ends").addEventListener("submit", (event) => event.preventDefault());
for (const end of [channel, contact]) {
  end.addEventListener("change", () => {
    localStorage.setItem(end.id, end.value);
    load().catch(() => complain(texts.offline));
  });
  const chosen = localStorage.getItem(end.id);
  if (chosen && (end === contact || [...channel.options].some((option) => option.value === chosen))) end.value = chosen;
}

const events = new EventSource("/simulator/events");
// The list is read after each (re)connection, so nothing between two connections is missed.
events.addEventListener("open", () => load().catch(() => complain(texts.offline)));
events.addEventListener("error", () => complain(texts.offline));
events.addEventListener("message", (event) => {
  const entry = JSON.parse(event.data);
  const isNew = !bubbles.has(entry.sid);
  fresh.set(entry.sid, entry);
  show(entry);
  if (isNew) explainAll([entry]);
});
