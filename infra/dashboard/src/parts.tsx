/** Small pieces that every tab uses. */

import type { ComponentChildren } from "preact";
import type { Status, Trade } from "./api";
import { local, price, when } from "./format";
import { refresh } from "./resource";
import { distance, ENDS, progress } from "./trades";

export function Time({ at }: { at: string | null }) {
  if (!at) return <>—</>;
  return (
    <time dateTime={at} title={`${local(at)} (your time)`}>
      {when(at)}
    </time>
  );
}

const SHAPES: Record<Status, string> = {
  OPEN: "open",
  CLOSED_TP: "target",
  CLOSED_SL: "stop",
  CLOSED_EXPIRED: "expired",
  CLOSED_UNKNOWN: "unknown",
};

/** How a trade stands, by word and by shape. */
export function Badge({ status, ambiguous }: { status: Status; ambiguous?: boolean }) {
  return (
    <span class={`badge ${SHAPES[status]}`}>
      {ENDS[status]}
      {ambiguous && <abbr title="One candle touched stop and target; the stop counts"> ±</abbr>}
    </span>
  );
}

export function Side({ trade }: { trade: Trade }) {
  return <span class={`side ${trade.direction.toLowerCase()}`}>{trade.direction === "LONG" ? "Long" : "Short"}</span>;
}

/** Where the price stands between stop and target, with the entry as a tick. */
export function Levels({ trade, at }: { trade: Trade; at: number | null }) {
  const place = at === null ? null : progress(trade, at);
  const entry = progress(trade, trade.entry_price);
  if (at === null || place === null || entry === null) return null;
  const clamp = (share: number) => `${Math.min(100, Math.max(0, share * 100))}%`;
  const [toStop, toTarget] = [distance(at, trade.stop_loss), distance(at, trade.take_profit)];
  const text = `${toStop?.toFixed(2)} % to the stop at ${price(trade.stop_loss)}, ${toTarget?.toFixed(2)} % to the target at ${price(trade.take_profit)}`;
  const ahead = place >= entry;
  return (
    <span class="levels" role="img" aria-label={text} title={text}>
      <span
        class={`way ${ahead ? "gain" : "loss"}`}
        style={{ left: clamp(Math.min(place, entry)), right: `calc(100% - ${clamp(Math.max(place, entry))})` }}
      />
      <span class="entry" style={{ left: clamp(entry) }} />
      <span class={`now ${ahead ? "gain" : "loss"}`} style={{ left: clamp(place) }} />
    </span>
  );
}

export function Problem({ text }: { text: string }) {
  return (
    <div class="problem" role="alert">
      <p>{text}</p>
      <button type="button" onClick={refresh}>
        Try again
      </button>
      <a href="#/overview">Start over</a>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  );
}

/** Rows that are not here yet, as high as they will be. */
export function Skeleton({ rows, label }: { rows: number; label: string }) {
  return (
    <div class="skeleton" role="status" aria-label={`${label}: loading`}>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}

/** A part of a tab under its heading. */
export function Section(props: {
  title: string;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={props.class ?? ""}>
      <header class="section">
        <h2>{props.title}</h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}
