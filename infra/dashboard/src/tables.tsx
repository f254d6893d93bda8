/** Trades as rows: the open ones with the market's price, the closed ones with what they came to. */

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Trade } from "./api";
import { Change } from "./figure";
import { change, duration, price, profit, score, tierNumber, word } from "./format";
import { Badge, Levels, Side, Time } from "./parts";
import { go, href, type Route } from "./route";

interface Rows {
  trades: Trade[];
  route: Route;
  /** What the table is, for those who hear it. */
  caption: string;
  /** Fewer columns, beside another table. */
  brief?: boolean;
}

export function OpenTable({ trades, route, caption, brief }: Rows) {
  return (
    <div class="scroll">
      <table class={`trades ${brief ? "brief" : ""}`}>
        <caption class="heard">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Trade</th>
            {!brief && (
              <th scope="col" class="wide">
                Opened
              </th>
            )}
            <th scope="col" class="number wide">
              Entry
            </th>
            <th scope="col" class="number">
              Price now
            </th>
            {!brief && (
              <th scope="col" class="number wide">
                Stop
              </th>
            )}
            {!brief && (
              <th scope="col" class="number wide">
                Target
              </th>
            )}
            <th scope="col" class="number edge">
              P/L now
            </th>
            {!brief && (
              <th scope="col" class="wide">
                Scanner
              </th>
            )}
            {!brief && (
              <th scope="col" class="number wide">
                Score
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {trades.map((trade) => (
            <Openable key={trade.signal_id} trade={trade} route={route} brief={brief}>
              {!brief && (
                <td class="wide soft">
                  <Time at={trade.opened_at} />
                </td>
              )}
              <td class="number wide">{price(trade.entry_price)}</td>
              <td class="number">
                <Ticking value={trade.current_price} />
                <Levels trade={trade} at={trade.current_price} />
              </td>
              {!brief && <td class="number wide soft">{price(trade.stop_loss)}</td>}
              {!brief && <td class="number wide soft">{price(trade.take_profit)}</td>}
              <td class="number edge">
                <Change value={trade.unrealised_usd} text={profit(trade.unrealised_usd)} />
                <small>{trade.net_entry_price === null ? "enters next minute" : change(trade.unrealised_pct)}</small>
              </td>
              {!brief && <td class="wide soft">{word(trade.scanner_type)}</td>}
              {!brief && (
                <td class="number wide">
                  {score(trade.unified_score)}
                  <small>Tier {tierNumber(trade.tier)}</small>
                </td>
              )}
            </Openable>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function ClosedTable({ trades, route, caption, brief }: Rows) {
  return (
    <div class="scroll">
      <table class={`trades ${brief ? "brief" : ""}`}>
        <caption class="heard">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Trade</th>
            <th scope="col" class={brief ? "" : "wide"}>
              Closed
            </th>
            {!brief && (
              <th scope="col" class="wide">
                By
              </th>
            )}
            {!brief && (
              <th scope="col" class="number wide">
                Entry
              </th>
            )}
            {!brief && (
              <th scope="col" class="number wide">
                Exit
              </th>
            )}
            {!brief && (
              <th scope="col" class="number wide">
                Held
              </th>
            )}
            <th scope="col" class="number edge">
              Net P/L
            </th>
            {!brief && (
              <th scope="col" class="number wide">
                Ideal
              </th>
            )}
            {!brief && (
              <th scope="col" class="number wide">
                Pessimistic
              </th>
            )}
            {!brief && (
              <th scope="col" class="wide">
                Scanner
              </th>
            )}
            {!brief && (
              <th scope="col" class="number wide">
                Score
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {trades.map((trade) => (
            <Openable key={trade.signal_id} trade={trade} route={route} brief={brief}>
              <td class={brief ? "soft" : "wide soft"}>
                <Time at={trade.closed_at ?? trade.opened_at} />
                {brief && (
                  <small>
                    <Badge status={trade.status} ambiguous={trade.ambiguous} />
                  </small>
                )}
              </td>
              {!brief && (
                <td class="wide">
                  <Badge status={trade.status} ambiguous={trade.ambiguous} />
                </td>
              )}
              {!brief && <td class="number wide">{price(trade.entry_price)}</td>}
              {!brief && <td class="number wide">{price(trade.exit_price)}</td>}
              {!brief && <td class="number wide soft">{duration(trade.held_seconds)}</td>}
              <td class="number edge">
                <Change
                  value={trade.pnl_usd ?? trade.unrealised_usd}
                  text={profit(trade.pnl_usd ?? trade.unrealised_usd)}
                />
                <small>
                  {!brief && (
                    <span class="narrow">
                      <Badge status={trade.status} ambiguous={trade.ambiguous} />{" "}
                    </span>
                  )}
                  {change(trade.pnl_pct ?? trade.unrealised_pct)}
                </small>
              </td>
              {!brief && <td class="number wide soft">{profit(trade.gross_pnl_usd)}</td>}
              {!brief && <td class="number wide soft">{profit(trade.pessimistic_pnl_usd)}</td>}
              {!brief && <td class="wide soft">{word(trade.scanner_type)}</td>}
              {!brief && (
                <td class="number wide">
                  {score(trade.unified_score)}
                  <small>Tier {tierNumber(trade.tier)}</small>
                </td>
              )}
            </Openable>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A row that opens its trade: by its link with the keyboard, anywhere on it with the mouse. */
function Openable({
  trade,
  route,
  brief,
  children,
}: {
  trade: Trade;
  route: Route;
  brief: boolean | undefined;
  children: ComponentChildren;
}) {
  const place = { ...route, trade: trade.signal_id };
  const click = (event: MouseEvent) => {
    const bare = !(event.target as Element).closest("a, button") && !event.metaKey && !event.ctrlKey;
    if (bare && !getSelection()?.toString()) {
      (event.currentTarget as HTMLElement).querySelector("a")?.focus();
      go(place);
    }
  };
  return (
    <tr onClick={click} data-trade={trade.signal_id}>
      <th scope="row">
        <a href={href(place)}>{trade.symbol}</a>
        <small>
          <Side trade={trade} /> · {trade.timeframe}
          {!brief && (
            <span class="narrow">
              {" · "}
              <Time at={trade.closed_at ?? trade.opened_at} />
            </span>
          )}
        </small>
      </th>
      {children}
    </tr>
  );
}

/** A price that shows for a moment which way it went. */
function Ticking({ value }: { value: number | null }) {
  const before = useRef(value);
  const way =
    value === null || before.current === null || value === before.current ? "" : value > before.current ? "up" : "down";
  before.current = value;
  return (
    <span key={String(value)} class={`tick ${way}`}>
      {price(value)}
    </span>
  );
}
