/** Trades as rows: the open ones with the market's price, the closed ones with what they came to. */

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Trade } from "./api";
import { Change } from "./figure";
import { change, duration, price, profit, score, tierNumber, word } from "./format";
import { Badge, Levels, Side, Time } from "./parts";
import { go, href, type Route } from "./route";

interface Rows {
  trades: Trade[];
  route: Route;
  /** What the table is, for those who hear it. */
  caption: string;
  /** Fewer columns, beside another table. */
  brief?: boolean;
}

/** One column: its heading, where it stands (classes of both head and cell), and what a trade has there. */
interface Column {
  head: string;
  at: string;
  soft?: boolean;
  cell: (trade: Trade) => ComponentChildren;
}

const ENTRY: Column = { head: "Entry", at: "number wide", cell: (trade) => price(trade.entry_price) };
const SCANNER: Column = { head: "Scanner", at: "wide", soft: true, cell: (trade) => word(trade.scanner_type) };
const SCORE: Column = {
  head: "Score",
  at: "number wide",
  cell: (trade) => (
    <>
      {score(trade.unified_score)}
      <small>Tier {tierNumber(trade.tier)}</small>
    </>
  ),
};

const OPENED: Column = { head: "Opened", at: "wide", soft: true, cell: (trade) => <Time at={trade.opened_at} /> };
const NOW: Column = {
  head: "Price now",
  at: "number",
  cell: (trade) => (
    <>
      <Ticking value={trade.current_price} />
      <Levels trade={trade} at={trade.current_price} />
    </>
  ),
};
const STOP: Column = { head: "Stop", at: "number wide", soft: true, cell: (trade) => price(trade.stop_loss) };
const TARGET: Column = { head: "Target", at: "number wide", soft: true, cell: (trade) => price(trade.take_profit) };
const RUNNING: Column = {
  head: "P/L now",
  at: "number edge",
  cell: (trade) => (
    <>
      <Change value={trade.unrealised_usd} text={profit(trade.unrealised_usd)} />
      <small>{trade.net_entry_price === null ? "enters next minute" : change(trade.unrealised_pct)}</small>
    </>
  ),
};

const CLOSED: Column = { head: "Closed", at: "wide", soft: true, cell: (trade) => <Time at={when(trade)} /> };
const CLOSED_BY: Column = {
  head: "Closed",
  at: "",
  soft: true,
  cell: (trade) => (
    <>
      <Time at={when(trade)} />
      <small>{ending(trade)}</small>
    </>
  ),
};
const BY: Column = { head: "By", at: "wide", cell: (trade) => ending(trade) };
const EXIT: Column = { head: "Exit", at: "number wide", cell: (trade) => price(trade.exit_price) };
const HELD: Column = { head: "Held", at: "number wide", soft: true, cell: (trade) => duration(trade.held_seconds) };
const NET: Column = { head: "Net P/L", at: "number edge", cell: (trade) => net(trade) };
const NET_BY: Column = {
  head: "Net P/L",
  at: "number edge",
  cell: (trade) => net(trade, <span class="narrow">{ending(trade)} </span>),
};
const IDEAL: Column = { head: "Ideal", at: "number wide", soft: true, cell: (trade) => profit(trade.gross_pnl_usd) };
const PESSIMISTIC: Column = {
  head: "Pessimistic",
  at: "number wide",
  soft: true,
  cell: (trade) => profit(trade.pessimistic_pnl_usd),
};

export function OpenTable(rows: Rows) {
  const columns = rows.brief ? [ENTRY, NOW, RUNNING] : [OPENED, ENTRY, NOW, STOP, TARGET, RUNNING, SCANNER, SCORE];
  return <Table {...rows} columns={columns} />;
}

export function ClosedTable(rows: Rows) {
  const whole = [CLOSED, BY, ENTRY, EXIT, HELD, NET_BY, IDEAL, PESSIMISTIC, SCANNER, SCORE];
  return <Table {...rows} columns={rows.brief ? [CLOSED_BY, NET] : whole} />;
}

function Table({ trades, route, caption, brief, columns }: Rows & { columns: Column[] }) {
  return (
    <div class="scroll">
      <table class={`trades ${brief ? "brief" : ""}`}>
        <caption class="heard">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Trade</th>
            {columns.map(({ head, at }) => (
              <th key={head} scope="col" class={at}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {trades.map((trade) => (
            <Openable key={trade.signal_id} trade={trade} route={route} brief={brief}>
              {columns.map(({ head, at, soft, cell }) => (
                <td key={head} class={soft ? `${at} soft`.trim() : at}>
                  {cell(trade)}
                </td>
              ))}
            </Openable>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** When a trade closed, or opened while it is open. */
function when(trade: Trade) {
  return trade.closed_at ?? trade.opened_at;
}

function ending(trade: Trade) {
  return <Badge status={trade.status} ambiguous={trade.ambiguous} />;
}

function net(trade: Trade, before?: ComponentChildren) {
  const usd = trade.pnl_usd ?? trade.unrealised_usd;
  return (
    <>
      <Change value={usd} text={profit(usd)} />
      <small>
        {before}
        {change(trade.pnl_pct ?? trade.unrealised_pct)}
      </small>
    </>
  );
}

/** A row that opens its trade: by its link with the keyboard, anywhere on it with the mouse. */
function Openable({
  trade,
  route,
  brief,
  children,
}: {
  trade: Trade;
  route: Route;
  brief: boolean | undefined;
  children: ComponentChildren;
}) {
  const place = { ...route, trade: trade.signal_id };
  const click = (event: MouseEvent) => {
    const bare = !(event.target as Element).closest("a, button") && !event.metaKey && !event.ctrlKey;
    if (bare && !getSelection()?.toString()) {
      (event.currentTarget as HTMLElement).querySelector("a")?.focus();
      go(place);
    }
  };
  return (
    <tr onClick={click} data-trade={trade.signal_id}>
      <th scope="row">
        <a href={href(place)}>{trade.symbol}</a>
        <small>
          <Side trade={trade} /> · {trade.timeframe}
          {!brief && (
            <span class="narrow">
              {" · "}
              <Time at={when(trade)} />
            </span>
          )}
        </small>
      </th>
      {children}
    </tr>
  );
}

/** A price that shows for a moment which way it went. */
function Ticking({ value }: { value: number | null }) {
  const before = useRef(value);
  const way =
    value === null || before.current === null || value === before.current ? "" : value > before.current ? "up" : "down";
  before.current = value;
  return (
    <span key={String(value)} class={`tick ${way}`}>
      {price(value)}
    </span>
  );
}
