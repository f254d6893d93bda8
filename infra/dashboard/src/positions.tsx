/** What is open now, at the market's price. */

import type { OpenList } from "./api";
import { Change, Figure } from "./figure";
import { FilterForm } from "./filters";
import { count, profit } from "./format";
import { useWorld } from "./live";
import { Pager } from "./pager";
import { Empty, Problem, Section, Skeleton, Time } from "./parts";
import { useResource } from "./resource";
import { isNarrowed, query, type Route } from "./route";
import { OpenTable } from "./tables";
import { stillOpen } from "./trades";

const ROWS = "50";

export function Positions({ route }: { route: Route }) {
  const world = useWorld();
  const { days: _, status: __, ...filters } = route.filters;
  const { data, error, busy } = useResource<OpenList>(
    `open-positions/${query(filters, { limit: ROWS, cursor: route.cursor })}`,
  );
  const trades = data && stillOpen(data.trades, world, filters, !route.cursor);
  const filtered = isNarrowed(filters);
  const open = (filtered ? null : world.open) ?? data?.count;
  const unrealised = (filtered ? null : world.unrealised) ?? data?.unrealised_usd;
  const behind = {
    n: open,
    of: "open trades",
    rows: { tab: "history" as const, filters: { ...filters, status: "open" } },
  };
  return (
    <>
      <Section title="Open positions">
        <div class="figures few">
          <Figure
            label="Open trades"
            behind={{ ...behind, formula: "open", title: "Open trades" }}
            value={data && count(open)}
            detail={
              <>
                priced <Time at={world.at ?? data?.as_of ?? null} /> UTC
              </>
            }
          />
          <Figure
            label="P/L if closed now"
            behind={{ ...behind, formula: "unrealised_usd", title: "P/L if all were closed now" }}
            value={data && <Change value={unrealised} text={profit(unrealised)} />}
            detail="net of both sides’ costs"
          />
        </div>
      </Section>
      <FilterForm route={route} names={["market_type", "symbol", "side", "timeframe", "scanner", "channel", "tier"]} />
      <div aria-busy={busy}>
        {error ? (
          <Problem text={error} />
        ) : !trades ? (
          <Skeleton rows={12} label="Open positions" />
        ) : trades.length ? (
          <OpenTable trades={trades} route={route} caption="Open positions, newest first" />
        ) : (
          <Empty title="Nothing is open">
            {filtered
              ? "No open trade has these properties."
              : "Each new signal opens a trade of its own; it will appear here."}
          </Empty>
        )}
        <Pager route={route} next={data?.next_cursor ?? null} />
      </div>
    </>
  );
}
