/** The equity and drawdown plots, with uPlot. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Book, Performance } from "../api";
import { day } from "../format";
import { colour } from "../theme";

const HEIGHTS = { equity: 290, drawdown: 110 };
const AXIS = 64;

/** Draw into `box` and follow its width; `point` is told the index under the cursor. Returns what takes it away. */
export function draw(box: HTMLElement, performance: Performance, point: (index: number | null) => void): () => void {
  const days = performance.equity;
  const times = days.map((row) => Date.parse(row.day) / 1000);
  const book = (name: Book) => days.map((row) => row.equity_usd[name]);
  const common = frame(box.clientWidth, point);
  const equity = new uPlot(
    {
      ...common,
      height: HEIGHTS.equity,
      axes: [xAxis(false), yAxis((value) => `$${value.toLocaleString("en-US")}`)],
      series: [
        {},
        { label: "Pessimistic", stroke: colour("pessimistic"), width: 1.25, dash: [2, 4], points: { show: false } },
        { label: "Ideal", stroke: colour("ideal"), width: 1.25, dash: [7, 4], points: { show: false } },
        { label: "Net", stroke: colour("ink"), width: 2.25, points: { show: days.length < 3 } },
      ],
      hooks: { drawClear: [(plot) => baseline(plot, performance.capital_usd)] },
    },
    [times, book("pessimistic"), book("ideal"), book("net")],
    box,
  );
  const drawdown = new uPlot(
    {
      ...common,
      height: HEIGHTS.drawdown,
      axes: [xAxis(true), yAxis((value) => `${String(value).replace("-", "−")} %`)],
      scales: { ...common.scales, y: { range: (_, low) => [Math.min(low * 1.1, -0.1), 0] } },
      series: [
        {},
        { label: "Drawdown", stroke: colour("loss"), fill: colour("loss-wash"), width: 1.25, points: { show: false } },
      ],
    },
    [times, days.map((row) => -row.drawdown_pct)],
    box,
  );
  const plots = [equity, drawdown] as const;
  const resized = new ResizeObserver(() => {
    const width = box.clientWidth;
    if (width > 0 && width !== equity.width) for (const plot of plots) plot.setSize({ width, height: plot.height });
  });
  resized.observe(box);
  return () => {
    resized.disconnect();
    for (const plot of plots) plot.destroy();
    box.replaceChildren();
  };
}

function frame(
  width: number,
  point: (index: number | null) => void,
): Pick<uPlot.Options, "width" | "legend" | "cursor" | "scales" | "tzDate" | "padding" | "hooks"> & {
  scales: uPlot.Scales;
} {
  return {
    width,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    scales: { x: { time: true } },
    cursor: {
      sync: { key: "equity" },
      drag: { x: false, y: false },
      y: false,
      points: { size: 7 },
      bind: {
        mousemove: (plot, _, handle) => (event) => {
          handle(event);
          point(plot.cursor.idx ?? null);
          return null;
        },
        mouseleave: (_, __, handle) => (event) => {
          handle(event);
          point(null);
          return null;
        },
      },
    },
  };
}

const font = () => `12px ${getComputedStyle(document.body).fontFamily}`;

function xAxis(labelled: boolean): uPlot.Axis {
  return {
    stroke: colour("soft"),
    font: font(),
    grid: { show: false },
    ticks: { show: false },
    space: 80,
    size: labelled ? 30 : 8,
    values: (_, splits) => splits.map((seconds) => (labelled ? day(seconds * 1000) : "")),
  };
}

function yAxis(write: (value: number) => string): uPlot.Axis {
  return {
    stroke: colour("soft"),
    font: font(),
    size: AXIS,
    space: 36,
    grid: { stroke: colour("hair"), width: 1 },
    ticks: { show: false },
    values: (_, splits) => splits.map((value) => write(Math.round(value * 100) / 100)),
  };
}

/** The capital that the record began with, where it is in sight. */
function baseline(plot: uPlot, capital: number): void {
  const y = Math.round(plot.valToPos(capital, "y", true));
  if (y < plot.bbox.top || y > plot.bbox.top + plot.bbox.height) return;
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = colour("soft");
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.moveTo(plot.bbox.left, y + 0.5);
  ctx.lineTo(plot.bbox.left + plot.bbox.width, y + 0.5);
  ctx.stroke();
  ctx.restore();
}
