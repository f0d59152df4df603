// Conversations: list, open, begin, talk. What answers say of instances and limit goes to the two panels beside.
import { ask, hasKey, onAnswer, Refused, setKey } from "./api.js";
import { showAnswer } from "./gauge.js";
import { colourOf, countAnswer, shortName } from "./served.js";

const $ = id => document.getElementById(id);
let current = null;
let lastServed = null;

onAnswer(showAnswer);
onAnswer(countAnswer);
onAnswer(answer => { lastServed = answer; });

// --- who ------------------------------------------------------------------------------------------------------------------------

const dialog = $("enter");
dialog.addEventListener("cancel", e => e.preventDefault());
$("development").hidden = !["localhost", "127.0.0.1"].includes(location.hostname);
for (const button of document.querySelectorAll("[data-key]"))
  button.addEventListener("click", () => { $("key").value = button.dataset.key; $("enter-form").requestSubmit(); });

$("enter-form").addEventListener("submit", async e => {
  e.preventDefault();
  setKey($("key").value.trim());
  try {
    await refresh();
    dialog.close();
    greet();
  } catch (problem) {
    setKey("");
    $("key-problem").textContent = problem.status === 401 ? "Nobody has this key." : problem.message;
  }
});

$("leave").addEventListener("click", () => { setKey(""); location.reload(); });

function greet() {
  $("leave").hidden = false;
  $("content").focus();
}

// --- conversations --------------------------------------------------------------------------------------------------------------

async function refresh() {
  const { conversations } = await ask("GET", "/conversations");
  $("list-empty").hidden = conversations.length > 0;
  $("list").replaceChildren(...conversations.map(c => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = c.title || "Untitled";
    const small = document.createElement("small");
    small.textContent = `${c.message_count} messages · ${c.tokens} tokens`;
    button.append(small);
    if (c.id === current) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => attempt(() => open(c.id)));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
}

async function open(id) {
  const { messages } = await ask("GET", `/conversations/${id}`);
  current = id;
  $("messages").replaceChildren();
  for (const m of messages) add(m.role, m.content);
  toggleList(false);
  await refresh();
}

function begin() {
  current = null;
  $("messages").replaceChildren();
  for (const button of $("list").querySelectorAll("[aria-current]")) button.removeAttribute("aria-current");
  toggleList(false);
  $("content").focus();
}

async function say(content) {
  if (!current) {
    const { conversation } = await ask("POST", "/conversations", { title: content.slice(0, 60) });
    current = conversation.id;
  }
  const answer = await ask("POST", `/conversations/${current}/messages`, { content });
  add("assistant", answer.content, answer.usage);
  await refresh();
}

// --- the page -------------------------------------------------------------------------------------------------------------------

function add(role, text, usage) {
  const item = document.createElement("li");
  item.className = `message ${role}`;
  const body = document.createElement("div");
  body.className = "text";
  body.textContent = text;
  item.append(body);
  if (usage !== undefined && lastServed?.servedBy) item.append(by(lastServed, usage));
  $("messages").append(item);
  $("messages").scrollTop = $("messages").scrollHeight;
}

function by({ servedBy, upstream }, usage) {
  const line = document.createElement("div");
  line.className = `by ${colourOf(servedBy)}`;
  line.innerHTML = `<span class="dot"></span><span>served by <span class="mono"></span></span>`;
  line.querySelector(".mono").textContent = shortName(servedBy) + (upstream ? ` (${upstream})` : "");
  if (usage) line.append(` · ${usage.total_tokens} tokens`);
  return line;
}

function refuse(problem) {
  const item = document.createElement("li");
  item.className = "message assistant refused";
  const body = document.createElement("div");
  body.className = "text";
  body.setAttribute("role", "alert");
  body.textContent = problem.status === 429 ? `Held back: ${problem.message}` : problem.message;
  item.append(body);
  $("messages").append(item);
  $("messages").scrollTop = $("messages").scrollHeight;
}

async function attempt(action) {
  try {
    await action();
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    if (problem.status === 401) { setKey(""); dialog.showModal(); }
    else refuse(problem);
  }
}

function toggleList(open) {
  $("conversations").classList.toggle("open", open);
  $("conversations-toggle").setAttribute("aria-expanded", String(open));
}

$("conversations-toggle").addEventListener("click", () => toggleList(!$("conversations").classList.contains("open")));
$("begin").addEventListener("click", begin);

$("say").addEventListener("submit", async e => {
  e.preventDefault();
  const content = $("content").value.trim();
  if (!content) return;
  const button = e.target.querySelector("button");
  button.disabled = true;
  add("user", content);
  $("content").value = "";
  await attempt(() => say(content));
  button.disabled = false;
  $("content").focus();
});

$("content").addEventListener("keydown", e => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); $("say").requestSubmit(); }
});

$("burst").addEventListener("click", async e => {
  e.target.disabled = true;
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => ask("GET", "/conversations")));
  const held = outcomes.filter(o => o.status === "rejected" && o.reason.status === 429).length;
  e.target.textContent = held ? `${20 - held} passed, ${held} held back — again` : "All 20 passed — again";
  e.target.disabled = false;
});

if (hasKey()) {
  attempt(refresh).then(() => hasKey() && greet());
} else {
  dialog.showModal();
}
