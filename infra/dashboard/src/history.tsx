/** Every trade of the record, by page, by filter, or as a file. */

import { address, type TradeList } from "./api";
import { FilterForm, PeriodPicker } from "./filters";
import { useWorld } from "./live";
import { Pager } from "./pager";
import { Empty, Problem, Section, Skeleton } from "./parts";
import { useResource } from "./resource";
import { query, type Route } from "./route";
import { ClosedTable } from "./tables";
import { closedBy, current } from "./trades";

const ROWS = "50";
const MOST_IN_A_FILE = "5000";

export function History({ route }: { route: Route }) {
  const world = useWorld();
  const chosen = route.filters.status ?? "closed";
  const status = chosen === "all" ? undefined : chosen;
  const { data, error, busy } = useResource<TradeList>(
    query(route.filters, { status, limit: ROWS, cursor: route.cursor }),
  );
  const live = chosen === "closed" && !route.cursor;
  const trades =
    data && (live ? closedBy(data.trades, world, route.filters) : data.trades.map((trade) => current(trade, world)));
  return (
    <>
      <Section title="Trade history" aside={<PeriodPicker route={route} />}>
        <FilterForm
          route={route}
          names={["status", "market_type", "symbol", "side", "timeframe", "scanner", "channel", "tier"]}
        />
      </Section>
      <div aria-busy={busy}>
        {error ? (
          <Problem text={error} />
        ) : !trades ? (
          <Skeleton rows={14} label="Trade history" />
        ) : trades.length ? (
          <ClosedTable trades={trades} route={route} caption="Trades, last closed first" />
        ) : data.next_cursor ? (
          <Empty title="None on this page">Older pages may hold some.</Empty>
        ) : (
          <Empty title="No trade has these properties">Choose a longer period, or fewer filters.</Empty>
        )}
        <footer class="list">
          <Pager route={route} next={data?.next_cursor ?? null} />
          <a
            class="csv"
            href={address(query(route.filters, { status, limit: MOST_IN_A_FILE, format: "csv" }))}
            download="trades.csv"
          >
            Download as CSV
          </a>
        </footer>
      </div>
    </>
  );
}
