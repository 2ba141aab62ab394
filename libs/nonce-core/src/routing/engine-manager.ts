import type { Allocation } from '../domain/allocation';
import { isNonceError, NonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import type { SubmitterView } from '../domain/submitter-view';
import type { Clock } from '../ports/clock.port';
import type {
  AllocateCommand,
  AllocationRef,
  CommandAnswer,
  Grant,
  NonceEngine,
} from '../ports/engine.port';
import type { Logger } from '../ports/logger.port';
import type { ModeSnapshot } from '../ports/mode-store.port';
import type { ModeSwitching, SwitchAnswer, SwitchOrder } from '../ports/mode-switch.port';
import type { TransactionHandle } from '../ports/transaction.port';
import type { Routes } from './engine-routes';

/** A full window is compared with the chain at most this often per submitter. */
const FLOOR_REFRESH_INTERVAL_MS = 500;
/** Submitters whose last refresh is remembered; more are simply refreshed again. */
const MAX_REMEMBERED = 10_000;

/** Reads the chain's count and raises the issuing floor. */
export type RefreshFloor = (submitter: Submitter) => Promise<void>;

type IntentWords = Parameters<NonceEngine['intent']>[1];
type CheckIntent = (ref: AllocationRef, tx: IntentWords) => Promise<void>;

export interface EngineManagerPorts {
  readonly routes: Routes;
  /** How the mode is changed; null where there is only one engine. */
  readonly switching: ModeSwitching | null;
  /** By id, also one that only this process has heard of so far; null when there is none. */
  readonly find: (id: string) => Promise<Allocation | null>;
  readonly refreshFloor: RefreshFloor;
  /** Refuses bytes that are not what an intent says; every intent of a host comes by here. */
  readonly checkIntent: CheckIntent;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The one place that engines are reached by. A full window is first compared with the chain: mined
 * transactions may have made room that the store has not heard of yet.
 */
export class NonceEngineManager implements Omit<NonceEngine, 'name'> {
  private readonly refreshedAtMs = new Map<Submitter, number>();
  private readonly refreshing = new Map<Submitter, Promise<boolean>>();

  constructor(private readonly ports: EngineManagerPorts) {}

  /** While the mode changes its callers wait, a bounded time. @throws NONCE_MODE_SWITCHING after it. */
  allocate(command: AllocateCommand): Promise<Grant> {
    return this.ports.routes.allocate(command.submitter, async (engine) => {
      try {
        return await engine.allocate(command);
      } catch (error) {
        if (isNonceError(error, 'NONCE_PAUSED')) throw await this.whyPaused(command, error);
        if (!isNonceError(error, 'NONCE_IN_FLIGHT_LIMIT')) throw error;
        if (!(await this.refresh(command.submitter))) throw error;
        return engine.allocate(command);
      }
    });
  }

  /** Changes the mode of all processes. @throws as ModeSwitching.switchTo. */
  switchTo(order: SwitchOrder): Promise<SwitchAnswer> {
    return this.switching.switchTo(order);
  }

  /** The mode in force, as Postgres has it now. */
  mode(): Promise<ModeSnapshot> {
    return this.switching.current();
  }

  /** An allocation that was granted elsewhere and is not in Postgres yet is not found: null. */
  find(id: string): Promise<Allocation | null> {
    return this.ports.find(id);
  }

  async intent(ref: AllocationRef, tx: IntentWords): Promise<CommandAnswer> {
    await this.ports.checkIntent(ref, tx);
    return this.say(ref, (engine) => engine.intent(ref, tx));
  }

  markSubmitted(
    ref: AllocationRef,
    tx: Parameters<NonceEngine['markSubmitted']>[1],
    handle?: TransactionHandle,
  ): Promise<CommandAnswer> {
    return this.say(ref, (engine) => engine.markSubmitted(ref, tx, handle));
  }

  markUsed(
    ref: AllocationRef,
    tx: Parameters<NonceEngine['markUsed']>[1],
    handle?: TransactionHandle,
  ): Promise<CommandAnswer> {
    return this.say(ref, (engine) => engine.markUsed(ref, tx, handle));
  }

  markRecyclable(ref: AllocationRef, why: { reason: string }): Promise<CommandAnswer> {
    return this.say(ref, (engine) => engine.markRecyclable(ref, why));
  }

  quarantine(ref: AllocationRef, why: { reason: string }): Promise<CommandAnswer> {
    return this.say(ref, (engine) => engine.quarantine(ref, why));
  }

  keepReserved(ref: AllocationRef, keep: { note: string; ttlMs: number }): Promise<CommandAnswer> {
    return this.say(ref, (engine) => engine.keepReserved(ref, keep));
  }

  heartbeat(ref: AllocationRef, beat: { ttlMs: number }): Promise<CommandAnswer> {
    return this.say(ref, (engine) => engine.heartbeat(ref, beat));
  }

  inspect(submitter: Submitter): Promise<SubmitterView> {
    return this.ports.routes.read(submitter).inspect(submitter);
  }

  /** A fast store knows that a submitter is paused, and Postgres why. */
  private async whyPaused({ submitter }: AllocateCommand, error: NonceError): Promise<NonceError> {
    const { pausedReason } = await this.inspect(submitter);
    if (pausedReason?.startsWith('chain reset:') !== true) return error;
    return new NonceError('NONCE_CHAIN_RESET', { context: { submitter } });
  }

  private say(
    ref: AllocationRef,
    command: (engine: NonceEngine) => Promise<CommandAnswer>,
  ): Promise<CommandAnswer> {
    return this.ports.routes.command(ref, command);
  }

  private get switching(): ModeSwitching {
    const { switching } = this.ports;
    if (switching !== null) return switching;
    throw new NonceError('NONCE_INTERNAL', { message: 'There is only one engine here.' });
  }

  /** One look per submitter at a time and per interval; true when there was one just now. */
  private refresh(submitter: Submitter): Promise<boolean> {
    const running = this.refreshing.get(submitter);
    if (running !== undefined) return running;
    const nowMs = this.ports.clock.monotonicMs();
    const lastMs = this.refreshedAtMs.get(submitter);
    if (lastMs !== undefined && nowMs - lastMs < FLOOR_REFRESH_INTERVAL_MS) {
      return Promise.resolve(false);
    }
    if (this.refreshedAtMs.size >= MAX_REMEMBERED) this.refreshedAtMs.clear();
    this.refreshedAtMs.set(submitter, nowMs);
    const look = this.look(submitter).finally(() => this.refreshing.delete(submitter));
    this.refreshing.set(submitter, look);
    return look;
  }

  private async look(submitter: Submitter): Promise<boolean> {
    try {
      await this.ports.refreshFloor(submitter);
      return true;
    } catch (error) {
      const reason = isNonceError(error) ? error.code : String(error);
      this.ports.logger.warn('a full window could not be compared with its chain', {
        submitter,
        reason,
      });
      return false;
    }
  }
}
