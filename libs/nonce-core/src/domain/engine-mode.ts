/** How a process issues nonces: from Postgres rows, or from a fast store that Postgres leases to. */
export const ENGINE_MODES = ['RELIABLE', 'PERFORMANCE'] as const;
export type EngineMode = (typeof ENGINE_MODES)[number];
