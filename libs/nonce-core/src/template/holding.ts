import { stricterExposure, type Allocation, type Exposure } from '../domain/allocation';
import type { NonceError } from '../domain/errors/nonce-error';
import type { Grant } from '../ports/engine.port';
import { mayHaveSent, type HandlingFacts } from './decide-settlement';
import { ExposureRecord } from './exposure-record';
import { IntentWriter, type IntentPorts } from './intent-writer';
import { HandlerContext } from './nonce-context';
import { ReservationKeeper, type KeeperPorts } from './reservation-keeper';
import type { NonceWork } from './with-nonce';

/** One granted nonce in the hands of one handler, from the grant to the end. */
export class Holding {
  readonly allocation: Allocation;
  readonly record: ExposureRecord;
  readonly context: HandlerContext;
  private readonly abort = new AbortController();
  private readonly keeper: ReservationKeeper;
  private readonly exposure: Exposure;
  private readonly stopListening: () => void;

  constructor(
    ports: IntentPorts & KeeperPorts,
    grant: Grant & { readonly allocation: Allocation },
    private readonly work: NonceWork,
  ) {
    const { allocation } = grant;
    this.allocation = allocation;
    this.exposure = stricterExposure(allocation.exposure, work.exposure);
    const exposedBefore = allocation.stage !== 'GRANTED';
    const ownHashes = exposedBefore ? allocation.hashes : [];
    const earlier = grant.replayed ? 'maybe-sent-elsewhere' : 'unsent';
    this.record = new ExposureRecord(earlier, ownHashes, exposedBefore);
    const lost = (reason: NonceError) => {
      this.abort.abort(reason);
    };
    this.keeper = new ReservationKeeper(ports, allocation, work.ttlMs, lost);
    this.context = new HandlerContext({
      allocation,
      record: this.record,
      writer: new IntentWriter(ports, allocation, this.record, lost),
      signal: this.abort.signal,
      heartbeat: () => this.keeper.beat(),
    });
    this.stopListening = follow(work.signal, this.abort);
    if (!exposedBefore) this.keeper.start();
  }

  facts(attempt: number): HandlingFacts {
    const { intents, nonceRead, notBroadcast, earlierRuns, lost } = this.record;
    return {
      exposure: this.exposure,
      intents,
      nonceRead,
      notBroadcast,
      earlierRuns,
      lost: lost !== null,
      attemptsLeft: this.work.maxAttempts - attempt,
    };
  }

  /** True while the handler still runs and provably has sent nothing. */
  get unexposed(): boolean {
    return !mayHaveSent('exposed', this.facts(1));
  }

  /** Tells the handler to stop; its nonce stays as it is. */
  cancel(reason: unknown): void {
    this.abort.abort(reason);
  }

  end(): void {
    this.keeper.stop();
    this.context.end();
    this.stopListening();
  }
}

function follow(signal: AbortSignal | undefined, abort: AbortController): () => void {
  if (signal === undefined) return () => undefined;
  const forward = () => {
    abort.abort(signal.reason);
  };
  if (signal.aborted) forward();
  signal.addEventListener('abort', forward, { once: true });
  return () => {
    signal.removeEventListener('abort', forward);
  };
}
