// The clock of the page: a slider, play and pause, speed, and steps from message to message.

import type { Data } from "./data";
import { chosen, clock, inLanguage, onLanguage, plain, relative, say, WORDS, type Said } from "./words";

const SPEEDS = [1, 5, 10, 20, 40, 80, 160, 320];
const PLAY_TIME_S = 60; // an event should pass in about a minute unless told otherwise
const FRAME_MS = 120; // 8 Hz: what the globe draws in time even without a graphics card

export interface Player {
  seek: (time: number) => void;
}

/** Builds the controls inside `root`; `show` is called with the time (s since start) whenever it changes. */
export function createPlayer(root: HTMLElement, data: Data, show: (time: number) => void): Player {
  const length = Math.max(1, Math.ceil(data.length));
  let time = 0;
  let playing = false;
  let frame = 0;
  let last = 0;

  const utc = make("output", "utc");
  const gap = make("span", "gap");
  const play = button("play", WORDS.play, () => (playing ? pause() : start()));
  const before = button("step", WORDS.previous, () => step(-1));
  const after = button("step", WORDS.next, () => step(1));
  const slider = Object.assign(document.createElement("input"), { type: "range", min: "0", step: "1", max: String(length) });
  const speed = document.createElement("select");
  const marks = make("div", "marks");
  const track = make("div", "track");
  const tempo = make("label", "speed");
  const heading = make("p", "clock");
  const controls = make("div", "controls");

  before.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 5h3v14H5zM20 5v14L9 12z"/></svg>';
  after.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M16 5h3v14h-3zM4 5v14l11-7z"/></svg>';
  for (const value of SPEEDS) speed.add(new Option(`${value}\u00d7`, String(value)));
  const wanted = length / PLAY_TIME_S;
  speed.value = String(SPEEDS.reduce((a, b) => (Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a)));
  marks.ariaHidden = "true";
  for (const message of data.messages) marks.append(mark(message.sent, message.stage));
  for (const impact of data.impacts) marks.append(mark(impact.time, "impact"));
  const tempoName = make("span", "aside");
  tempoName.append(say(WORDS.speed));
  tempo.append(tempoName, speed);
  track.append(marks, slider);
  heading.append(utc, gap);
  controls.append(play, before, after, tempo);
  root.append(heading, track, controls);

  slider.addEventListener("input", () => {
    pause();
    set(Number(slider.value));
  });
  onLanguage(() => {
    slider.ariaLabel = plain(WORDS.time);
    for (const [element, words] of [[before, WORDS.previous], [after, WORDS.next]] as const) {
      element.ariaLabel = element.title = plain(words);
    }
    label();
  });
  face();

  function mark(at: number, kind: string): HTMLElement {
    const element = make("i", kind);
    element.style.left = `${Math.min(100, Math.max(0, (100 * at) / length))}%`;
    return element;
  }

  function step(direction: 1 | -1): void {
    pause();
    const times = data.messages.map((m) => m.sent).sort((a, b) => a - b);
    const found = direction > 0 ? times.find((t) => t > time + 0.5) : times.findLast((t) => t < time - 0.5);
    set(found ?? (direction > 0 ? length : 0));
  }

  function start(): void {
    if (time >= length) set(0);
    playing = true;
    last = performance.now();
    face();
    frame = window.setTimeout(tick, FRAME_MS);
  }

  function pause(): void {
    playing = false;
    window.clearTimeout(frame);
    face();
  }

  function tick(): void {
    const now = performance.now();
    const passed = ((now - last) / 1000) * Number(speed.value);
    last = now;
    set(time + passed);
    if (time >= length) pause();
    else if (playing) frame = window.setTimeout(tick, FRAME_MS);
  }

  function face(): void {
    const icon = playing ? "M6 5h4v14H6zM14 5h4v14h-4z" : "M7 4v16l13-8z";
    play.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${icon}"/></svg>`;
    play.append(say(playing ? WORDS.pause : WORDS.play));
  }

  function set(value: number): void {
    time = Math.min(length, Math.max(0, value));
    slider.value = String(Math.round(time));
    label();
    show(time);
  }

  function label(): void {
    utc.value = clock(data.start, time);
    const said: Said | null = data.impact === null ? null : relative(time, data.impact);
    gap.replaceChildren(...(said ? [say(said)] : []));
    slider.setAttribute("aria-valuetext", [utc.value, said && inLanguage(said, chosen() || "en")].filter(Boolean).join(", "));
  }

  return { seek: (at) => { pause(); set(at); } };
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, name: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = name;
  return element;
}

function button(name: string, words: Said, act: () => void): HTMLButtonElement {
  const element = make("button", name);
  element.type = "button";
  element.append(say(words));
  element.addEventListener("click", act);
  return element;
}
