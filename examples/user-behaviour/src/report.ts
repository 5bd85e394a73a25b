import Table from 'cli-table3';
import type { Result } from './pipeline.js';

/** The result as one JSON object; its `funnel` is the same, byte for byte, on every engine. */
export function toJson(engine: string, { read, invalid, sent, groups, funnel }: Result): string {
  return JSON.stringify({ engine, read, invalid, sent, groups, funnel });
}

/** The result as tables for people. */
export function toTables(engine: string, result: Result): string {
  const { read, invalid, sent, groups, funnel, seconds } = result;
  const run = new Table({ head: [`on ${engine}`, ''], style: { head: [], border: [] }, colAligns: ['left', 'right'] });
  run.push(
    ['events read', read],
    ['invalid lines', invalid],
    ['sent', sent],
    ['handled by funnel', groups.funnel.handled],
    ['handled by archive', `${groups.archive.handled} in ${groups.archive.batches} batches`],
    ['order violations', groups.funnel.orderViolations],
    ['duplicates', groups.funnel.duplicates + groups.archive.duplicates],
    ['messages per second', seconds === 0 ? 0 : Math.round(sent / seconds)],
  );
  const rows = new Table({
    head: ['category', 'views', 'carts', 'purchases', 'conversion', 'revenue'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const { category, views, carts, purchases, conversion, revenue } of funnel) {
    rows.push([category, views, carts, purchases, `${(conversion * 100).toFixed(2)} %`, revenue.toFixed(2)]);
  }
  return `${run}\n${rows}`;
}
