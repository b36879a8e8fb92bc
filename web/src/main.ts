// The page comes alive: clock, list and globe show one moment together.

import { read } from "./data";
import { createGlobe, type Globe } from "./globe";
import { createPanel } from "./panel";
import { createPlayer } from "./player";
import { type Colour, DARK, LIGHT } from "./style";
import { onLanguage, plain, say, WORDS, type Said } from "./words";

// The page opens one minute before the first impact: late enough to see all of it, early enough to matter.
const OPENING_S = 60;

const data = read(document.getElementById("data")!.textContent!);
let globe: Globe | undefined;

const language = navigator.languages.map((l) => l.split("-")[0]).find((l) => document.getElementById(`see-${l}`));
if (language) (document.getElementById(`see-${language}`) as HTMLInputElement).checked = true;

const panel = createPanel(data, (time) => {
  player.seek(time);
  document.getElementById("map")!.scrollIntoView({ block: "nearest" });
});
const player = createPlayer(document.getElementById("player")!, data, (time) => {
  panel.show(time);
  globe?.show(time);
});
try {
  globe = createGlobe(document.getElementById("globe")!, data);
  document.getElementById("globe-note")!.remove();
} catch (error) {
  console.warn(error);
  document.getElementById("globe-note")!.replaceChildren(say(WORDS.failed));
  document.getElementById("map")!.classList.add("failed");
}
if (globe) {
  const views = document.getElementById("views")!;
  views.append(
    button(WORDS.whole, globe.whole), button(WORDS.warned, globe.warned),
    button(WORDS.closer, () => globe!.zoom(1), "+"), button(WORDS.farther, () => globe!.zoom(-1), "\u2212"),
  );
  const compass = button(WORDS.north, globe.north, " ");
  compass.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path class="needle" d="M12 2l4.5 10h-9z"/><path d="M12 22l-4.5-10h9z"/></svg>';
  globe.onTurn((bearing) => ((compass.firstElementChild as SVGElement).style.rotate = `${-bearing}deg`));
  views.append(compass);
  document.getElementById("legend")!.append(legend());
  onLanguage(() => globe!.relabel());
}
player.seek(data.impact === null ? data.length : Math.max(0, data.impact - OPENING_S));

function button(words: Said, act: () => void, sign?: string): HTMLButtonElement {
  const element = Object.assign(document.createElement("button"), { type: "button" });
  if (sign) {
    element.textContent = sign;
    element.className = "sign";
    onLanguage(() => (element.ariaLabel = element.title = plain(words)));
  } else {
    element.append(say(words));
  }
  element.addEventListener("click", act);
  return element;
}

function legend(): HTMLElement {
  const out = document.createElement("details");
  const name = document.createElement("summary");
  name.append(say(WORDS.key));
  const list = document.createElement("ul");
  const prepared = data.messages.some((m) => m.stage === "prepare");
  const released = data.releases.length ? (["release"] as const) : [];
  const decaying = data.windows.length ? (["window"] as const) : [];
  const keys = ["alert", ...(prepared ? (["ready"] as const) : []), "area", ...released, ...decaying, "clear", "impact", "sensor"] as const;
  for (const key of keys) list.append(entry(`swatch ${key}`, WORDS[key]));
  (["boost", "coast", "reentry", "other"] as const).forEach((key, i) => {
    const item = entry("swatch path", WORDS[key]);
    const hex = (colour: Colour) => `rgb(${colour.join(" ")})`;
    (item.firstChild as HTMLElement).style.background = `light-dark(${hex(LIGHT.phases[i]!)}, ${hex(DARK.phases[i]!)})`;
    list.append(item);
  });
  out.append(name, list);
  return out;
}

function entry(name: string, words: Said): HTMLLIElement {
  const item = document.createElement("li");
  item.append(Object.assign(document.createElement("i"), { className: name }), say(words));
  return item;
}
