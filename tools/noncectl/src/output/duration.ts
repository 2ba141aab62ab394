const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span of time in the two units that matter at its size. */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < HOUR) return pair(ms, { unit: MINUTE, name: 'min' }, { unit: SECOND, name: 's' });
  if (ms < DAY) return pair(ms, { unit: HOUR, name: 'h' }, { unit: MINUTE, name: 'min' });
  return pair(ms, { unit: DAY, name: 'd' }, { unit: HOUR, name: 'h' });
}

interface Unit {
  readonly unit: number;
  readonly name: string;
}

function pair(ms: number, large: Unit, small: Unit): string {
  const rest = Math.floor((ms % large.unit) / small.unit);
  return `${Math.floor(ms / large.unit)} ${large.name} ${rest} ${small.name}`;
}
