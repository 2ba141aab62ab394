const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
const GAP = '  ';

/** Rows as aligned columns; colours do not count, and the last column is not filled up. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - widthOf(cell)))
      .join(GAP)
      .trimEnd(),
  );
}

function widthOf(text: string): number {
  return text.replaceAll(ESCAPES, '').length;
}
