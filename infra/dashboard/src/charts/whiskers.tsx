/** Win rates as bars with their 95 % intervals: what overlaps is not told apart by this sample. */

import { count, percent } from "../format";
import { href, type Route } from "../route";

export interface Rate {
  title: string;
  key: string;
  n: number;
  win_rate: number | null;
  win_rate_low: number | null;
  win_rate_high: number | null;
  break_even_win_rate?: number | null;
  rows: Route;
}

const MARKS = [0, 25, 50, 75, 100];

export function WinRates({ rates, of }: { rates: Rate[]; of: string }) {
  return (
    <figure class="rates">
      <ul>
        {rates.map((rate) => (
          <li key={rate.key}>
            <a href={href(rate.rows)}>{rate.title}</a>
            <Bar rate={rate} />
            <span class="number">
              {percent(rate.win_rate)} <small>n {count(rate.n)}</small>
            </span>
          </li>
        ))}
        <li class="axis" aria-hidden="true">
          <span />
          <span class="track">
            {MARKS.map((mark) => (
              <i key={mark} style={{ left: `${mark}%` }}>
                {mark}
              </i>
            ))}
          </span>
          <span />
        </li>
      </ul>
      <figcaption class="hint">
        The bar is the win rate in percent of {of}, the whisker its 95 % Wilson interval
        {rates.some((rate) => rate.break_even_win_rate) ? ", the diamond the rate that breaks even" : ""}.
      </figcaption>
    </figure>
  );
}

/** The same bar alone, beside the figure itself. */
export function WinRate({ rate }: { rate: Omit<Rate, "title" | "key" | "rows"> }) {
  return (
    <span class="rates alone">
      <Bar rate={{ ...rate, title: "All trades" }} />
    </span>
  );
}

function Bar({ rate }: { rate: Omit<Rate, "key" | "rows"> }) {
  const { win_rate: value, win_rate_low: low, win_rate_high: high, break_even_win_rate: needed } = rate;
  if (value === null || low === null || high === null) return <span class="track none">no outcome yet</span>;
  const words = `${rate.title}: win rate ${percent(value)}, interval ${percent(low)} to ${percent(high)}, n ${count(rate.n)}${needed ? `, break-even ${percent(needed)}` : ""}`;
  return (
    <span class="track" role="img" aria-label={words} title={words}>
      {MARKS.map((mark) => (
        <span key={mark} class="mark" style={{ left: `${mark}%` }} />
      ))}
      <span class="bar" style={{ width: `${value}%` }} />
      <span class="whisker" style={{ left: `${low}%`, width: `${high - low}%` }} />
      {needed ? <span class="needed" style={{ left: `${needed}%` }} /> : null}
    </span>
  );
}
