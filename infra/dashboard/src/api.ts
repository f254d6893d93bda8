/** What the public API answers (`/api/public/paper-trading/`); names, units and meaning are the API's own. */

export type Status = "OPEN" | "CLOSED_TP" | "CLOSED_SL" | "CLOSED_EXPIRED" | "CLOSED_UNKNOWN";
export type Book = "ideal" | "net" | "pessimistic";
type Figure = number | null;

export interface Trade {
  signal_id: string;
  symbol: string;
  direction: "LONG" | "SHORT";
  status: Status;
  outcome: string;
  market_type: string;
  timeframe: string;
  scanner_type: string;
  channel_id: string;
  strategy_type: string;
  tier: string;
  unified_score: number;
  confidence: number;
  snapshot_id: string;
  origin: string;
  trigger_type: string;
  indicators_fired: string[];
  indicator_breakdown: Record<string, number>;
  entry_price: number;
  net_entry_price: Figure;
  stop_loss: Figure;
  take_profit: Figure;
  opened_at: string;
  expires_at: string;
  closed_at: string | null;
  exit_price: Figure;
  held_seconds: Figure;
  position_usd: number;
  fee_bps: number;
  slippage_bps: number;
  pnl_usd: Figure;
  pnl_pct: Figure;
  gross_pnl_usd: Figure;
  gross_pnl_pct: Figure;
  pessimistic_pnl_usd: Figure;
  pessimistic_pnl_pct: Figure;
  ambiguous: boolean;
  pnl_usd_if_target: Figure;
  max_favourable_pct: Figure;
  max_adverse_pct: Figure;
  simulated: boolean;
  current_price: Figure;
  price_at: string | null;
  unrealised_usd: Figure;
  unrealised_pct: Figure;
}

export interface TradeList {
  count: number;
  trades: Trade[];
  next_cursor: string | null;
}

export interface OpenList extends TradeList {
  as_of: string | null;
  unrealised_usd: Figure;
}

export interface Period {
  period_days: number;
  from: string;
  to: string;
  data_source: string;
  simulated: boolean;
}

export interface Summary {
  as_of: string | null;
  newest_candle_at: string | null;
  stale: boolean;
  simulated: boolean;
  data_source: string;
  hypothetical: string;
  period: Period;
  costs: { position_usd: number; fee_bps: number; slippage_bps: number; capital_usd: number };
  live: { url: string | null };
  total_pnl_usd: number;
  total_pnl_pct: Figure;
  win_rate: Figure;
  win_rate_low: Figure;
  win_rate_high: Figure;
  n: number;
  break_even_win_rate: Figure;
  average_profit_usd: Figure;
  average_loss_usd: Figure;
  winning: number;
  losing: number;
  flat: number;
  closed: number;
  closed_unknown: number;
  open: number;
  total: number;
  total_signals: number;
  coverage: Figure;
  unrealised_usd: Figure;
}

export interface BookFigures {
  total_pnl_usd: number;
  total_return_pct: Figure;
  win_rate: Figure;
  win_rate_low: Figure;
  win_rate_high: Figure;
  n: number;
  average_profit_usd: Figure;
  average_loss_usd: Figure;
  profit_factor: Figure;
  expectancy_usd: Figure;
  sharpe_ratio: Figure;
  sortino_ratio: Figure;
  days: number;
  max_drawdown_usd: Figure;
  max_drawdown_pct: Figure;
  best_trade_usd: Figure;
  worst_trade_usd: Figure;
}

export interface EquityDay {
  day: string;
  pnl_usd: Record<Book, number>;
  equity_usd: Record<Book, number>;
  drawdown_pct: number;
  closed: number;
}

/** Outcomes of one interval. */
export interface Checked {
  n: number;
  wins: number;
  losses: number;
  neutral: number;
  win_rate: Figure;
  win_rate_low: Figure;
  win_rate_high: Figure;
  avg_pnl_pct: Figure;
  coverage: Figure;
}

export interface Row {
  key: string;
  closed: number;
  n: number;
  win_rate: Figure;
  win_rate_low: Figure;
  win_rate_high: Figure;
  break_even_win_rate: Figure;
  total_pnl_usd: Figure;
  average_pnl_usd: Figure;
  profit_factor: Figure;
  gross_pnl_usd: Figure;
  pessimistic_pnl_usd: Figure;
  average_held_seconds: Figure;
  signals: number;
  intervals: Record<string, Checked>;
}

export interface Performance {
  as_of: string | null;
  period: Period;
  capital_usd: number;
  days_per_year: number;
  books: Record<Book, BookFigures>;
  closed: number;
  targets: number;
  stops: number;
  expired: number;
  unknown: number;
  ambiguous: number;
  ambiguous_bounds: { low_usd: Figure; high_usd: Figure };
  exposure: { average_open: Figure; average_usd: Figure; time_in_market_hours: Figure };
  average_held_seconds: Figure;
  average_max_favourable_pct: Figure;
  average_max_adverse_pct: Figure;
  fees_and_slippage_usd: Figure;
  equity: EquityDay[];
  rows: Row[] | null;
  formulas: Record<string, string>;
}

export interface TradePage {
  trade: Trade;
  candles: { timeframe: string; rows: [number, number, number, number, number, number][] };
}

/** What the service said instead of an answer. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The service's own root: what stands before /bot-performance in the page's address. */
const ROOT = location.pathname.replace(/\/bot-performance\/?$/, "");

export function address(path: string): string {
  return `${ROOT}/api/public/paper-trading/${path}`;
}

/** One GET. `fresh` asks the service whether what the browser keeps still holds. */
export async function get<T>(path: string, signal: AbortSignal, fresh: boolean): Promise<T> {
  const response = await fetch(address(path), { signal, cache: fresh ? "no-cache" : "default" });
  if (response.ok) return (await response.json()) as T;
  const problem: unknown = await response.json().catch(() => null);
  throw new Refused(response.status, detailOf(problem) ?? `The service answered ${response.status}.`);
}

function detailOf(problem: unknown): string | null {
  if (typeof problem !== "object" || problem === null) return null;
  const { detail, errors } = problem as { detail?: unknown; errors?: { field?: string; message?: string }[] };
  const named = (errors ?? []).map((error) => `${error.field}: ${error.message}`).join("; ");
  return named || (typeof detail === "string" ? detail : null);
}
