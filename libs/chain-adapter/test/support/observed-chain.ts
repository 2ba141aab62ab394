import { toChainId } from '@noncekit/nonce-core/domain';
import type { ChainProfile, ConfiguredChain, Logger, Metrics } from '@noncekit/nonce-core/ports';
import { createEvmChain } from '../../src/evm/create-evm-chain';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ObservedChain extends ConfiguredChain {
  readonly lines: readonly LogLine[];
  /** How often a counter was raised with these labels. */
  counted(labels: Readonly<Record<string, string>>): number;
  /** Everything that was logged or counted, to search for secrets. */
  everythingSaid(): string;
}

export function profileOf(chainId: number): ChainProfile {
  return {
    chainId: toChainId(chainId),
    confirmations: 1,
    finalityTag: 'finalized',
    reorgDepth: 64,
    pollIntervalMs: 100,
    maxInFlight: 64,
    strictNonce: false,
  };
}

/** A chain over these providers together with what it logs and counts. */
export function observeChain(options: {
  readonly chainId: number;
  readonly rpcUrls: readonly string[];
  readonly requestTimeoutMs?: number;
}): ObservedChain {
  const lines: LogLine[] = [];
  const counts: Readonly<Record<string, string>>[] = [];
  const write =
    (level: LogLine['level']) =>
    (message: string, fields: LogLine['fields'] = {}) =>
      void lines.push({ level, message, fields });
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
  const metrics: Metrics = {
    count: (name, labels) => void counts.push({ name, ...labels }),
    set: () => undefined,
    observe: () => undefined,
  };
  const { chainId, ...rest } = options;
  const chain = createEvmChain({ profile: profileOf(chainId), ...rest, metrics, logger });
  return {
    ...chain,
    lines,
    counted: (labels) =>
      counts.filter((count) => Object.entries(labels).every(([key, value]) => count[key] === value))
        .length,
    everythingSaid: () => JSON.stringify([lines, counts]),
  };
}
