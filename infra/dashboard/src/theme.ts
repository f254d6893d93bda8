/** Light or dark: the system's until the reader chooses, then the reader's. */

import { Store } from "./store";

export type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

const shown = (): Theme => (root.dataset.theme as Theme | undefined) ?? (system.matches ? "dark" : "light");

export const theme = new Store<Theme>(shown());
system.addEventListener("change", () => theme.set(shown()));

export function toggle(): void {
  root.dataset.theme = shown() === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("theme", root.dataset.theme);
  } catch {
    // a browser that keeps nothing forgets this too
  }
  theme.set(shown());
}

/** A colour of the style sheet as the canvas wants it: resolved, for the theme that is shown. */
export function colour(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}
