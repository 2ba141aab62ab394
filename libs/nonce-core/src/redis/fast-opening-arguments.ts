import type { FastLimits, FreeNonce } from '../ports/fast-range.port';
import type { FastOpening, FastRefill } from '../ports/fast-store.port';

/** The arguments of one opening, as fast-open.lua names them. */
export function openArguments(opening: FastOpening, args: (string | number)[]): void {
  const { epoch, incarnation } = opening.view;
  args.push(epoch, incarnation, opening.modeEpoch, opening.base, opening.ceiling);
  pushLimits(opening.limits, args);
  args.push(opening.loan);
  pushFree(opening, args);
}

/** The arguments of one refill, as fast-refill.lua names them. */
export function refillArguments(refill: FastRefill, args: (string | number)[]): void {
  const { epoch, incarnation } = refill.view;
  args.push(epoch, incarnation, refill.ceiling);
  pushLimits(refill.limits, args);
  args.push(refill.loanSeen, refill.loan);
  pushFree(refill, args);
}

function pushLimits(limits: FastLimits, args: (string | number)[]): void {
  args.push(limits.floor, limits.windowEnd ?? '', limits.maxReserved);
  args.push(limits.reservedElsewhere, limits.paused ? 1 : 0);
}

function pushFree(
  { moreFree, free }: Pick<FastRefill, 'moreFree' | 'free'>,
  args: (string | number)[],
): void {
  args.push(moreFree ? 1 : 0, free.length);
  for (const nonce of free) args.push(memberOf(nonce));
}

function memberOf({ nonce, tainted }: FreeNonce): string {
  return tainted ? `${String(nonce)}t` : String(nonce);
}
