/** The frame: name, status, banners, tabs, and the tab that is open. */

import { useEffect, useRef } from "preact/hooks";
import type { Summary } from "./api";
import { Breakdown } from "./breakdown";
import { change, count, usd } from "./format";
import { History } from "./history";
import { type Connection, connection, follow, useWorld } from "./live";
import { Overview } from "./overview";
import { Time } from "./parts";
import { Positions } from "./positions";
import { useResource } from "./resource";
import { go, href, query, type Route, type Tab, TABS, useRoute } from "./route";
import { useStore } from "./store";
import { theme, toggle } from "./theme";
import { TradeDialog } from "./trade";

export function Page() {
  const route = useRoute();
  const { data: summary, error } = useResource<Summary>(`summary/${query(route.filters)}`);
  const panel = useRef<HTMLDivElement>(null);
  // A service that is away at first is asked again like one without a feed.
  const url = summary ? summary.live.url : error ? null : undefined;
  useEffect(() => (url === undefined ? undefined : follow(url, summary?.as_of ?? null)), [url]);
  useEffect(() => {
    document.title = `${TABS[route.tab]} · Plumbline`;
    if (document.activeElement === document.body && panel.current?.dataset.tab)
      panel.current.focus({ preventScroll: true });
    if (panel.current) panel.current.dataset.tab = route.tab;
  }, [route.tab]);
  const skip = (event: Event) => {
    event.preventDefault();
    panel.current?.focus();
  };
  return (
    <>
      <a class="skip" href="#panel" onClick={skip}>
        Skip to the record
      </a>
      <Head summary={summary} />
      <Banners summary={summary} />
      <Tabs route={route} />
      <main>
        <div id="panel" ref={panel} role="tabpanel" aria-labelledby={`tab-${route.tab}`} tabIndex={-1}>
          <Panel route={route} summary={summary} error={error} />
        </div>
      </main>
      <Foot summary={summary} />
      {route.trade && <TradeDialog key={route.trade} route={route} id={route.trade} />}
    </>
  );
}

function Panel({ route, summary, error }: { route: Route; summary: Summary | null; error: string | null }) {
  switch (route.tab) {
    case "overview":
      return <Overview route={route} summary={summary} error={error} />;
    case "positions":
      return <Positions route={route} />;
    case "history":
      return <History route={route} />;
    default:
      return <Breakdown key={route.tab} route={route} by={route.tab} />;
  }
}

const CONNECTIONS: Record<Connection, [text: string, about: string]> = {
  connecting: ["Connecting", "Opening the live feed"],
  live: ["Live", "Told of every change over the live feed"],
  polling: ["Polling", "The live feed is away: the page asks again every 30 seconds"],
  offline: ["Offline", "The service cannot be reached: what is shown is as old as it says"],
};

function Head({ summary }: { summary: Summary | null }) {
  const shown = useStore(theme);
  const [text, about] = CONNECTIONS[useStore(connection)];
  const at = useWorld().at ?? summary?.as_of ?? null;
  return (
    <header class="head">
      <a class="brand" href={href({ tab: "overview", filters: {} })}>
        <svg viewBox="0 0 20 30" width="17" height="26" aria-hidden="true">
          <path d="M10 1v15" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" />
          <path d="M4.6 16h10.8L10 28.5z" fill="var(--gain)" />
        </svg>
        <h1>Plumbline</h1>
      </a>
      <p class="tagline">Every signal on paper, checked against what the market then did.</p>
      <div class="status">
        {summary?.simulated && <span class="chip warn">Simulated</span>}
        {summary && !summary.simulated && <span class="chip">{summary.data_source}</span>}
        {summary?.stale && <span class="chip bad">Stale</span>}
        <span class={`chip line ${text.toLowerCase()}`} title={about} role="status">
          {text}
        </span>
        <span class="at">
          <Time at={at} /> UTC
        </span>
        <button
          type="button"
          class="theme"
          aria-label={`Change to the ${shown === "dark" ? "light" : "dark"} theme`}
          onClick={toggle}
        >
          <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
            <circle cx="10" cy="10" r="7.2" fill="none" stroke="currentColor" stroke-width="1.6" />
            <path d="M10 2.8a7.2 7.2 0 0 1 0 14.4z" fill="currentColor" />
          </svg>
        </button>
      </div>
    </header>
  );
}

function Banners({ summary }: { summary: Summary | null }) {
  return (
    <section class="banners" aria-label="What these figures are">
      {summary?.stale && (
        <p class="banner bad" role="alert">
          <b>These figures are stale.</b> The newest candle is of <Time at={summary.newest_candle_at} /> UTC; what the
          market did since is not in them.
        </p>
      )}
      {summary?.simulated && (
        <p class="banner warn">
          <b>Simulated market.</b> These prices come from a simulation, not from an exchange.
        </p>
      )}
      <p class="banner hypothetical">
        {summary?.hypothetical ?? "All results here are hypothetical: no order was sent and no money was at stake."}
      </p>
    </section>
  );
}

function Tabs({ route }: { route: Route }) {
  const list = useRef<HTMLDivElement>(null);
  const names = Object.keys(TABS) as Tab[];
  const place = (tab: Tab): Route => {
    const { status: _, ...filters } = route.filters;
    return { tab, filters };
  };
  useEffect(() => {
    const [strip, tab] = [list.current, document.getElementById(`tab-${route.tab}`)];
    if (strip && tab) strip.scrollTo({ left: tab.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2 });
  }, [route.tab]);
  const keys = (event: KeyboardEvent) => {
    const at = names.indexOf(route.tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    const tab = to === undefined ? undefined : names[(to + names.length) % names.length];
    if (!tab) return;
    event.preventDefault();
    document.getElementById(`tab-${tab}`)?.focus();
    go(place(tab), true);
  };
  return (
    <nav class="tabs" aria-label="The record">
      <div role="tablist" ref={list} onKeyDown={keys} aria-label="Views">
        {names.map((tab) => (
          <a
            key={tab}
            id={`tab-${tab}`}
            role="tab"
            href={href(place(tab))}
            aria-selected={tab === route.tab}
            aria-controls="panel"
            data-title={TABS[tab]}
            tabIndex={tab === route.tab ? 0 : -1}
          >
            {TABS[tab]}
          </a>
        ))}
      </div>
    </nav>
  );
}

function Foot({ summary }: { summary: Summary | null }) {
  const costs = summary?.costs;
  return (
    <footer class="foot">
      {costs && (
        <p>
          Each signal opens one trade of {usd(costs.position_usd)}; {costs.fee_bps} bp fee and {costs.slippage_bps} bp
          slippage a side. Returns are on {usd(costs.capital_usd)}. {count(summary.closed_unknown)} trades closed
          without a price
          {summary.coverage === null ? "" : `; coverage ${change(summary.coverage).replace("+", "")}`}.
        </p>
      )}
      <p>Times are UTC. Every figure opens to its formula. Nothing here is advice, and past results promise nothing.</p>
    </footer>
  );
}
