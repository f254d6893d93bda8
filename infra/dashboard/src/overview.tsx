/** The record at a glance: headline figures, the three books, equity and drawdown, what is open and what closed last. */

import type { OpenList, Performance, Summary, TradeList } from "./api";
import { Books, Endings, rowsOf } from "./books";
import { EquityCharts } from "./charts/equity";
import { type Behind, Change, Figure } from "./figure";
import { WinRate } from "./charts/whiskers";
import { Narrowed, PeriodPicker } from "./filters";
import { change, count, percent, profit, usd } from "./format";
import { useWorld } from "./live";
import { Empty, Problem, Section, Skeleton } from "./parts";
import { useResource } from "./resource";
import { href, isNarrowed, query, type Route } from "./route";
import { ClosedTable, OpenTable } from "./tables";
import { closedBy, stillOpen } from "./trades";

const SHOWN = 6;

export function Overview({ route, summary, error }: { route: Route; summary: Summary | null; error: string | null }) {
  return (
    <>
      <Section title="Overview" aside={<PeriodPicker route={route} />}>
        <Narrowed route={route} />
        {error ? <Problem text={error} /> : <Headline route={route} summary={summary} />}
      </Section>
      {!error && (
        <>
          <Metrics route={route} />
          <div class="split">
            <OpenNow route={route} />
            <Recent route={route} />
          </div>
        </>
      )}
    </>
  );
}

function Metrics({ route }: { route: Route }) {
  const { data, error } = useResource<Performance>(`performance/${query(route.filters)}`);
  if (error) return <Problem text={error} />;
  return (
    <>
      <div class="split chart">
        <Section title="Equity and drawdown">
          <EquityCharts performance={data} />
        </Section>
        <Section title="Three books">
          <Books route={route} performance={data} />
        </Section>
      </div>
      <Section title="How trades ended">
        <Endings route={route} performance={data} />
      </Section>
    </>
  );
}

function Headline({ route, summary }: { route: Route; summary: Summary | null }) {
  const world = useWorld();
  const closed = rowsOf(route, "closed");
  const everything = !isNarrowed(route.filters);
  const unrealised = (everything ? world.unrealised : null) ?? summary?.unrealised_usd ?? null;
  const open = (everything ? world.open : null) ?? summary?.open ?? null;
  const behind = (formula: string, title: string, more: Partial<Behind> = {}): Behind => ({
    formula,
    title,
    n: summary?.n,
    rows: closed,
    ...more,
  });
  return (
    <div class="figures" aria-busy={summary === null}>
      <Figure
        size="large"
        label="Total P/L, net"
        behind={behind("total_pnl_usd", "Total P/L, net of costs")}
        value={summary && <Change value={summary.total_pnl_usd} text={profit(summary.total_pnl_usd)} />}
        detail={
          summary &&
          `${change(summary.total_pnl_pct)} of ${usd(summary.costs.capital_usd).replace(".00", "")} paper capital`
        }
      />
      <Figure
        size="large"
        label="Win rate"
        behind={behind("win_rate", "Win rate", { note: summary ? breakEven(summary) : undefined })}
        value={summary && percent(summary.win_rate)}
        detail={
          summary &&
          (summary.n ? (
            <>
              <WinRate rate={summary} /> {interval(summary)} · n {count(summary.n)}
            </>
          ) : (
            "no closed trade yet"
          ))
        }
      />
      <Figure
        label="Average profit"
        behind={behind("average_profit_usd", "Average profit", { n: summary?.winning, of: "winning trades" })}
        value={summary && <Change value={summary.average_profit_usd} text={profit(summary.average_profit_usd)} />}
        detail={summary && `${count(summary.winning)} winning`}
      />
      <Figure
        label="Average loss"
        behind={behind("average_loss_usd", "Average loss", { n: summary?.losing, of: "losing trades" })}
        value={summary && <Change value={summary.average_loss_usd} text={profit(summary.average_loss_usd)} />}
        detail={summary && `${count(summary.losing)} losing, ${count(summary.flat)} flat`}
      />
      <Figure
        label="Open trades"
        behind={behind("open", "Open trades", {
          n: open,
          of: "open trades",
          rows: { tab: "positions", filters: route.filters },
        })}
        value={summary && count(open)}
        detail={
          summary && (
            <>
              <Change value={unrealised} text={profit(unrealised)} /> unrealised
            </>
          )
        }
      />
      <Figure
        label="Total signals"
        behind={behind("total_signals", "Total signals", {
          n: summary?.total_signals,
          of: "signals recorded",
          rows: { tab: "history", filters: { ...route.filters, status: "all" } },
        })}
        value={summary && count(summary.total_signals)}
        detail={
          summary &&
          `${count(summary.closed)} trades closed${summary.coverage === null ? "" : `, ${percent(summary.coverage)} priced`}`
        }
      />
    </div>
  );
}

export const interval = (rate: { win_rate_low: number | null; win_rate_high: number | null }) =>
  rate.win_rate_low === null ? "" : `${percent(rate.win_rate_low).replace(" %", "")}–${percent(rate.win_rate_high)}`;

function breakEven({
  break_even_win_rate: needed,
  win_rate_low: low,
  win_rate_high: high,
}: Summary): string | undefined {
  if (needed === null || low === null || high === null) return undefined;
  const verdict =
    low > needed
      ? "the whole interval lies above it"
      : high < needed
        ? "the whole interval lies below it"
        : "the interval holds it, so this sample decides nothing";
  return `With these average wins and losses, ${percent(needed)} breaks even: ${verdict}.`;
}

function OpenNow({ route }: { route: Route }) {
  const { data, error } = useResource<OpenList>(`open-positions/${query(route.filters, { limit: String(SHOWN) })}`);
  const trades = data && stillOpen(data.trades, useWorld(), route.filters).slice(0, SHOWN);
  return (
    <Section
      title="Open trades"
      aside={<a href={href({ tab: "positions", filters: route.filters })}>All open positions</a>}
    >
      {error ? (
        <Problem text={error} />
      ) : !trades ? (
        <Skeleton rows={SHOWN} label="Open trades" />
      ) : trades.length ? (
        <OpenTable trades={trades} route={route} caption="Open trades, newest first" brief />
      ) : (
        <Empty title="Nothing is open">Each new signal opens a trade of its own; it will appear here.</Empty>
      )}
    </Section>
  );
}

function Recent({ route }: { route: Route }) {
  const { data, error } = useResource<TradeList>(query(route.filters, { status: "closed", limit: String(SHOWN) }));
  const trades = data && closedBy(data.trades, useWorld(), route.filters).slice(0, SHOWN);
  return (
    <Section title="Closed last" aside={<a href={href(rowsOf(route, "closed"))}>The whole history</a>}>
      {error ? (
        <Problem text={error} />
      ) : !trades ? (
        <Skeleton rows={SHOWN} label="Recent trades" />
      ) : trades.length ? (
        <ClosedTable trades={trades} route={route} caption="Trades that closed last" brief />
      ) : (
        <Empty title="No trade has closed in this period">
          A trade closes at its target, its stop, or after 24 hours.
        </Empty>
      )}
    </Section>
  );
}
