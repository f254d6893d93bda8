/** One trade on its candles, with TradingView's Lightweight Charts: entry, stop, target and exit drawn. */

import {
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  LineStyle,
  type IChartApi,
  type ISeriesApi,
  type SeriesMarker,
  type UTCTimestamp,
} from "lightweight-charts";
import type { Trade, TradePage } from "../api";
import { price as priceText } from "../format";
import { colour } from "../theme";
import { ENDS } from "../trades";

/** Draw into `box`; returns what takes it away. */
export function drawTrade(box: HTMLElement, { trade, candles }: TradePage): () => void {
  const chart = framed(box, candles.timeframe, Math.ceil(candles.rows.length * ROOM));
  const series = chart.addSeries(CandlestickSeries, {
    upColor: colour("gain"),
    borderUpColor: colour("gain"),
    wickUpColor: colour("gain"),
    downColor: colour("page"),
    borderDownColor: colour("loss"),
    wickDownColor: colour("loss"),
    priceLineVisible: trade.status === "OPEN",
    lastValueVisible: trade.status === "OPEN",
    priceFormat: { type: "custom", minMove: 1e-8, formatter: (value: number) => priceText(value) },
  });
  series.setData(
    candles.rows.map(([time, open, high, low, close]) => ({
      time: (time / 1000) as UTCTimestamp,
      open,
      high,
      low,
      close,
    })),
  );
  levels(series, trade);
  createSeriesMarkers(
    series,
    marks(
      trade,
      candles.rows.map(([time]) => time),
    ),
  );
  chart.timeScale().fitContent();
  return () => chart.remove();
}

/** Share of the candles that is left free at the right, so that the levels' names cover none. */
const ROOM = 0.09;

function framed(box: HTMLElement, timeframe: string, rightOffset: number): IChartApi {
  return createChart(box, {
    autoSize: true,
    layout: {
      background: { color: colour("page") },
      textColor: colour("soft"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      // Its logo brings a style sheet that the page's policy refuses; the notice stands below the chart.
      attributionLogo: false,
    },
    grid: { vertLines: { visible: false }, horzLines: { color: colour("hair") } },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.08 } },
    timeScale: { borderVisible: false, rightOffset, timeVisible: !timeframe.endsWith("d") },
    localization: { locale: "en-GB" },
    handleScroll: { vertTouchDrag: false },
  });
}

/** Lines at the trade's prices; the scale is kept wide enough to show them all. */
function levels(series: ISeriesApi<"Candlestick">, trade: Trade): void {
  const lines: [number | null, string, string, LineStyle][] = [
    [trade.take_profit, "target", colour("gain"), LineStyle.Dashed],
    [trade.entry_price, "entry", colour("ink"), LineStyle.Solid],
    [trade.stop_loss, "stop", colour("loss"), LineStyle.Dashed],
    [trade.status === "CLOSED_EXPIRED" ? trade.exit_price : null, "exit", colour("accent"), LineStyle.Dotted],
  ];
  const drawn = lines.filter((line): line is [number, string, string, LineStyle] => line[0] !== null);
  for (const [price, title, color, lineStyle] of drawn)
    series.createPriceLine({ price, title, color, lineStyle, lineWidth: 1 });
  const prices = drawn.map(([price]) => price);
  series.applyOptions({
    autoscaleInfoProvider: (original: () => { priceRange: { minValue: number; maxValue: number } | null } | null) => {
      const range = original()?.priceRange;
      if (!range) return null;
      return {
        priceRange: { minValue: Math.min(range.minValue, ...prices), maxValue: Math.max(range.maxValue, ...prices) },
      };
    },
  });
}

/** Arrows where it was entered and left, at the candles that hold these moments. */
function marks(trade: Trade, times: number[]): SeriesMarker<UTCTimestamp>[] {
  const holding = (iso: string) => times.findLast((time) => time <= Date.parse(iso));
  const long = trade.direction === "LONG";
  const [entered, left] = [holding(trade.opened_at), trade.closed_at ? holding(trade.closed_at) : undefined];
  const marks: SeriesMarker<UTCTimestamp>[] = [];
  if (entered !== undefined)
    marks.push({
      time: (entered / 1000) as UTCTimestamp,
      position: long ? "belowBar" : "aboveBar",
      shape: long ? "arrowUp" : "arrowDown",
      color: colour("ink"),
      text: "Entry",
    });
  if (left !== undefined)
    marks.push({
      time: (left / 1000) as UTCTimestamp,
      position: long ? "aboveBar" : "belowBar",
      shape: long ? "arrowDown" : "arrowUp",
      color: colour("accent"),
      text: ENDS[trade.status],
    });
  return marks;
}
