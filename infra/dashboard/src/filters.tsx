/** What the reader wants to see: a period, and the properties of the trades. All of it stands in the address. */

import { useEffect, useState } from "preact/hooks";
import type { Performance } from "./api";
import { word } from "./format";
import { useResource } from "./resource";
import { type Filter, type Filters, go, href, type Route } from "./route";

const PERIODS: [days: string, title: string][] = [
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "1 year"],
];
export const DEFAULT_DAYS = "30";

export function PeriodPicker({ route }: { route: Route }) {
  const chosen = route.filters.days ?? DEFAULT_DAYS;
  const { cursor: _, ...place } = route;
  return (
    <nav class="segments" aria-label="Period">
      {PERIODS.map(([days, title]) => (
        <a
          key={days}
          href={href({ ...place, filters: { ...route.filters, days } })}
          aria-current={chosen === days ? "true" : undefined}
        >
          {title}
        </a>
      ))}
    </nav>
  );
}

const TITLES: Record<Exclude<Filter, "days">, string> = {
  status: "Status",
  market_type: "Market",
  symbol: "Symbol",
  side: "Side",
  timeframe: "Timeframe",
  scanner: "Scanner",
  channel: "Channel",
  tier: "Tier",
};

type Choice = [value: string, title: string];
const ALL: Choice = ["", "All"];

const CHOICES: Partial<Record<Filter, Choice[]>> = {
  status: [
    ["closed", "Closed"],
    ["open", "Open"],
    ["all", "Open and closed"],
  ],
  market_type: [ALL, ["SPOT", "Spot"], ["FUTURES", "Futures"]],
  side: [ALL, ["LONG", "Long"], ["SHORT", "Short"]],
  timeframe: [ALL, ...["1m", "5m", "15m", "1h", "4h", "1d"].map((name): Choice => [name, name])],
  tier: [
    ALL,
    ...["TIER_1_MUST_BUY", "TIER_2_STRONG_BUY", "TIER_3_WATCHLIST", "TIER_4_NEUTRAL"].map((name): Choice => [
      name,
      word(name),
    ]),
  ],
};

const NARROW = matchMedia("(max-width: 640px)");

/** Whether there is only room for one column. */
function useNarrow(): boolean {
  const [narrow, set] = useState(NARROW.matches);
  useEffect(() => {
    const follow = () => set(NARROW.matches);
    NARROW.addEventListener("change", follow);
    return () => NARROW.removeEventListener("change", follow);
  }, []);
  return narrow;
}

/** The form above a list. `names` are the filters it offers. A change takes effect at once. */
export function FilterForm({ route, names }: { route: Route; names: Exclude<Filter, "days">[] }) {
  const [touched, touch] = useState(false);
  const narrow = useNarrow();
  const set = (name: Filter, value: string) => {
    const { cursor: _, ...place } = route;
    const { [name]: __, ...others } = route.filters;
    go({ ...place, filters: value ? { ...others, [name]: value } : others });
  };
  const given = names.filter((name) => route.filters[name]).length;
  return (
    <details class="choices" open={!narrow || given > 0}>
      <summary>Filters{given ? ` (${given})` : ""}</summary>
      <form
        class="filters"
        aria-label="Filters"
        onSubmit={(event) => event.preventDefault()}
        onFocusIn={() => touch(true)}
      >
        {names.map((name) => (
          <label key={name}>
            <span>{TITLES[name]}</span>
            {name === "symbol" || name === "scanner" || name === "channel" ? (
              <Named name={name} value={route.filters[name] ?? ""} ask={touched} set={(value) => set(name, value)} />
            ) : (
              <select
                name={name}
                value={route.filters[name] ?? CHOICES[name]?.[0]?.[0] ?? ""}
                onChange={(event) => set(name, event.currentTarget.value)}
              >
                {(CHOICES[name] ?? []).map(([value, title]) => (
                  <option key={value} value={value}>
                    {title}
                  </option>
                ))}
              </select>
            )}
          </label>
        ))}
        {given > 0 && (
          <a class="clear" href={href({ tab: route.tab, filters: pick(route.filters, "days") })}>
            Clear filters
          </a>
        )}
      </form>
    </details>
  );
}

function pick(filters: Filters, name: Filter): Filters {
  return filters[name] ? { [name]: filters[name] } : {};
}

/** A name typed or chosen from those of the record. */
function Named(props: {
  name: "symbol" | "scanner" | "channel";
  value: string;
  ask: boolean;
  set: (value: string) => void;
}) {
  const { data } = useResource<Performance>(props.ask ? `performance/?by=${props.name}` : null);
  return (
    <>
      <input
        key={props.value}
        name={props.name}
        list={`known-${props.name}`}
        defaultValue={props.value}
        placeholder="All"
        autocomplete="off"
        spellcheck={false}
        onChange={(event) => props.set(event.currentTarget.value.trim())}
      />
      <datalist id={`known-${props.name}`}>
        {(data?.rows ?? []).map((row) => (
          <option key={row.key} value={row.key} />
        ))}
      </datalist>
    </>
  );
}

/** On a tab without the form: what narrows its figures, and the way out. */
export function Narrowed({ route }: { route: Route }) {
  const given = (Object.keys(TITLES) as (keyof typeof TITLES)[]).filter(
    (name) => name !== "status" && route.filters[name],
  );
  if (!given.length) return null;
  return (
    <p class="narrowed">
      Only {given.map((name) => `${TITLES[name].toLowerCase()} ${word(route.filters[name] ?? "")}`).join(", ")}.{" "}
      <a href={href({ tab: route.tab, filters: pick(route.filters, "days") })}>Show everything</a>
    </p>
  );
}
