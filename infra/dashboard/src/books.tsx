/** What the closed trades came to in each of the three books, and how they ended. */

import type { Book, BookFigures, Performance } from "./api";
import { Explained } from "./figure";
import { change, count, duration, percent, profit, ratio, usd } from "./format";
import { Skeleton } from "./parts";
import type { Route } from "./route";

/** The trades behind a figure of this place. */
export const rowsOf = (route: Route, status: "open" | "closed"): Route => ({
  tab: "history",
  filters: { ...route.filters, status },
});

type Measure = [formula: keyof BookFigures, title: string, write: (figures: BookFigures) => string, n?: "days"];

const MEASURES: Measure[] = [
  ["total_pnl_usd", "Total P/L", (b) => profit(b.total_pnl_usd)],
  ["total_return_pct", "Return on capital", (b) => change(b.total_return_pct)],
  ["win_rate", "Win rate", (b) => percent(b.win_rate)],
  ["average_profit_usd", "Average profit", (b) => profit(b.average_profit_usd)],
  ["average_loss_usd", "Average loss", (b) => profit(b.average_loss_usd)],
  ["profit_factor", "Profit factor", (b) => ratio(b.profit_factor)],
  ["expectancy_usd", "Expectancy a trade", (b) => profit(b.expectancy_usd)],
  ["sharpe_ratio", "Sharpe, 365 days", (b) => ratio(b.sharpe_ratio), "days"],
  ["sortino_ratio", "Sortino, 365 days", (b) => ratio(b.sortino_ratio), "days"],
  ["max_drawdown_pct", "Deepest drawdown", (b) => change(-(b.max_drawdown_pct ?? 0))],
  ["best_trade_usd", "Best trade", (b) => profit(b.best_trade_usd)],
  ["worst_trade_usd", "Worst trade", (b) => profit(b.worst_trade_usd)],
];
const BOOKS: [Book, string][] = [
  ["ideal", "Ideal"],
  ["net", "Net"],
  ["pessimistic", "Pessimistic"],
];

export function Books({ route, performance }: { route: Route; performance: Performance | null }) {
  if (!performance) return <Skeleton rows={13} label="Three books" />;
  const { books } = performance;
  return (
    <>
      <table class="books">
        <caption class="heard">The same trades in three books</caption>
        <thead>
          <tr>
            <td />
            {BOOKS.map(([book, title]) => (
              <th key={book} scope="col" class={`number ${book}`}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {MEASURES.map(([name, title, write, days]) => (
            <tr key={name}>
              <th scope="row">
                <Explained
                  behind={{
                    formula: name,
                    title,
                    n: days ? books.net.days : books.net.n,
                    of: days ? "daily returns" : "closed trades with a price",
                    rows: rowsOf(route, "closed"),
                  }}
                >
                  {title}
                </Explained>
              </th>
              {BOOKS.map(([book]) => (
                <td key={book} class={`number ${book}`}>
                  {write(books[book])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint">
        Ideal: the signal’s own price, no costs. Net: the next minute’s open, slippage and fees. Pessimistic: every
        market fill at the worst price of its minute.
      </p>
    </>
  );
}

export function Endings({ route, performance: p }: { route: Route; performance: Performance | null }) {
  if (!p) return <Skeleton rows={3} label="How trades ended" />;
  const ends: [string, number, string][] = [
    ["target", p.targets, "Target"],
    ["stop", p.stops, "Stop"],
    ["expired", p.expired, "Expired after 24 h"],
    ["unknown", p.unknown, "No price"],
  ];
  const closed = rowsOf(route, "closed");
  const line = (
    formula: string,
    title: string,
    value: preact.ComponentChildren,
    n: number = p.closed,
    of = "closed trades",
  ) => (
    <div>
      <dt>
        <Explained behind={{ formula, title, n, of, rows: closed }}>{title}</Explained>
      </dt>
      <dd>{value}</dd>
    </div>
  );
  const { low_usd: low, high_usd: high } = p.ambiguous_bounds;
  return (
    <div class="endings">
      <div class="stack" aria-hidden="true">
        {ends.map(([kind, size]) => size > 0 && <span key={kind} class={kind} style={{ flexGrow: size }} />)}
      </div>
      <ul class="legend">
        {ends.map(([kind, size, title]) => (
          <li key={kind}>
            <span class={`swatch ${kind}`} aria-hidden="true" />
            {title} <b>{count(size)}</b>
          </li>
        ))}
      </ul>
      <dl class="facts">
        {line("fees_and_slippage_usd", "Fees and slippage", usd(p.fees_and_slippage_usd))}
        {line("average_held_seconds", "Average holding time", duration(p.average_held_seconds))}
        {line("average_max_favourable_pct", "Best excursion, average", change(p.average_max_favourable_pct))}
        {line("average_max_adverse_pct", "Worst excursion, average", change(p.average_max_adverse_pct))}
        {line(
          "average_open",
          "Open at once, average",
          `${ratio(p.exposure.average_open)} (${usd(p.exposure.average_usd)})`,
        )}
        {line(
          "ambiguous",
          "Ambiguous trades",
          p.ambiguous ? `${count(p.ambiguous)}, total ${profit(low)} to ${profit(high)}` : "none",
          p.ambiguous,
          "trades whose last candle touched both levels",
        )}
      </dl>
    </div>
  );
}
