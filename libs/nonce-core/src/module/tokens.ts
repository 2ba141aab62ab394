/** Injection tokens of what has no class. Symbols, so that two libraries cannot meet in a name. */
const token = (name: string): symbol => Symbol(`noncekit ${name}`);

export const NONCE_OPTIONS = token('options');
export const RAW_NONCE_OPTIONS = token('raw options');
export const DATABASE = token('database');
export const HOST_REDIS = token('redis client of the host');
export const FAST_SIDE = token('fast side');
export const FAST_EPOCH_STORE = token('fast epoch store');
export const FLUSH_STORE = token('flush store');
export const DEAD_LETTER_STORE = token('dead letter store');
export const FLUSH_REPORTS = token('flush reports');
export const CONTINUITY = token('continuity');
export const WITNESS_STORES = token('witness stores');
export const UPKEEP_JOBS = token('upkeep jobs');
export const FAST_WORKER_PLANS = token('worker plans of the fast side');
export const ALLOCATION_STORE = token('allocation store');
export const SUBMITTER_STORE = token('submitter store');
export const ALIGNMENT_STORE = token('alignment store');
export const TRACKING_STORE = token('tracking store');
export const ACCESS_STORE = token('access store');
export const CHAIN_REGISTRY = token('chain registry');
export const BASELINE_SOURCE = token('baseline source');
export const NONCE_METRICS = token('metrics');
export const METRICS_REGISTRY = token('metrics registry');
export const NONCE_CLOCK = token('clock');
export const NONCE_LOGGER = token('logger');
export const SIGNED_TRANSACTIONS = token('signed transactions');
export const HEALTH_PROBES = token('health probes');
