/** One trade in a dialog: its candles and levels, what each book made of it, and where it came from. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Trade, TradePage } from "./api";
import { Change, Explained } from "./figure";
import { change, duration, price, profit, score, usd, word } from "./format";
import { useWorld } from "./live";
import { Badge, Levels, Problem, Side, Skeleton, Time } from "./parts";
import { useResource } from "./resource";
import { go, type Route } from "./route";
import { useStore } from "./store";
import { theme } from "./theme";
import { current, sign } from "./trades";

export function TradeDialog({ route, id }: { route: Route; id: string }) {
  const box = useRef<HTMLDialogElement>(null);
  const { data, error } = useResource<TradePage>(`${encodeURIComponent(id)}/`);
  const world = useWorld();
  const { trade: _, ...behind } = route;
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.showModal();
    return () => focusAfter(before, id);
  }, []);
  const page = data?.trade.signal_id === id ? data : null;
  const close = () => box.current?.close();
  return (
    <dialog
      ref={box}
      class="trade"
      aria-label="Trade"
      onClose={() => go(behind, true)}
      onClick={(event) => event.target === box.current && close()}
    >
      <div class="sheet">
        <button type="button" class="close" aria-label="Close" onClick={close}>
          <span aria-hidden="true">×</span>
        </button>
        {error ? (
          <Problem text={error} />
        ) : page ? (
          <Opened page={page} trade={current(page.trade, world)} />
        ) : (
          <Skeleton rows={12} label="Trade" />
        )}
      </div>
    </dialog>
  );
}

/** Back to what opened it; after a reload that is the trade's row, where it is listed. */
function focusAfter(before: HTMLElement | null, id: string): void {
  const row = document.querySelector<HTMLElement>(`[data-trade="${CSS.escape(id)}"] a`);
  const back = before?.isConnected && before !== document.body ? before : row;
  back?.focus();
}

function Opened({ page, trade }: { page: TradePage; trade: Trade }) {
  const open = trade.status === "OPEN";
  return (
    <>
      <header>
        <h2>
          {trade.symbol} <Side trade={trade} />
        </h2>
        <p class="soft">
          {trade.timeframe} · {trade.market_type.toLowerCase()} · {word(trade.scanner_type)} ·{" "}
          <Badge status={trade.status} ambiguous={trade.ambiguous} />
        </p>
        <p class="result">
          <Explained
            behind={{
              formula: { says: netOf(trade, open ? trade.current_price : trade.exit_price) },
              title: open ? "P/L if closed now" : "Net P/L",
            }}
          >
            <span class="label">{open ? "P/L if closed now" : "Net P/L"}</span>
          </Explained>
          <Change
            value={open ? trade.unrealised_usd : trade.pnl_usd}
            text={profit(open ? trade.unrealised_usd : trade.pnl_usd)}
          />
          <small>{change(open ? trade.unrealised_pct : trade.pnl_pct)}</small>
        </p>
        {open && (
          <p class="standing">
            {price(trade.current_price)} <Levels trade={trade} at={trade.current_price} />
          </p>
        )}
      </header>
      <Chart page={page} />
      {trade.ambiguous && (
        <p class="note">
          One candle touched both stop and target and no finer candle tells which came first. The stop counts:{" "}
          {profit(trade.pnl_usd)}. Had the target been first, it would be {profit(trade.pnl_usd_if_target)}.
        </p>
      )}
      {trade.status === "CLOSED_UNKNOWN" && (
        <p class="note">
          The market’s data has a hole where this trade should have been closed. It has no price and no P/L, and counts
          in the coverage alone.
        </p>
      )}
      <div class="columns">
        <Facts title="Levels" facts={levels(trade)} />
        <Facts title="Three books" facts={books(trade)} />
        <Facts title="Provenance" facts={provenance(trade)} />
      </div>
      <Contributions trade={trade} />
    </>
  );
}

function Chart({ page }: { page: TradePage }) {
  const box = useRef<HTMLDivElement>(null);
  const shown = useStore(theme);
  const [failed, fail] = useState(false);
  useEffect(() => {
    if (!box.current || !page.candles.rows.length) return;
    const parts = { box: box.current, remove: () => {}, gone: false };
    import("./charts/candles").then(
      ({ drawTrade }) => {
        if (!parts.gone) parts.remove = drawTrade(parts.box, page);
      },
      () => fail(true),
    );
    return () => {
      parts.gone = true;
      parts.remove();
    };
  }, [page, shown]);
  if (failed || !page.candles.rows.length) return <p class="note">No candles of this stretch can be shown.</p>;
  const { trade, candles } = page;
  const words = `${candles.rows.length} candles of ${candles.timeframe}, entry ${price(trade.entry_price)}, stop ${price(trade.stop_loss)}, target ${price(trade.take_profit)}${trade.exit_price === null ? "" : `, exit ${price(trade.exit_price)}`}`;
  return (
    <figure class="candles">
      <div class="canvas" ref={box} role="img" aria-label={words} />
      <figcaption class="hint">
        {candles.timeframe} candles, UTC. Chart by{" "}
        <a href="https://www.tradingview.com/" rel="noreferrer">
          TradingView Lightweight Charts™
        </a>
      </figcaption>
    </figure>
  );
}

type Fact = [title: string, value: preact.ComponentChildren, formula?: string];

function Facts({ title, facts }: { title: string; facts: Fact[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {facts.map(([name, value, says]) => (
          <div key={name}>
            <dt>{says ? <Explained behind={{ formula: { says }, title: name }}>{name}</Explained> : name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function levels(trade: Trade): Fact[] {
  return [
    ["Signal’s price", price(trade.entry_price)],
    ["Next minute’s open", price(trade.net_entry_price)],
    ["Target", price(trade.take_profit)],
    ["Stop", price(trade.stop_loss)],
    ["Exit", price(trade.exit_price)],
    ["Opened", <Time at={trade.opened_at} />],
    trade.closed_at ? ["Closed", <Time at={trade.closed_at} />] : ["Expires", <Time at={trade.expires_at} />],
    ["Held", duration(trade.held_seconds)],
  ];
}

function books(trade: Trade): Fact[] {
  const both = (dollars: number | null, percent: number | null) => (
    <>
      <Change value={dollars} text={profit(dollars)} /> <small>{change(percent)}</small>
    </>
  );
  return [
    [
      "Ideal",
      both(trade.gross_pnl_usd, trade.gross_pnl_pct),
      "The size × the move from the signal’s own price to the exit, from the holder’s side; no costs.",
    ],
    ["Net", both(trade.pnl_usd, trade.pnl_pct), netOf(trade, trade.exit_price)],
    [
      "Pessimistic",
      both(trade.pessimistic_pnl_usd, trade.pessimistic_pnl_pct),
      "As net, but each market fill at the worst price of its minute; a target fills at its level.",
    ],
    [
      "Best on the way",
      change(trade.max_favourable_pct),
      "The furthest the market went for the holder while the trade was open, percent of the signal’s price.",
    ],
    [
      "Worst on the way",
      change(trade.max_adverse_pct),
      "The furthest the market went against the holder while the trade was open, percent of the signal’s price.",
    ],
    ["Size", usd(trade.position_usd)],
    ["Fee, slippage a side", `${trade.fee_bps} + ${trade.slippage_bps} bp`],
  ];
}

/** The net book's arithmetic with this trade's own numbers. */
function netOf(trade: Trade, exit: number | null): string {
  const { position_usd: size, net_entry_price: entry, slippage_bps: slippage, fee_bps: fee } = trade;
  if (entry === null || exit === null)
    return "Known once the minute after the signal has its candle and the trade an exit.";
  const [bought, sold] = [
    entry * (1 + (sign(trade) * slippage) / 10_000),
    exit * (1 - (sign(trade) * slippage) / 10_000),
  ];
  const [first, last] = trade.direction === "LONG" ? ["bought", "sold"] : ["sold", "bought back"];
  return `${usd(size)} ${first} at ${price(bought)} (the next minute’s open ${price(entry)}, ${slippage} bp worse) and ${last} at ${price(sold)} (the exit ${price(exit)}, ${slippage} bp worse), less ${fee} bp fee on both sums.`;
}

function provenance(trade: Trade): Fact[] {
  return [
    ["Signal", <code>{trade.signal_id}</code>],
    ["Channel", trade.channel_id],
    ["Strategy", word(trade.strategy_type)],
    ["Configuration", <code title={trade.snapshot_id}>{trade.snapshot_id.slice(0, 12)}</code>],
    ["Tier", word(trade.tier)],
    ["Score, confidence", `${score(trade.unified_score)}, ${(trade.confidence * 100).toFixed(0)} %`],
    ["Origin", `${trade.origin}${trade.simulated ? ", simulated market" : ""}`],
    ["Trigger", word(trade.trigger_type)],
  ];
}

/** What each indicator added to the score or took from it. */
function Contributions({ trade }: { trade: Trade }) {
  const parts = Object.entries(trade.indicator_breakdown).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const widest = Math.max(...parts.map(([, value]) => Math.abs(value)));
  if (!parts.length || !(widest > 0)) return null;
  return (
    <section class="contributions">
      <h3>What the score was made of</h3>
      <ul>
        {parts.map(([name, value]) => (
          <li key={name}>
            <span>{word(name)}</span>
            <span class="track" aria-hidden="true">
              <span class={value < 0 ? "loss" : "gain"} style={{ width: `${(Math.abs(value) / widest) * 100}%` }} />
            </span>
            <span class="number">{score(value)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
