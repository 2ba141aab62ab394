import type { Fact } from './bench-case';
import type { CallRecord } from './paced-load';

/** How many calls failed, and why where some did: what callers were told says what is to be mended. */
export function failuresOf(
  records: readonly CallRecord[],
  { of, target }: { readonly of: string; readonly target: string },
): readonly Fact[] {
  const counts = new Map<string, number>();
  for (const { call, failure } of records) {
    const what = `${call} ${failure ?? ''}`;
    if (failure !== null) counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const failed = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [
    { label: `${of}: failed calls of ${String(records.length)}`, value: failed, unit: '', target },
    ...[...counts].map(([what, value]) => ({
      ...{ label: `${of}: ${what}`, value, target: '–' },
      unit: '',
    })),
  ];
}
