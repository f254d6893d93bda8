/** Equity of the three books and the net book's drawdown; the drawing itself is loaded when it is needed. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { EquityDay, Performance } from "../api";
import { change, count, day, percent, usd } from "../format";
import { Empty } from "../parts";
import { useStore } from "../store";
import { theme } from "../theme";

export function EquityCharts({ performance }: { performance: Performance | null }) {
  const box = useRef<HTMLDivElement>(null);
  const shown = useStore(theme);
  const [at, point] = useState<number | null>(null);
  const days = performance?.equity ?? [];
  useEffect(() => {
    if (!box.current || !performance || !days.length) return;
    const parts = { box: box.current, remove: () => {}, gone: false };
    void import("./plots").then(({ draw }) => {
      if (!parts.gone) parts.remove = draw(parts.box, performance, point);
    });
    return () => {
      parts.gone = true;
      parts.remove();
    };
  }, [performance, shown]);
  const last = days.at(-1);
  if (performance && !last)
    return <Empty title="No day to draw yet">The curve begins with the first closed trade.</Empty>;
  const read = at === null ? last : days[at];
  const words = last
    ? `Equity over ${days.length} days: net ${usd(last.equity_usd.net)} on ${day(last.day)}, deepest drawdown ${percent(performance?.books.net.max_drawdown_pct)}`
    : "Equity: loading";
  return (
    <figure class="equity">
      <p class="readout" aria-hidden="true">
        <span class="day">{read ? day(read.day) : "…"}</span>
        <span class="key net">Net {read && usd(read.equity_usd.net)}</span>
        <span class="key ideal">Ideal {read && usd(read.equity_usd.ideal)}</span>
        <span class="key pessimistic">Pessimistic {read && usd(read.equity_usd.pessimistic)}</span>
        <span class="key drawdown">Drawdown {read && change(-read.drawdown_pct)}</span>
      </p>
      <div class="plots" ref={box} role="img" aria-label={words} />
      {last && <DaysTable days={days} />}
    </figure>
  );
}

function DaysTable({ days }: { days: EquityDay[] }) {
  return (
    <details>
      <summary>The same as a table</summary>
      <div class="scroll tall" tabIndex={0} role="region" aria-label="Equity by day">
        <table>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col" class="number">
                Closed
              </th>
              <th scope="col" class="number">
                Net
              </th>
              <th scope="col" class="number">
                Ideal
              </th>
              <th scope="col" class="number">
                Pessimistic
              </th>
              <th scope="col" class="number">
                Drawdown
              </th>
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map((row) => (
              <tr key={row.day}>
                <th scope="row">{row.day}</th>
                <td class="number">{count(row.closed)}</td>
                <td class="number">{usd(row.equity_usd.net)}</td>
                <td class="number">{usd(row.equity_usd.ideal)}</td>
                <td class="number">{usd(row.equity_usd.pessimistic)}</td>
                <td class="number">{change(-row.drawdown_pct)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
