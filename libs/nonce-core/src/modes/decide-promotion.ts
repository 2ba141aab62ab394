import type { LastingMode } from '../domain/engine-mode';
import type { ModeRow } from '../ports/mode-store.port';

export interface AutoPromoteSettings {
  readonly enabled: boolean;
  /** Load of this node that asks for the next faster mode. */
  readonly allocationsPerSecond: number;
  /** For how long without a break, in milliseconds. */
  readonly sustainedMs: number;
}

const NEXT: Readonly<Partial<Record<ModeRow['mode'], LastingMode>>> = {
  RELIABLE: 'DUAL_WRITE',
  DUAL_WRITE: 'PERFORMANCE',
};

/** The mode that sustained load asks for; null when there is none, or an operator said otherwise. */
export function decidePromotion(
  { mode, pinned }: Pick<ModeRow, 'mode' | 'pinned'>,
  busyMs: number,
  { enabled, sustainedMs }: AutoPromoteSettings,
): LastingMode | null {
  if (!enabled || pinned || busyMs < sustainedMs) return null;
  return NEXT[mode] ?? null;
}
