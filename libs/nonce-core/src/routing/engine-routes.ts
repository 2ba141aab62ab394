import { isNonceError, NonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import type { AllocationRef, NonceEngine } from '../ports/engine.port';
import type { ModeSource } from '../ports/mode-source.port';
import { Reroute, type ReroutePorts, type RerouteSettings } from './reroute';

/** Which engine serves whom; how callers fare while that changes. */
export interface Routes {
  /** Runs an allocation by the engine that is entitled to issue, if need be by the next one. */
  allocate<Answer>(
    submitter: Submitter,
    work: (engine: NonceEngine) => Promise<Answer>,
  ): Promise<Answer>;
  /** Runs what a holder says by the engine that knows of its grant. */
  command<Answer>(
    ref: AllocationRef,
    work: (engine: NonceEngine) => Promise<Answer>,
  ): Promise<Answer>;
  /** The engine that tells of a submitter. */
  read(submitter: Submitter): NonceEngine;
}

/** Everything by one engine, whatever the mode: for tests of hosts. */
export function oneEngine(engine: NonceEngine): Routes {
  return {
    allocate: (_submitter, work) => work(engine),
    command: (_ref, work) => work(engine),
    read: () => engine,
  };
}

export interface RoutedEngines {
  readonly reliable: NonceEngine;
  readonly dualWrite: NonceEngine;
  /** null where this process has no Redis. */
  readonly performance: NonceEngine | null;
}

export interface RoutePorts extends ReroutePorts {
  readonly engines: RoutedEngines;
  readonly mode: ModeSource;
}

/** Routes by the mode in force and the pins of submitters. */
export class EngineRoutes implements Routes {
  private readonly reroute: Reroute;

  constructor(
    private readonly ports: RoutePorts,
    settings: RerouteSettings,
  ) {
    this.reroute = new Reroute(ports, settings);
  }

  allocate<Answer>(
    submitter: Submitter,
    work: (engine: NonceEngine) => Promise<Answer>,
  ): Promise<Answer> {
    return this.reroute.run(() => this.issuerOf(submitter), work);
  }

  /** Every command may be said again, so its holder waits for a switch as allocations do. */
  command<Answer>(
    ref: AllocationRef,
    work: (engine: NonceEngine) => Promise<Answer>,
  ): Promise<Answer> {
    return this.reroute.run(
      () => this.deciderOf(ref.submitter),
      (engine) => this.decide(engine, ref, work),
    );
  }

  read(submitter: Submitter): NonceEngine {
    const { performance } = this.ports.engines;
    return performance !== null && this.isFast(submitter) ? performance : this.inPostgres();
  }

  /** A node that is behind may ask Postgres for a grant that only Redis knows yet. */
  private async decide<Answer>(
    engine: NonceEngine,
    ref: AllocationRef,
    work: (engine: NonceEngine) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await work(engine);
    } catch (error) {
      const { performance } = this.ports.engines;
      const isKnown = !isNonceError(error, 'NONCE_ALLOCATION_UNKNOWN');
      if (isKnown || performance === null || engine === performance) throw error;
      await this.ports.mode.refresh();
      const next = this.deciderOf(ref.submitter);
      if (next === engine) throw error;
      return work(next);
    }
  }

  private issuerOf(submitter: Submitter): NonceEngine {
    const { reliable, dualWrite, performance } = this.ports.engines;
    switch (this.ports.mode.engineFor(submitter)) {
      case 'reliable':
        return reliable;
      case 'dual-write':
        return dualWrite;
      case 'performance':
        if (performance !== null) return performance;
        throw new NonceError('NONCE_STORE_UNAVAILABLE', {
          message: 'The mode issues this nonce from Redis, and this process has none.',
          context: { store: 'redis', written: 'no' },
        });
    }
  }

  /** As long as a fast epoch may rule somewhere, only the engine that has Redis knows all grants. */
  private deciderOf(submitter: Submitter | undefined): NonceEngine {
    const { performance } = this.ports.engines;
    const { mode, fastEpochs } = this.ports.mode.current();
    const mayBeFast = mode === 'PERFORMANCE' || fastEpochs || this.isFast(submitter);
    return performance !== null && mayBeFast ? performance : this.inPostgres(submitter);
  }

  private isFast(submitter: Submitter | undefined): boolean {
    return submitter !== undefined && this.ports.mode.engineFor(submitter) === 'performance';
  }

  /** Where it is mirrored, what holders say is mirrored too. */
  private inPostgres(submitter?: Submitter): NonceEngine {
    const { engines, mode } = this.ports;
    const isMirrored =
      submitter === undefined
        ? mode.current().mode === 'DUAL_WRITE'
        : mode.engineFor(submitter) === 'dual-write';
    return isMirrored ? engines.dualWrite : engines.reliable;
  }
}
