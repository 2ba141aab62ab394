/** Injection tokens of what has no class. Symbols, so that two libraries cannot meet in a name. */
const token = (name: string): symbol => Symbol(`noncekit ${name}`);

export const NONCE_OPTIONS = token('options');
export const RAW_NONCE_OPTIONS = token('raw options');
export const DATABASE = token('database');
export const HOST_REDIS = token('redis client of the host');
export const FAST_SIDE = token('fast side');
export const FAST_STORE = token('fast store');
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
export const HEAD_STORE = token('head store');
export const ACCESS_STORE = token('access store');
export const ALARM_STORE = token('alarm store');
export const TRANSITION_LOG = token('transition log');
export const CHAIN_REGISTRY = token('chain registry');
export const BASELINE_SOURCE = token('baseline source');
export const NONCE_METRICS = token('metrics');
export const METRICS_REGISTRY = token('metrics registry');
export const NONCE_CLOCK = token('clock');
export const NONCE_LOGGER = token('logger');
export const SIGNED_TRANSACTIONS = token('signed transactions');
/** `ModeStore`: the mode in Postgres. */
export const MODE_STORE = token('mode store');
/** `ModeSource`: this node's view of it. */
export const MODE_SOURCE = token('mode source');
/** `ModeSwitching`: how people and programs change it. */
export const MODE_SWITCHING = token('mode switching');
/** `EpochHandOver`, or null without Redis. */
export const HAND_OVER = token('hand over');
/** `TakeOver`: brings submitters from fast epochs to Postgres. */
export const TAKE_OVER = token('take over');
/** `MirrorReport`, or null where nothing is mirrored. */
export const MIRROR_REPORT = token('mirror report');
/** `ShardBreakers`, or null without Redis. */
export const SHARD_BREAKERS = token('shard breakers');
/** Jobs that follow and change the mode in every process. */
export const MODE_JOBS = token('mode jobs');
export const HEALTH_PROBES = token('health probes');
