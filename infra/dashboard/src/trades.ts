/** What follows from a trade and a price; the arithmetic is the service's own (`domain/settlement.py`). */

import type { Status, Trade } from "./api";
import type { Filters } from "./route";
import type { World } from "./live";

export const sign = (trade: Trade) => (trade.direction === "LONG" ? 1 : -1);

export const ENDS: Record<Status, string> = {
  OPEN: "Open",
  CLOSED_TP: "Target",
  CLOSED_SL: "Stop",
  CLOSED_EXPIRED: "Expired",
  CLOSED_UNKNOWN: "No price",
};

/** USD that the net book would hold if the trade were closed at this price: slippage and fee on both sides. */
export function unrealised(trade: Trade, price: number): number | null {
  if (trade.net_entry_price === null) return null;
  const slippage = trade.slippage_bps / 10_000;
  const bought = trade.net_entry_price * (1 + sign(trade) * slippage);
  const sold = price * (1 - sign(trade) * slippage);
  const quantity = trade.position_usd / bought;
  const fees = (trade.fee_bps / 10_000) * (trade.position_usd + quantity * sold);
  return quantity * (sold - bought) * sign(trade) - fees;
}

/** Where a price lies between stop (0) and target (1), beyond them too; null where a level is missing. */
export function progress(trade: Trade, price: number): number | null {
  const { stop_loss: stop, take_profit: target } = trade;
  return stop === null || target === null || stop === target ? null : (price - stop) / (target - stop);
}

/** Percent of the price to a level, from the holder's side: how far the market may still go. */
export function distance(price: number, level: number | null): number | null {
  return level === null ? null : (Math.abs(level - price) / price) * 100;
}

/** What was listed, or what the feed told since: a trade closes once, and its entry price becomes known once. */
function newer(trade: Trade, told: Trade | undefined): Trade {
  if (!told || trade.status !== "OPEN") return trade;
  if (told.status !== "OPEN") return told;
  return { ...trade, net_entry_price: trade.net_entry_price ?? told.net_entry_price };
}

/** The trade as the feed knows it by now: closed meanwhile, or at the newest price. */
export function current(trade: Trade, live: World): Trade {
  const known = newer(trade, live.trades[trade.signal_id]);
  const price = live.prices[known.symbol];
  if (known.status !== "OPEN" || price === undefined) return known;
  const usd = unrealised(known, price);
  return {
    ...known,
    current_price: price,
    price_at: live.at ?? known.price_at,
    unrealised_usd: usd,
    unrealised_pct: usd === null ? null : (usd / known.position_usd) * 100,
  };
}

const FIELDS = {
  market_type: "market_type",
  timeframe: "timeframe",
  scanner: "scanner_type",
  channel: "channel_id",
  tier: "tier",
  side: "direction",
} as const satisfies Partial<Record<keyof Filters, keyof Trade>>;

const letters = (symbol: string) => symbol.toUpperCase().replace(/[^A-Z0-9]/g, "");

/** Whether the filters want this trade. A symbol may be given as BTC, BTCUSDT or BTC/USDT, as the API takes it. */
export function wanted(trade: Trade, filters: Filters): boolean {
  const named =
    filters.symbol === undefined ||
    [letters(trade.symbol), letters(trade.symbol.split("/")[0] ?? "")].includes(letters(filters.symbol));
  return (
    named &&
    Object.entries(FIELDS).every(
      ([name, field]) => !filters[name as keyof typeof FIELDS] || trade[field] === filters[name as keyof typeof FIELDS],
    )
  );
}

/** The open ones of these, and on the first page those that opened since, newest first. */
export function stillOpen(listed: Trade[], live: World, filters: Filters, first = true): Trade[] {
  const known = new Set(listed.map((trade) => trade.signal_id));
  const since = !first
    ? []
    : Object.values(live.trades).filter((trade) => !known.has(trade.signal_id) && wanted(trade, filters));
  return [...since, ...listed]
    .map((trade) => current(trade, live))
    .filter((trade) => trade.status === "OPEN")
    .sort((a, b) => b.opened_at.localeCompare(a.opened_at));
}

/** The closed ones of these, and those that closed since, last closed first. */
export function closedBy(listed: Trade[], live: World, filters: Filters): Trade[] {
  const known = new Set(listed.map((trade) => trade.signal_id));
  // What closed before the last one listed stands on a later page.
  const oldest = listed.at(-1)?.closed_at ?? "";
  const since = Object.values(live.trades).filter(
    (trade) =>
      trade.closed_at !== null && trade.closed_at >= oldest && !known.has(trade.signal_id) && wanted(trade, filters),
  );
  return [...since, ...listed].sort((a, b) => (b.closed_at ?? "").localeCompare(a.closed_at ?? ""));
}
