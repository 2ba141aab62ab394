/** More edits than this is another word, not a typing mistake. */
const MAX_EDITS = 4;

/** The known name nearest to a misspelt one, or null when none is near. */
export function closestName(name: string, known: Iterable<string>): string | null {
  let best: { readonly name: string; readonly edits: number } | null = null;
  for (const candidate of known) {
    const edits = editDistance(name, candidate);
    if (edits <= MAX_EDITS && (best === null || edits < best.edits)) {
      best = { name: candidate, edits };
    }
  }
  return best?.name ?? null;
}

/** Levenshtein distance, one row at a time. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const replace = (previous[column - 1] ?? 0) + (same ? 0 : 1);
      const remove = (previous[column] ?? 0) + 1;
      const insert = (current[column - 1] ?? 0) + 1;
      current.push(Math.min(replace, remove, insert));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
