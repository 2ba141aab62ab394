import type { Hex } from '../../src/domain/brand';
import { NonceError } from '../../src/domain/errors/nonce-error';
import { parseSubmitter } from '../../src/domain/submitter';
import { SystemClock } from '../../src/module/system-clock';
import type { Clock } from '../../src/ports/clock.port';
import type { NonceEngine } from '../../src/ports/engine.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { NonceExecutionTemplate } from '../../src/template/nonce-execution-template';
import type { SignedTransactions } from '../../src/template/signed-transactions';
import type { TemplateSettings } from '../../src/template/template-settings';
import { contractWorld } from '../../src/testing/contract/contract-world';
import { FakeClock } from '../../src/testing/fake-clock';
import { decodeFake, fakeHash } from '../../src/testing/fake-transaction';
import { InMemoryNonceEngine } from '../../src/testing/in-memory-nonce-engine';

export const ADDRESS: Hex = '0x00000000000000000000000000000000000000ee';
export const SUBMITTER = parseSubmitter({ chainId: 31_337, address: ADDRESS });

const noop = () => undefined;
const SILENT = { debug: noop, info: noop, warn: noop, error: noop };

/** Bytes of the fake chain. */
const fakeTransactions: SignedTransactions = {
  read(rawTx) {
    const { nonce, chainId } = decodeFake(rawTx);
    return { txHash: fakeHash(rawTx), nonce, chainId };
  },
  problemOfBump: () => null,
  sender: async (rawTx) => decodeFake(rawTx).from,
};

type Command = Exclude<keyof NonceEngine, 'name' | 'inspect'>;
type Fault = 'reply-lost' | 'not-reached';

/**
 * The engine with a bad line in front: a call may be lost on its way, or its answer on the way
 * back. Everything else is the engine's own.
 */
class BadLine {
  private readonly faults = new Map<Command, Fault[]>();
  readonly calls: string[] = [];

  constructor(private readonly engine: NonceEngine) {}

  fail(command: Command, ...faults: Fault[]): void {
    this.faults.set(command, faults);
  }

  readonly wrapped: NonceEngine = new Proxy({} as NonceEngine, {
    get: (_, name) => {
      const member = Reflect.get(this.engine, name) as unknown;
      if (typeof member !== 'function') return member;
      return async (...parameters: unknown[]): Promise<unknown> => {
        this.calls.push(String(name));
        const fault = this.faults.get(name as Command)?.shift();
        if (fault === 'not-reached') throw new NonceError('NONCE_STORE_UNAVAILABLE');
        const answer: unknown = await Reflect.apply(member, this.engine, parameters);
        if (fault === 'reply-lost') throw new NonceError('NONCE_STORE_UNAVAILABLE');
        return answer;
      };
    },
  });
}

export interface WorldOptions {
  readonly settings?: Partial<TemplateSettings>;
  readonly clock?: Clock;
}

/** A template over the in-memory engine and the fake chain. */
export function templateWorld(options: WorldOptions = {}) {
  const world = contractWorld();
  const engineClock = new FakeClock();
  const engine = new InMemoryNonceEngine({ ...world, clock: engineClock });
  const line = new BadLine(engine);
  const template = new NonceExecutionTemplate(
    {
      engine: line.wrapped,
      chains: world.chains,
      transactions: fakeTransactions,
      defaults: { of: async () => ({ ttlMs: null, exposure: null }) },
      clock: options.clock ?? new SystemClock(),
      metrics: NO_METRICS,
      logger: SILENT,
    },
    {
      ttlMs: 60_000,
      exposure: 'inferred',
      maxAttempts: 3,
      backoffMs: 1,
      waitMs: 200,
      ...options.settings,
    },
  );
  return {
    template,
    engine,
    engineClock,
    line,
    chain: world.chain,
    /** Signs for the fake chain. */
    sign: (nonce: number, payload: string) =>
      world.chain.sign({ from: ADDRESS, nonce, payload, feePerGas: 1 }),
    stageOf: (nonce: number) => engine.rows(SUBMITTER).find((row) => row.nonce === nonce)?.stage,
  };
}

export type TemplateWorld = ReturnType<typeof templateWorld>;
