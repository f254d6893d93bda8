/** A figure, and what it opens to: its formula, its n, and the rows behind it. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Performance } from "./api";
import { count } from "./format";
import { useResource } from "./resource";
import { href, type Route } from "./route";

export interface Behind {
  /** The formula's name in the API's `formulas`, or for one trade's own figure the sentence itself. */
  formula: string | { says: string };
  /** What the figure is called where it is explained. */
  title: string;
  n?: number | null | undefined;
  /** What n counts. */
  of?: string;
  rows?: Route | undefined;
  /** A sentence about this figure alone. */
  note?: string | undefined;
}

const NARROW = matchMedia("(max-width: 640px)");
const MARGIN = 12;

/** A button that opens the explanation. Escape and a click elsewhere close it, and the focus returns. */
export function Explained({
  behind,
  children,
  class: name = "explained",
}: {
  behind: Behind;
  children: ComponentChildren;
  class?: string;
}) {
  const [open, set] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  return (
    <>
      <button
        ref={button}
        type="button"
        class={name}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => set(!open)}
      >
        {children}
      </button>
      {open && <Explanation id={id} behind={behind} button={button.current} close={() => set(false)} />}
    </>
  );
}

function Explanation({
  id,
  behind,
  button,
  close,
}: {
  id: string;
  behind: Behind;
  button: HTMLElement | null;
  close: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const title = useId();
  const named = typeof behind.formula === "string" ? behind.formula : null;
  const { data } = useResource<Performance>(named && "performance/");
  useLayoutEffect(() => {
    const shown = box.current;
    if (!shown || !button) return;
    shown.showPopover();
    place(shown, button);
    shown.focus();
  }, []);
  useEffect(() => {
    const outside = (event: PointerEvent) => {
      const at = event.target as Node;
      if (!box.current?.contains(at) && !button?.contains(at)) close();
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, []);
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
    button?.focus();
  };
  const formula = typeof behind.formula === "string" ? data?.formulas[behind.formula] : behind.formula.says;
  return (
    <div
      ref={box}
      id={id}
      class="explanation"
      popover="manual"
      role="dialog"
      aria-labelledby={title}
      tabIndex={-1}
      onKeyDown={leave}
    >
      <h3 id={title}>{behind.title}</h3>
      <p class="formula">
        {formula ?? (data ? "The API states no formula of its own for this one." : "Asking for the formula …")}
      </p>
      {behind.note && <p>{behind.note}</p>}
      {behind.n !== undefined && (
        <p class="n">
          <b>n = {count(behind.n)}</b> {behind.of ?? "closed trades with a price"}
        </p>
      )}
      <p class="actions">
        {behind.rows && <a href={href(behind.rows)}>The rows behind it</a>}
        <button type="button" class="plain" onClick={() => (close(), button?.focus())}>
          Close
        </button>
      </p>
    </div>
  );
}

/** Below the figure, inside the window; on a phone the style sheet puts it at the bottom. */
function place(box: HTMLElement, button: HTMLElement): void {
  if (NARROW.matches) return;
  // A headline figure stays readable beside what explains it.
  const at = (button.closest(".figure") ?? button).getBoundingClientRect();
  const left = Math.min(Math.max(MARGIN, at.left), document.documentElement.clientWidth - box.offsetWidth - MARGIN);
  const below = at.bottom + 6;
  const top = below + box.offsetHeight + MARGIN > innerHeight ? Math.max(MARGIN, at.top - box.offsetHeight - 6) : below;
  box.style.left = `${left + scrollX}px`;
  box.style.top = `${top + scrollY}px`;
}

/** A headline figure: what it is, the value, and a line about it. `value` null: not here yet. */
export function Figure(props: {
  behind: Behind;
  label: string;
  value: ComponentChildren | null;
  detail?: ComponentChildren;
  size?: "large";
}) {
  const { behind, label, value, detail, size } = props;
  return (
    <div class={`figure ${size ?? ""}`}>
      <Explained behind={behind}>
        <span class="label">{label}</span>
      </Explained>
      <div class="value">{value ?? <span class="ghost">000</span>}</div>
      <div class="detail">{value === null ? <span class="ghost">a line about it</span> : detail}</div>
    </div>
  );
}

/** A profit or loss: its sign is in the text and in the arrow, the colour only repeats it. */
export function Change({ value, text }: { value: number | null | undefined; text: string }) {
  const kind = value === null || value === undefined || !/[1-9]/.test(text) ? "flat" : value > 0 ? "gain" : "loss";
  return (
    <span class={`change ${kind}`}>
      {kind !== "flat" && <span aria-hidden="true" class="arrow" />}
      {text}
    </span>
  );
}
