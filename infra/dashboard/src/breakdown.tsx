/** The record by scanner, tier, symbol, channel and interval: leaderboard, win rates with intervals, heat map. */

import type { Performance, Row } from "./api";
import { HeatMap } from "./charts/heatmap";
import { WinRates } from "./charts/whiskers";
import { Explained, Change, type Behind } from "./figure";
import { Narrowed, PeriodPicker } from "./filters";
import { change, count, duration, percent, profit, ratio, word } from "./format";
import { Empty, Problem, Section, Skeleton } from "./parts";
import { useResource } from "./resource";
import { type Filter, go, href, query, type Route, TABS } from "./route";

type By = "scanner" | "tier" | "symbol" | "channel" | "interval";

export function Breakdown({ route, by }: { route: Route; by: By }) {
  const { data, error, busy } = useResource<Performance>(`performance/${query(route.filters, { by })}`);
  const rows = data?.rows ?? null;
  return (
    <Section title={TABS[by]} aside={<PeriodPicker route={route} />}>
      <Narrowed route={route} />
      {error ? (
        <Problem text={error} />
      ) : !rows ? (
        <Skeleton rows={14} label={TABS[by]} />
      ) : !rows.length ? (
        <Empty title="Nothing to compare">
          No trade closed and no outcome fell due, or these filters leave none to count.
        </Empty>
      ) : (
        <div class="parts" aria-busy={busy}>
          {by === "interval" ? <ByInterval route={route} rows={rows} /> : <ByKey route={route} by={by} rows={rows} />}
        </div>
      )}
    </Section>
  );
}

function ByKey({ route, by, rows }: { route: Route; by: Exclude<By, "interval">; rows: Row[] }) {
  const behind = (key: string): Route => ({ tab: "history", filters: { ...route.filters, [by as Filter]: key } });
  const rates = sorted(rows, "-win_rate").map((row) => ({ ...row, title: word(row.key), rows: behind(row.key) }));
  return (
    <>
      <Leaderboard route={route} rows={rows} title={word(TABS[by].slice(3))} columns={TRADES} behind={behind} />
      <div class="split">
        <Section title="Win rate of trades">
          <WinRates rates={rates} of="closed trades with a price" />
        </Section>
        <Section title="Outcomes by interval">
          {rows.some((row) => Object.keys(row.intervals).length) ? (
            <HeatMap rows={rows} title={word(TABS[by].slice(3))} behind={behind} />
          ) : (
            <Empty title="No outcomes along this">The outcomes are not kept under these filters.</Empty>
          )}
        </Section>
      </div>
    </>
  );
}

function ByInterval({ route, rows }: { route: Route; rows: Row[] }) {
  const scanners = useResource<Performance>(`performance/${query(route.filters, { by: "scanner" })}`);
  const all: Route = { tab: "history", filters: { ...route.filters, status: "all" } };
  const checked = rows.map((row) => ({ ...row, ...(row.intervals[row.key] ?? {}) }));
  return (
    <>
      <Leaderboard route={route} rows={checked} title="Interval" columns={OUTCOMES} behind={() => all} />
      <div class="split">
        <Section title="Win rate of outcomes">
          <WinRates
            rates={checked.map((row) => ({ ...row, title: `after ${row.key}`, rows: all }))}
            of="outcomes checked"
          />
        </Section>
        <Section title="Outcomes by scanner and interval">
          {scanners.data?.rows ? (
            <HeatMap
              rows={scanners.data.rows}
              title="Scanner"
              behind={(key) => ({ ...all, filters: { ...all.filters, scanner: key } })}
            />
          ) : (
            <Skeleton rows={6} label="Outcomes by scanner and interval" />
          )}
        </Section>
      </div>
    </>
  );
}

type Values = Record<string, unknown>;
interface Column {
  name: string;
  title: string;
  show: (row: Values) => preact.ComponentChildren;
  wide?: boolean;
}

const figure = (row: Values, name: string) => (typeof row[name] === "number" ? row[name] : null);
const rate = (row: Values) => (
  <>
    {percent(figure(row, "win_rate"))}
    {figure(row, "win_rate_low") !== null && (
      <small>
        {percent(figure(row, "win_rate_low")).replace(" %", "")}–{percent(figure(row, "win_rate_high"))}
      </small>
    )}
  </>
);
const money = (name: string) => (row: Values) => <Change value={figure(row, name)} text={profit(figure(row, name))} />;

const TRADES: Column[] = [
  { name: "total_pnl_usd", title: "Net P/L", show: money("total_pnl_usd") },
  { name: "win_rate", title: "Win rate", show: rate },
  { name: "n", title: "n", show: (row) => count(figure(row, "n")) },
  {
    name: "break_even_win_rate",
    title: "Break-even",
    show: (row) => percent(figure(row, "break_even_win_rate")),
    wide: true,
  },
  { name: "average_pnl_usd", title: "A trade", show: money("average_pnl_usd"), wide: true },
  { name: "profit_factor", title: "Profit factor", show: (row) => ratio(figure(row, "profit_factor")), wide: true },
  { name: "gross_pnl_usd", title: "Ideal", show: (row) => profit(figure(row, "gross_pnl_usd")), wide: true },
  {
    name: "pessimistic_pnl_usd",
    title: "Pessimistic",
    show: (row) => profit(figure(row, "pessimistic_pnl_usd")),
    wide: true,
  },
  {
    name: "average_held_seconds",
    title: "Held",
    show: (row) => duration(figure(row, "average_held_seconds")),
    wide: true,
  },
  { name: "signals", title: "Signals", show: (row) => count(figure(row, "signals")), wide: true },
];

const OUTCOMES: Column[] = [
  { name: "win_rate", title: "Win rate", show: rate },
  { name: "n", title: "n", show: (row) => count(figure(row, "n")) },
  { name: "wins", title: "Wins", show: (row) => count(figure(row, "wins")), wide: true },
  { name: "losses", title: "Losses", show: (row) => count(figure(row, "losses")), wide: true },
  { name: "neutral", title: "Neutral", show: (row) => count(figure(row, "neutral")), wide: true },
  {
    name: "avg_pnl_pct",
    title: "Average P/L",
    show: (row) => <Change value={figure(row, "avg_pnl_pct")} text={change(figure(row, "avg_pnl_pct"))} />,
  },
  { name: "coverage", title: "Coverage", show: (row) => percent(figure(row, "coverage")), wide: true },
];

/** By a column's name, a minus before it for the greatest first; what has no value comes last. */
function sorted<T extends { key: string }>(rows: T[], order: string): T[] {
  const [name, way] = order.startsWith("-") ? [order.slice(1), -1] : [order, 1];
  if (name === "key") return [...rows].sort((a, b) => way * a.key.localeCompare(b.key));
  const value = (row: T) => figure(row as Values, name);
  return [...rows].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === null || right === null) return left === right ? a.key.localeCompare(b.key) : left === null ? 1 : -1;
    return way * (left - right) || a.key.localeCompare(b.key);
  });
}

interface Board {
  route: Route;
  rows: Row[];
  title: string;
  columns: Column[];
  behind: (key: string) => Route;
}

function Leaderboard({ route, rows, title, columns, behind }: Board) {
  const known =
    columns.some((column) => [column.name, `-${column.name}`].includes(route.sort ?? "")) ||
    ["key", "-key"].includes(route.sort ?? "");
  const order = known && route.sort ? route.sort : columns === OUTCOMES ? "" : `-${columns[0]?.name}`;
  const shown = order ? sorted(rows, order) : rows;
  return (
    <div class="scroll">
      <table class="board">
        <caption class="heard">Leaderboard by {title.toLowerCase()}; the column headings sort it</caption>
        <thead>
          <tr>
            <Heading route={route} order={order} name="key" title={title} />
            {columns.map((column) => (
              <Heading
                key={column.name}
                route={route}
                order={order}
                name={column.name}
                title={column.title}
                number
                wide={column.wide ?? false}
                behind={{
                  formula: columns === OUTCOMES ? `intervals.${column.name}` : column.name,
                  title: column.title,
                  n: total(rows),
                  of: columns === OUTCOMES ? "outcomes checked" : "closed trades with a price",
                  rows: { tab: "history", filters: route.filters },
                }}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.key}>
              <th scope="row">
                <a href={href(behind(row.key))}>{word(row.key)}</a>
              </th>
              {columns.map((column) => (
                <td key={column.name} class={`number ${column.wide ? "wide" : ""}`}>
                  {column.show(row as unknown as Values)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const total = (rows: Row[]) => rows.reduce((sum, row) => sum + row.n, 0);

function Heading(props: {
  route: Route;
  order: string;
  name: string;
  title: string;
  number?: boolean;
  wide?: boolean;
  behind?: Behind;
}) {
  const { route, order, name, title, number, wide, behind } = props;
  const way = order === name ? "ascending" : order === `-${name}` ? "descending" : undefined;
  const next = way === "descending" ? name : way === "ascending" ? `-${name}` : name === "key" ? name : `-${name}`;
  return (
    <th scope="col" class={`${number ? "number" : ""} ${wide ? "wide" : ""}`} aria-sort={way}>
      <button type="button" class="sort" onClick={() => go({ ...route, sort: next }, true)}>
        <span aria-hidden="true" class={`way ${way ?? ""}`} />
        {title}
      </button>
      {behind && (
        <Explained behind={behind} class="formula-of">
          <span aria-hidden="true">ƒ</span>
          <span class="heard">Formula of {title}</span>
        </Explained>
      )}
    </th>
  );
}
