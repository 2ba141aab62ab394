import type { ModeSnapshot } from '../ports/mode-store.port';

type Watched = Pick<ModeSnapshot, 'epoch' | 'pins' | 'prefetch'>;

/** Whether something changed that nodes act upon; fast epochs come and go without a word. */
export function hasChanged(before: Watched, now: Watched): boolean {
  return (
    before.epoch !== now.epoch ||
    !samePins(before.pins, now.pins) ||
    !samePrefetch(before.prefetch, now.prefetch)
  );
}

function samePins(before: Watched['pins'], now: Watched['pins']): boolean {
  if (before === now) return true;
  if (before.size !== now.size) return false;
  for (const [submitter, mode] of now) {
    if (before.get(submitter) !== mode) return false;
  }
  return true;
}

function samePrefetch(before: Watched['prefetch'], now: Watched['prefetch']): boolean {
  if (before === null || now === null) return before === now;
  const { size, lowWater, max } = now;
  return before.size === size && before.lowWater === lowWater && before.max === max;
}
