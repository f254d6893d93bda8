/** The live feed: one WebSocket that says what happened since, and what the page knows from it. */

import type { Trade } from "./api";
import { reachable, refresh } from "./resource";
import { Store, useStore } from "./store";

export type Connection = "connecting" | "live" | "polling" | "offline";

/** What the feed has told since the page was opened. */
export interface World {
  prices: Readonly<Record<string, number>>;
  /** Trades by signal id, as they were last told. */
  trades: Readonly<Record<string, Trade>>;
  /** What closing everything that is open would make, USD; null before the feed has said it. */
  unrealised: number | null;
  /** How many trades are open; null before the feed has said it. */
  open: number | null;
  /** Moment of the newest message, ISO. */
  at: string | null;
}

export const world = new Store<World>({ prices: {}, trades: {}, unrealised: null, open: null, at: null });
export const useWorld = () => useStore(world);
export const connection = new Store<Connection>("connecting");

const REFRESH = 30_000;
const QUIET = 150_000;
const PING = 300_000;
const ANSWER = 20_000;
const SETTLED = 1_500;
/** Of those told, so many of the newest are remembered: the lists have the others by then. */
const MOST_TRADES = 1_000;
const [FIRST_WAIT, LONGEST_WAIT] = [1_000, 30_000];

interface Message {
  type: string;
  id?: number;
  at?: string;
  as_of?: string;
  open?: number;
  unrealised_usd?: number;
  prices?: Record<string, number>;
  trade?: Trade;
  reason?: string;
}

class Feed {
  private socket: WebSocket | null = null;
  private last: number | null = null;
  private heard = 0;
  private failures = 0;
  private again = 0;
  private pulse = 0;
  private settling = 0;

  /** `since` (ISO) is the moment of the data already shown: what happened after it is told first. */
  constructor(
    private readonly url: string,
    private readonly since: string | null,
  ) {}

  get quiet(): boolean {
    return connection.get() !== "live" || Date.now() - this.heard > QUIET;
  }

  open(): void {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.send({ type: "subscribe", since: this.last ?? this.since ?? undefined });
      this.pulse = window.setInterval(() => this.ping(), PING);
    };
    socket.onmessage = (event) => this.hear(event.data as string);
    socket.onclose = () => this.closed(socket);
  }

  close(): void {
    const socket = this.socket;
    this.socket = null;
    clearTimeout(this.again);
    clearTimeout(this.settling);
    clearInterval(this.pulse);
    socket?.close();
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** A line that died without a word stays open for as long as nobody expects an answer. */
  private ping(): void {
    const before = this.heard;
    this.send({ type: "ping" });
    setTimeout(() => {
      if (this.heard === before) this.socket?.close();
    }, ANSWER);
  }

  private closed(socket: WebSocket): void {
    if (socket !== this.socket) return;
    clearInterval(this.pulse);
    this.socket = null;
    connection.set(navigator.onLine ? "polling" : "offline");
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures++);
    this.again = window.setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
  }

  private hear(text: string): void {
    this.heard = Date.now();
    this.failures = 0;
    connection.set("live");
    let message: Message;
    try {
      message = JSON.parse(text) as Message;
    } catch {
      return;
    }
    if (typeof message.id === "number") {
      if (this.last !== null && message.id <= this.last) return;
      this.last = message.id;
    }
    if (message.type === "market_update" && message.prices) this.priced(message.prices, message);
    else if (message.type === "position_update" && message.trade) this.traded(message.trade, message.at);
    else if (message.type === "signal") this.settle();
    else if (message.type === "error") this.warned(message.reason ?? "");
  }

  private priced(prices: Record<string, number>, told: Message): void {
    const before = world.get();
    world.set({
      ...before,
      prices: { ...before.prices, ...prices },
      unrealised: told.unrealised_usd ?? null,
      open: told.open ?? null,
      at: told.as_of ?? told.at ?? before.at,
    });
  }

  /** The feed no longer holds all since then, or was begun anew: what was missed is asked for instead. */
  private warned(reason: string): void {
    if (!reason.startsWith("since")) return;
    if (reason === "since_unknown") this.last = null;
    refresh();
  }

  private traded(trade: Trade, at: string | undefined): void {
    const before = world.get();
    const told = Object.entries(before.trades).filter(([id]) => id !== trade.signal_id);
    const trades = Object.fromEntries([...told, [trade.signal_id, trade] as const].slice(-MOST_TRADES));
    world.set({ ...before, trades, at: at ?? before.at });
    this.settle();
  }

  /** The statistics change with a trade: they are asked for once the burst is over. */
  private settle(): void {
    clearTimeout(this.settling);
    this.settling = window.setTimeout(refresh, SETTLED);
  }
}

/** Follow the feed at `url`, or where there is none, or while it is away, ask again every 30 seconds. */
export function follow(url: string | null, since: string | null): () => void {
  const feed = url ? new Feed(url, since) : null;
  if (feed) feed.open();
  else connection.set("polling");
  const ask = () => {
    if (!document.hidden && (feed?.quiet ?? true)) refresh();
  };
  const timer = setInterval(ask, REFRESH);
  const network = () => {
    if (connection.get() === "live") return;
    connection.set(navigator.onLine && reachable.get() ? "polling" : "offline");
    if (navigator.onLine) ask();
  };
  const stop = reachable.follow(() => {
    if (connection.get() !== "live") connection.set(reachable.get() ? "polling" : "offline");
  });
  for (const name of ["online", "offline"]) addEventListener(name, network);
  document.addEventListener("visibilitychange", ask);
  return () => {
    clearInterval(timer);
    stop();
    for (const name of ["online", "offline"]) removeEventListener(name, network);
    document.removeEventListener("visibilitychange", ask);
    feed?.close();
  };
}
