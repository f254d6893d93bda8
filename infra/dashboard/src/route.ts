/** Where the reader is: the tab, the filters, the page and the open trade, all in the address, so that it can be sent. */

import { useEffect, useState } from "preact/hooks";

export const TABS = {
  overview: "Overview",
  positions: "Open positions",
  history: "Trade history",
  scanner: "By scanner",
  tier: "By tier",
  interval: "By interval",
  symbol: "By symbol",
  channel: "By channel",
} as const;

export type Tab = keyof typeof TABS;

export const FILTERS = [
  "days",
  "market_type",
  "symbol",
  "timeframe",
  "scanner",
  "channel",
  "tier",
  "side",
  "status",
] as const;
export type Filter = (typeof FILTERS)[number];
export type Filters = Partial<Record<Filter, string>>;

export interface Route {
  tab: Tab;
  filters: Filters;
  cursor?: string;
  sort?: string;
  trade?: string;
}

const EXTRA = ["cursor", "sort", "trade"] as const;

export function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const given = new URLSearchParams(query);
  const route: Route = { tab: path in TABS ? (path as Tab) : "overview", filters: {} };
  for (const name of FILTERS) {
    const value = given.get(name);
    if (value) route.filters[name] = value;
  }
  for (const name of EXTRA) {
    const value = given.get(name);
    if (value) route[name] = value;
  }
  return route;
}

/** The address of a place on the page. */
export function href(route: Route): string {
  const query = new URLSearchParams();
  for (const name of FILTERS) if (route.filters[name]) query.set(name, route.filters[name]);
  for (const name of EXTRA) if (route[name]) query.set(name, route[name]);
  const text = query.toString();
  return `#/${route.tab}${text ? `?${text}` : ""}`;
}

/** Whether the filters leave anything out, but for the period. */
export const isNarrowed = (filters: Filters) =>
  FILTERS.some((name) => name !== "days" && name !== "status" && filters[name]);

/** The filters as a query of the API; `status` only where the answer knows it. */
export function query(filters: Filters, more: Record<string, string | undefined> = {}): string {
  const parts = new URLSearchParams();
  for (const name of FILTERS) if (name !== "status" && filters[name]) parts.set(name, filters[name]);
  for (const [name, value] of Object.entries(more)) if (value) parts.set(name, value);
  const text = parts.toString();
  return text ? `?${text}` : "";
}

/** Go there; `replace` leaves no step in the browser's history. */
export function go(route: Route, replace = false): void {
  if (replace) {
    history.replaceState(null, "", href(route));
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = href(route);
  }
}

export function useRoute(): Route {
  const [route, set] = useState(() => parse(location.hash));
  useEffect(() => {
    const follow = () => set(parse(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}
