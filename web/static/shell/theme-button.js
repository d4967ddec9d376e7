/** Light or dark: as the system, or as chosen here; theme.js applies the choice before the first paint. */
import { html, useState } from "../core/dom.js";
import { Icon } from "../parts/icons.js";

const THEMES = /** @type {const} */ ([
  ["system", "monitor", "As the system"],
  ["light", "sun", "Light"],
  ["dark", "moon", "Dark"],
]);

function chosenTheme() {
  return document.documentElement.dataset.theme ?? "system";
}

/** @param {string} theme */
function chooseTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // The choice then lasts as long as the page.
  }
}

/** Changes from system to light to dark, and again to system. */
export function ThemeButton() {
  const [theme, setTheme] = useState(chosenTheme);
  const index = THEMES.findIndex(([name]) => name === theme);
  const [, icon, label] = THEMES[index];
  const next = THEMES[(index + 1) % THEMES.length];
  const choose = () => {
    chooseTheme(next[0]);
    setTheme(next[0]);
  };
  return html`<button class="quiet square" title=${`Theme: ${label}`} aria-label=${`Theme: ${label}. Change to: ${next[2]}`} onClick=${choose}><${Icon} name=${icon} /></button>`;
}
