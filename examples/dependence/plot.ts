/** Scatter plots beside each other, as SVG. */
import type { Finding } from "./main.ts";

const SIDE = 180;
const MARGIN = 16;
const CAPTION = 52;
/** More points are no easier to see. */
const MOST_POINTS = 600;

/** @example writeFileSync("plots.svg", scatterPlots(findDependences(dataSets(2000)))) */
export function scatterPlots(findings: readonly Finding[]): string {
  const cell = SIDE + 2 * MARGIN;
  const width = cell * findings.length;
  const height = cell + CAPTION;
  const plots = findings.map((f, i) => plot(f, i * cell));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...plots,
    "</svg>\n",
  ].join("\n");
}

function plot({ name, x, y, correlation, information }: Finding, left: number): string {
  const [px, py] = [scale(x), scale(y)];
  const step = Math.max(1, Math.ceil(x.length / MOST_POINTS));
  const points: string[] = [];
  for (let i = 0; i < x.length; i += step) {
    const cx = left + MARGIN + px(x[i] ?? 0) * SIDE;
    const cy = MARGIN + (1 - py(y[i] ?? 0)) * SIDE;
    points.push(`<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="1.3"/>`);
  }
  const line = (row: number, text: string, weight = "normal"): string =>
    `<text x="${left + MARGIN}" y="${SIDE + 2 * MARGIN + 14 * row}" font-weight="${weight}">${text}</text>`;
  return [
    `<rect x="${left + MARGIN}" y="${MARGIN}" width="${SIDE}" height="${SIDE}" fill="none" stroke="#bbb"/>`,
    `<g fill="#1f6feb" fill-opacity="0.6">${points.join("")}</g>`,
    line(1, name, "bold"),
    line(2, `correlation ${correlation.toFixed(2)}`),
    line(3, `information ${information.toFixed(2)} nats`),
  ].join("\n");
}

/** From the range of the values to 0 .. 1. */
function scale(values: Float32Array): (v: number) => number {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return (v) => (v - low) / (high > low ? high - low : 1);
}
