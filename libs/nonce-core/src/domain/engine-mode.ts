/** How nonces are issued by the whole installation; one row in Postgres says which of them rules. */
export const ENGINE_MODES = ['RELIABLE', 'DUAL_WRITE', 'PERFORMANCE', 'DEGRADED', 'DRAIN'] as const;
export type EngineMode = (typeof ENGINE_MODES)[number];

/** Modes that people choose for good; the other two are ways from one of them to another. */
export const LASTING_MODES = ['RELIABLE', 'DUAL_WRITE', 'PERFORMANCE'] as const;
export type LastingMode = (typeof LASTING_MODES)[number];

/** Engines that a mode can route to. */
export type RoutedEngine = 'reliable' | 'dual-write' | 'performance';

/**
 * The engine that is entitled to issue for a submitter. While Redis is left (DRAIN) or not trusted
 * (DEGRADED) a pin does not bring it back.
 */
export function engineOf(mode: EngineMode, pinned: LastingMode | null = null): RoutedEngine {
  if (mode === 'DRAIN' || mode === 'DEGRADED') return 'reliable';
  switch (pinned ?? mode) {
    case 'PERFORMANCE':
      return 'performance';
    case 'DUAL_WRITE':
      return 'dual-write';
    case 'RELIABLE':
      return 'reliable';
  }
}

/** Fast stores grant nothing while this is so, whatever epoch their state is of. */
export function drains(mode: EngineMode): boolean {
  return mode === 'DRAIN' || mode === 'DEGRADED';
}

const EDGES: Readonly<Record<EngineMode, readonly EngineMode[]>> = {
  RELIABLE: ['DUAL_WRITE', 'PERFORMANCE'],
  DUAL_WRITE: ['PERFORMANCE', 'RELIABLE'],
  PERFORMANCE: ['DRAIN', 'RELIABLE', 'DUAL_WRITE', 'DEGRADED'],
  DRAIN: ['RELIABLE', 'PERFORMANCE'],
  DEGRADED: ['PERFORMANCE', 'RELIABLE'],
};

/** Where a mode may be left to, in the order in which it is usual. */
export function modesAfter(mode: EngineMode): readonly EngineMode[] {
  return EDGES[mode];
}

/** Why one mode may not follow another; null when it may. */
export function refuseEdge(from: EngineMode, to: EngineMode): string | null {
  if (from === to) return `${to} is in force already`;
  if (EDGES[from].includes(to)) return null;
  return `${to} cannot follow ${from}, only ${EDGES[from].join(' or ')} can`;
}
