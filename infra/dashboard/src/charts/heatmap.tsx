/** Outcomes of each row at each interval: a table whose cells are coloured by their average P/L. */

import type { Checked, Row } from "../api";
import { Explained } from "../figure";
import { change, count, percent, word } from "../format";
import { href, type Route } from "../route";

const INTERVALS = ["1h", "4h", "24h", "7d", "30d"];
const FULL = 3;
/** Percent of average P/L at which a cell has its full colour: the threshold of a loss. */
const DEEPEST = 42;

export function HeatMap({ rows, title, behind }: { rows: Row[]; title: string; behind: (key: string) => Route }) {
  return (
    <figure class="heat">
      <div class="scroll">
        <table>
          <caption class="heard">Average P/L and win rate of outcomes by {title.toLowerCase()} and interval</caption>
          <thead>
            <tr>
              <th scope="col">{title}</th>
              {INTERVALS.map((interval) => (
                <th key={interval} scope="col">
                  {interval}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.key}>
                <th scope="row">
                  <a href={href(behind(row.key))}>{word(row.key)}</a>
                </th>
                {INTERVALS.map((interval) => (
                  <Cell key={interval} checked={row.intervals[interval]} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <figcaption class="hint">
        Each cell:{" "}
        <Explained
          behind={{
            formula: "intervals.avg_pnl_pct",
            title: "Average P/L of outcomes",
            n: total(rows),
            of: "outcomes of all cells",
          }}
        >
          average P/L
        </Explained>
        , then{" "}
        <Explained
          behind={{
            formula: "intervals.win_rate",
            title: "Win rate of outcomes",
            n: total(rows),
            of: "outcomes of all cells",
          }}
        >
          win rate
        </Explained>{" "}
        and n. Full colour at ±{FULL} %.
      </figcaption>
    </figure>
  );
}

const total = (rows: Row[]) =>
  rows.flatMap((row) => Object.values(row.intervals)).reduce((sum, checked) => sum + checked.n, 0);

function Cell({ checked }: { checked: Checked | undefined }) {
  if (!checked?.n || checked.avg_pnl_pct === null) return <td class="none">—</td>;
  const value = checked.avg_pnl_pct;
  const depth = Math.min(1, Math.abs(value) / FULL) * DEEPEST;
  return (
    <td class={value < 0 ? "loss" : "gain"} style={{ "--depth": `${depth.toFixed(1)}%` }}>
      {change(value)}
      <small>
        {percent(checked.win_rate)} · {count(checked.n)}
      </small>
    </td>
  );
}
