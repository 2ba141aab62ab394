import type { ModeRow } from '../ports/mode-store.port';

export interface DwellSettings {
  /** Shortest time in DEGRADED, in milliseconds. */
  readonly returnAfterMs: number;
  readonly maxDwellMs: number;
}

/** A store that fails again so soon after it was trusted again is trusted for longer not at all. */
const RELAPSE_MS = 600_000;

/**
 * How long DEGRADED is to last at least, when it begins in the mode of this row. The row of a mode
 * that was returned to remembers the last dwell; every other row says 0.
 */
export function decideDwell(
  { dwellMs, ageMs }: Pick<ModeRow, 'dwellMs' | 'ageMs'>,
  { returnAfterMs, maxDwellMs }: DwellSettings,
): number {
  const isRelapse = dwellMs > 0 && ageMs < RELAPSE_MS;
  return Math.min(isRelapse ? dwellMs * 2 : returnAfterMs, maxDwellMs);
}

/** Whether DEGRADED may end by itself; `null` = it may, else what it waits for. */
export function refuseReturn(
  row: Pick<ModeRow, 'mode' | 'pinned' | 'returnTo' | 'ageMs' | 'dwellMs'>,
  cleanMs: number | null,
  { returnAfterMs }: Pick<DwellSettings, 'returnAfterMs'>,
): 'mode' | 'pinned' | 'nowhere' | 'failing' | 'clean time' | 'dwell' | null {
  if (row.mode !== 'DEGRADED') return 'mode';
  if (row.pinned) return 'pinned';
  if (row.returnTo === null) return 'nowhere';
  if (cleanMs === null) return 'failing';
  if (cleanMs < returnAfterMs) return 'clean time';
  return row.ageMs < row.dwellMs ? 'dwell' : null;
}
