// Words that only the script needs; those of the list come from Python (formats/map_words.py).

export type Said = Record<string, string>;

export const WORDS = {
  play: { en: "Play", uk: "Відтворити" },
  pause: { en: "Pause", uk: "Пауза" },
  previous: { en: "Previous message", uk: "Попереднє повідомлення" },
  next: { en: "Next message", uk: "Наступне повідомлення" },
  speed: { en: "Speed", uk: "Швидкість" },
  time: { en: "Time", uk: "Час" },
  show: { en: "Show on the map", uk: "Показати на карті" },
  later: { en: "not sent yet at this moment", uk: "на цю мить ще не надіслано" },
  over: { en: "no longer in force", uk: "вже не чинне" },
  inForce: { en: "in force", uk: "чинне" },
  none: { en: "No warning in force", uk: "Немає чинних попереджень" },
  first: { en: "First warning", uk: "Перше попередження" },
  people: { en: "people", uk: "осіб" },
  whole: { en: "Whole event", uk: "Уся подія" },
  warned: { en: "Warned area", uk: "Територія попередження" },
  closer: { en: "Zoom in", uk: "Наблизити" },
  farther: { en: "Zoom out", uk: "Віддалити" },
  north: { en: "North up, from above", uk: "Північ угорі, вигляд зверху" },
  failed: {
    en: "The map cannot be drawn here (it needs WebGL 2). The warnings are complete without it.",
    uk: "Тут карту показати неможливо (потрібен WebGL 2). Попередження повні й без неї.",
  },
  fingers: { en: "Use two fingers to move the map", uk: "Рухайте карту двома пальцями" },
  key: { en: "Key", uk: "Позначення" },
  alert: { en: "take cover", uk: "в укриття" },
  clear: { en: "all clear", uk: "відбій" },
  ready: { en: "be ready", uk: "будьте напоготові", pl: "bądź w gotowości", de: "bereithalten", fr: "se tenir prêt", ar: "استعدوا" },
  area: { en: "predicted impact area (99 %)", uk: "прогноз місця падіння (99 %)" },
  window: { en: "decaying orbit: may come down along this line (90 %)", uk: "орбіта згасає: може впасти вздовж цієї лінії (90 %)" },
  release: {
    en: "bodies that it may still release would come down within this line (99 %)",
    uk: "те, що від нього ще може відокремитися, впало б у межах цієї лінії (99 %)",
  },
  boost: { en: "ascent", uk: "розгін" },
  coast: { en: "flight", uk: "політ" },
  reentry: { en: "descent", uk: "зниження" },
  other: { en: "aircraft, satellites", uk: "літаки, супутники" },
  impact: { en: "came down here", uk: "упало тут" },
  sensor: { en: "sensor and its view", uk: "датчик і його огляд" },
  before: { en: "{span} before the first impact", uk: "{span} до першого падіння" },
  after: { en: "{span} after the first impact", uk: "{span} після першого падіння" },
  at: { en: "first impact", uk: "перше падіння" },
  min: { en: "min", uk: "хв" },
  s: { en: "s", uk: "с" },
  h: { en: "h", uk: "год" },
} satisfies Record<string, Said>;

/** The chosen language, or "" for all at once. */
export function chosen(): string {
  return document.querySelector<HTMLInputElement>("input[name=language]:checked")?.value ?? "";
}

/** Languages of the page, in order. */
export const languages = (): string[] =>
  [...document.querySelectorAll<HTMLInputElement>("input[name=language]")].map((i) => i.value).filter(Boolean);

const base = (language: string): string => language.split("-")[0] ?? "en";
export const inLanguage = (said: Said, language: string): string => said[base(language)] ?? said.en ?? "";

/** Plain text in the chosen language (English where all are shown), for labels that hold no elements. */
export const plain = (said: Said): string => inLanguage(said, chosen() || "en");

/** Text in every language of the page; the style sheet shows the chosen one. */
export function say(said: Said, tag = "span"): DocumentFragment {
  const out = document.createDocumentFragment();
  for (const language of languages()) {
    const element = document.createElement(tag);
    element.dataset.for = language;
    element.lang = said[base(language)] ? language : "en";
    element.textContent = inLanguage(said, language);
    out.append(element);
  }
  return out;
}

/** Calls back now and whenever another language is chosen. */
export function onLanguage(callback: () => void): void {
  document.querySelector(".languages")?.addEventListener("change", callback);
  callback();
}

function span(seconds: number, language: string): string {
  const whole = Math.round(Math.abs(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  const unit = (key: "h" | "min" | "s") => inLanguage(WORDS[key], language);
  if (h) return `${h}\u00a0${unit("h")} ${two(m)}\u00a0${unit("min")}`;
  if (m) return `${m}\u00a0${unit("min")} ${two(s)}\u00a0${unit("s")}`;
  return `${s}\u00a0${unit("s")}`;
}

/** "4 min 10 s before the first impact", in every language of the page. */
export function relative(time: number, impact: number): Said {
  const gap = Math.round(impact - time);
  const words: Said = gap === 0 ? WORDS.at : gap > 0 ? WORDS.before : WORDS.after;
  return Object.fromEntries(
    languages().map((language) => [base(language), inLanguage(words, language).replace("{span}", span(gap, language))]),
  );
}

export const clock = (start: number, time: number): string =>
  `${new Date(Math.round(start + time) * 1000).toISOString().slice(11, 19)} UTC`;
