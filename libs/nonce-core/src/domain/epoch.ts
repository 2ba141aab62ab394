import type { Brand } from './brand';

/** Per-submitter number that grows with every change of authority; the fencing token. Starts at 1. */
export type Epoch = Brand<number, 'Epoch'>;

/** Names of the engines that may issue nonces. Only the engine of the current epoch issues. */
export const ENGINE_NAMES = [
  'reliable',
  'performance',
  'sequence',
  'lease',
  'segment',
  'dual-write',
] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];
