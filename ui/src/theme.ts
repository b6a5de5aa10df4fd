// Light, dark, or as the system has it; kept by this browser.
export type Theme = "system" | "light" | "dark";

const KEY = "crossfade-theme";
export const THEMES: Theme[] = ["system", "light", "dark"];

export function theme(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function applyTheme(wanted: Theme = theme()): void {
  if (wanted === "system") {
    localStorage.removeItem(KEY);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(KEY, wanted);
    document.documentElement.dataset.theme = wanted;
  }
}
