// The list beside the globe: marks what is in force at the chosen moment and says so on top and aloud.

import type { Data, Message } from "./data";
import { chosen, languages, relative, say, WORDS } from "./words";

export interface Panel {
  show: (time: number) => void;
}

/** Messages that are the word at a moment. */
export const standing = (data: Data, time: number): Message[] =>
  data.messages.filter((m) => m.sent <= time && time < m.until);

/** `jump` is called with the moment of a message when its button is pressed. */
export function createPanel(data: Data, jump: (time: number) => void): Panel {
  const now = document.getElementById("now")!;
  const spoken = document.getElementById("spoken")!;
  const items = data.messages.map((_, i) => document.getElementById(`m${i}`)!);
  const states = items.map((item, i) => {
    const state = Object.assign(document.createElement("span"), { className: "state" });
    item.querySelector(".when")!.append(state);
    const show = Object.assign(document.createElement("button"), { type: "button", className: "jump" });
    show.append(say(WORDS.show));
    show.addEventListener("click", () => jump(data.messages[i]!.sent));
    item.querySelector("article")!.append(show);
    return state;
  });
  const countdown = Object.assign(document.createElement("p"), { className: "countdown" });
  let shown = "?";
  let sentBefore = Infinity; // nothing is read aloud when the page opens

  /** The list scrolls with the clock where it has a scroll bar of its own, unless someone is reading in it. */
  function follow(time: number): void {
    const log = document.getElementById("log")!;
    if (getComputedStyle(log).overflowY !== "auto" || log.matches(":hover, :focus-within")) return;
    const sent = data.messages.flatMap((m, i) => (m.sent <= time ? [items[i]!] : []));
    const newest = sent.reduce<HTMLElement | null>((a, b) => (a && a.offsetTop < b.offsetTop ? a : b), null);
    log.scrollTop = newest ? newest.offsetTop - log.offsetTop - 8 : log.scrollHeight;
  }

  function mark(time: number): void {
    let changed = false;
    items.forEach((item, i) => {
      const message = data.messages[i]!;
      const state = time < message.sent ? "later" : time < message.until ? "inForce" : "over";
      if (item.dataset.state === state) return;
      item.dataset.state = state;
      changed = true;
      states[i]!.replaceChildren(say(WORDS[state]));
    });
    if (changed) follow(time);
  }

  function top(time: number): void {
    const current = standing(data, time).sort((a, b) => a.due - b.due); // what comes first stands first
    const warnings = current.filter((m) => m.stage === "take-cover");
    const readies = current.filter((m) => m.stage === "prepare");
    const said = warnings.length || readies.length ? [...warnings, ...readies] : current;
    const key = said.map((m) => m.id).join(" ");
    if (key !== shown) {
      shown = key;
      now.replaceChildren(...said.map((m) => copy(items[data.messages.indexOf(m)]!, m)));
      now.classList.toggle("danger", warnings.length > 0);
      now.classList.toggle("ready", !warnings.length && readies.length > 0);
      if (!said.length) {
        const calm = Object.assign(document.createElement("p"), { className: "calm" });
        calm.append(say(WORDS.none));
        now.append(calm);
      }
      now.querySelector("h2, .calm")!.after(countdown);
    }
    const counts = data.impact !== null && (warnings.length > 0 || readies.length > 0 || time <= data.impact);
    countdown.replaceChildren(...(counts ? [say(relative(time, data.impact!))] : []));
  }

  /** What the list says of a message, in short: headline, towns, what to do. */
  function copy(item: HTMLElement, message: Message): HTMLElement {
    const out = Object.assign(document.createElement("div"), { className: `current ${message.stage}` });
    const heading = document.createElement("h2");
    heading.append(...item.querySelector("h3")!.cloneNode(true).childNodes);
    heading.querySelector(".kind")?.remove();
    out.append(heading, ...[...item.querySelectorAll(".do, .who")].map((e) => e.cloneNode(true)));
    out.querySelector(".do")?.after(...out.querySelectorAll(".who"));
    return out;
  }

  function speak(time: number): void {
    const sent = data.messages.filter((m) => m.sent <= time).length;
    if (sent > sentBefore) {
      const newest = data.messages.filter((m) => m.sent <= time).reduce((a, b) => (b.sent >= a.sent ? b : a));
      const heading = items[data.messages.indexOf(newest)]!.querySelector("h3")!;
      const language = chosen() || languages()[0] || "en";
      const parts = heading.querySelectorAll<HTMLElement>(`[data-for="${CSS.escape(language)}"]`);
      spoken.lang = language;
      spoken.textContent = [...parts].map((part) => part.textContent).join(". ");
    }
    sentBefore = sent;
  }

  return {
    show(time) {
      top(time);
      mark(time);
      speak(time);
    },
  };
}
