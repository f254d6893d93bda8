/** Figures and times as the page writes them: one locale, true minus signs, UTC. */

const LOCALE = "en-US";
const NONE = "—";

const decimals = (digits: number, least = digits) =>
  new Intl.NumberFormat(LOCALE, { minimumFractionDigits: least, maximumFractionDigits: digits });
const whole = decimals(0);
const one = decimals(1);
const two = decimals(2);
const four = decimals(4);
const five = new Intl.NumberFormat(LOCALE, { minimumSignificantDigits: 5, maximumSignificantDigits: 5 });
const clock = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

type Maybe = number | null | undefined;

/** Writes the absolute value and puts the sign before it; what rounds to nothing has none. */
function signed(value: number, write: (size: number) => string, plus: boolean): string {
  const text = write(Math.abs(value));
  if (!/[1-9]/.test(text)) return text;
  return value < 0 ? `−${text}` : plus ? `+${text}` : text;
}

const written = (value: Maybe, write: (size: number) => string, plus: boolean) =>
  value === null || value === undefined ? NONE : signed(value, write, plus);

export const count = (value: Maybe) => written(value, (size) => whole.format(size), false);
export const ratio = (value: Maybe) => written(value, (size) => two.format(size), false);
export const usd = (value: Maybe) => written(value, (size) => `$${two.format(size)}`, false);
export const profit = (value: Maybe) => written(value, (size) => `$${two.format(size)}`, true);
export const percent = (value: Maybe) => written(value, (size) => `${one.format(size)} %`, false);
export const change = (value: Maybe) => written(value, (size) => `${two.format(size)} %`, true);
export const score = (value: Maybe) => written(value, (size) => one.format(size), false);

/** A price with as many digits as its size needs. */
export const price = (value: Maybe) =>
  written(value, (size) => (size >= 1_000 ? two : size >= 1 ? four : five).format(size), false);

export function duration(seconds: Maybe): string {
  if (seconds === null || seconds === undefined) return NONE;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
}

/** Day and minute in UTC. */
export const when = (iso: string) => clock.format(new Date(iso)).replace(",", "");

/** The day alone. */
export const day = (iso: string | number) => date.format(new Date(iso));

/** The same moment where the reader is, with the zone's name. */
export const local = (iso: string) => moment.format(new Date(iso));

const WORDS: Record<string, string> = {
  TIER_1_MUST_BUY: "Tier 1 · must buy",
  TIER_2_STRONG_BUY: "Tier 2 · strong buy",
  TIER_3_WATCHLIST: "Tier 3 · watchlist",
  TIER_4_NEUTRAL: "Tier 4 · neutral",
  mss: "MSS",
};

/** A key of the API as a reader's word; what has none of its own stays as it is. */
export function word(key: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(key)) return WORDS[key] ?? key;
  return WORDS[key] ?? key.charAt(0).toUpperCase() + key.slice(1).replaceAll("_", " ");
}

export const tierNumber = (tier: string) => tier.match(/\d/)?.[0] ?? "";
