import Table from 'cli-table3';

type Cell = string | number | undefined;

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, name === 'middle' ? '  ' : '']),
);

/** Columns without lines, as `ps` prints them. What is undefined is `-`; numbers stand to the right, as does all from `right` on. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], right = head.length): string {
  const colAligns = head.map((_, column) =>
    column >= right || isNumeric(rows, column) ? ('right' as const) : ('left' as const),
  );
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true };
  const made = new Table({ head: [...head], chars: NO_LINES, style, colAligns });
  made.push(...rows.map((row) => row.map((cell) => cell ?? '-')));
  return made.toString().replace(/ +$/gm, '');
}

const isNumeric = (rows: readonly (readonly Cell[])[], column: number): boolean =>
  rows.some((row) => typeof row[column] === 'number') && rows.every((row) => typeof row[column] !== 'string');
