import { drains } from '../../domain/engine-mode';
import { isNonceError, NonceError } from '../../domain/errors/nonce-error';
import { CommandDesk } from '../../engine-parts/command-desk';
import type { EngineObserver } from '../../engine-parts/engine-observer';
import type { HolderRow } from '../../ports/allocation-store.port';
import type { CommandAnswer } from '../../ports/engine.port';
import type { FastGrant, FastSettleAnswer, FastWord } from '../../ports/fast-store.port';
import type { TransactionHandle } from '../../ports/transaction.port';
import { CommandOrder } from './command-order';
import { placeOf } from './look-up-grant';
import type { PerformanceEngineOptions } from './performance-options';
import type { PerformanceEnginePorts } from './performance-ports';
import { ResultTeller, type TellParts } from './result-teller';
import type { LookRow } from './settle-desk';
import { toAllocation } from './to-allocation';

const NO_WORDS = { txHash: null, note: null, ttlMs: 0, followable: false } as const;

/** One command on its way: where the fast store may know its grant, and what is known of it. */
interface Route {
  readonly row: HolderRow;
  readonly place: LookRow | null;
  /** This node's own grant whose deadline has not passed: needs no question before Postgres. */
  readonly own: FastGrant | undefined;
}

/**
 * Brings what holders say to the store that decides it.
 *
 * `strict`: Postgres decides, row by row; the fast store is asked for facts of grants it may not
 * have heard of, and told the result. Signs of life of what the fast store holds go there alone.
 * `relaxed`: what the fast store holds is settled there, as events; Postgres decides about intents,
 * operations, replacements and everything the fast store does not hold.
 */
export class FastCommandDesk {
  private readonly commands: CommandDesk;
  private readonly order = new CommandOrder();
  private readonly results: ResultTeller;

  constructor(
    private readonly ports: PerformanceEnginePorts,
    private readonly options: PerformanceEngineOptions,
    private readonly parts: TellParts,
    private readonly observer: EngineObserver,
  ) {
    const desk = { ...options, batchesInFlight: 1, maxBatch: options.maxCommandBatch };
    this.commands = new CommandDesk(ports, desk, observer);
    this.results = new ResultTeller(options.intents, parts);
  }

  submit(row: HolderRow, epochSaid: number | undefined): Promise<CommandAnswer> {
    return this.order.run(row.id, async () => this.route(await this.routeOf(row, epochSaid)));
  }

  /**
   * Joins the caller's transaction. The row comes into being before it, on its own, so that no lock
   * of the submitter waits for the caller to commit.
   */
  submitWithin(
    handle: TransactionHandle,
    row: HolderRow,
    epochSaid: number | undefined,
  ): Promise<CommandAnswer> {
    return this.order.run(row.id, async () => {
      const route = await this.routeOf(row, epochSaid);
      const grant = await this.factsOf(route);
      if (grant !== undefined) await this.writeGrant(grant);
      const answer = await this.commands.submitWithin(handle, row);
      // Under relaxed nothing else would keep the nonce from the next holder after the deadline.
      if (this.options.intents === 'relaxed' && route.place !== null) {
        void this.parts.settles.tell('exposed', route.place);
      }
      return answer;
    });
  }

  stop(deadlineMs: number): Promise<void> {
    return this.commands.stop(deadlineMs);
  }

  private async routeOf(row: HolderRow, epochSaid: number | undefined): Promise<Route> {
    const { grants } = this.parts;
    const live = grants.live(row.id, this.ports.clock.monotonicMs());
    const own = live !== undefined && names(row, live) ? live : undefined;
    return { row, own, place: await placeOf({ ...this.ports, ...this.parts }, row, epochSaid) };
  }

  private async route(route: Route): Promise<CommandAnswer> {
    const { row, place } = route;
    if (place === null) return this.inPostgres(route, route.own);
    if (this.options.intents === 'strict') {
      const isSignOfLife = row.command === 'keep' || row.command === 'heartbeat';
      return isSignOfLife
        ? this.inFastStore(route, place)
        : this.inPostgres(route, await this.factsOf(route));
    }
    try {
      const known = row.command === 'intent' ? undefined : this.parts.grants.find(row.id);
      if (known !== undefined && settlesInFastStore(known)) {
        return await this.inFastStore(route, place);
      }
      return await this.underRelaxed(route, place);
    } catch (error) {
      if (!this.isGivenUp(error)) throw error;
      return this.inPostgres(route, route.own);
    }
  }

  /** Nothing is granted there before all its epochs are handed over or closed: Postgres decides. */
  private isGivenUp(error: unknown): boolean {
    if (!isNonceError(error, 'NONCE_STORE_UNAVAILABLE')) return false;
    return error.context['store'] === 'redis' && drains(this.ports.mode.current().mode);
  }

  /** Postgres is asked only after the fast store let go of a nonce that may be out from then on. */
  private async underRelaxed(route: Route, place: LookRow): Promise<CommandAnswer> {
    const { command } = route.row;
    const { settles } = this.parts;
    const found = command === 'intent' ? undefined : await settles.look(place);
    if (found?.kind === 'done' || found?.kind === 'same') {
      if (settlesInFastStore(found.grant)) return this.inFastStore(route, place);
      return this.inPostgres(route, found.grant);
    }
    if (found !== undefined && !exposes(route.row)) {
      return this.inPostgres(route, await this.heard(route, found));
    }
    if (found !== undefined) await this.heard(route, found);
    const answer = await settles.settleOrLook({ ...place, ...NO_WORDS, word: 'exposing' });
    return this.inPostgres(route, await this.heard(route, answer));
  }

  private async inFastStore(route: Route, place: LookRow): Promise<CommandAnswer> {
    const { command, txHash, note, ttlMs, followable } = route.row;
    const askedAtMs = this.ports.clock.monotonicMs();
    let answer: FastSettleAnswer;
    try {
      const words = { word: wordOf(command), txHash, note, ttlMs, followable };
      answer = await this.parts.settles.settleOrLook({ ...place, ...words });
    } catch (error) {
      // What a relaxed store was not told it would hand out again: the caller has to repeat it.
      if (this.options.intents === 'relaxed') throw error;
      return this.inPostgres(route, route.own);
    }
    // What was said before is answered with its row as it stands.
    if (answer.kind !== 'done') {
      return this.inPostgres(route, (await this.heard(route, answer)) ?? route.own);
    }
    const { grants } = this.parts;
    const { grant, stage, atMs } = answer;
    if (stage !== 'GRANTED') grants.forget(grant.id);
    else grants.add(grant, askedAtMs + grant.deadlineMs - atMs);
    const allocation = toAllocation(answer);
    this.observer.commanded(command, allocation, 'GRANTED');
    return { allocation, changed: true };
  }

  /** Facts of a grant that Postgres may not have heard of, from the fast store. */
  private async factsOf({ row, place, own }: Route): Promise<FastGrant | undefined> {
    if (own !== undefined || place === null) return own;
    let answer: FastSettleAnswer;
    try {
      answer = await this.parts.settles.look(place);
    } catch {
      return undefined;
    }
    return this.heard({ row, place, own }, answer);
  }

  /**
   * What an answer of the fast store means for Postgres: facts for it, or nothing.
   * @throws NonceError NONCE_FENCED when another token holds the nonce.
   */
  private async heard({ row }: Route, answer: FastSettleAnswer): Promise<FastGrant | undefined> {
    switch (answer.kind) {
      case 'done':
      case 'same':
        return answer.grant;
      case 'settled':
        await this.ports.flush.apply([answer.event], this.options.quarantine);
        return answer.event.grant;
      case 'fenced':
        await this.refuseUnlessExposed(row);
        return undefined;
      case 'unknown':
      case 'stale':
        return undefined;
    }
  }

  /** A fast store that was not told of an intent may have granted the nonce again; the row decides. */
  private async refuseUnlessExposed({ id, command, nonce }: HolderRow): Promise<void> {
    this.parts.grants.forget(id);
    const row = await this.ports.store.findById(id);
    if (row !== null && row.stage !== 'GRANTED' && row.stage !== 'REUSABLE') return;
    throw new NonceError('NONCE_FENCED', { context: { command, allocationId: id, nonce } });
  }

  private async inPostgres(route: Route, grant: FastGrant | undefined): Promise<CommandAnswer> {
    const { row, place } = route;
    try {
      const answer = await this.commands.submit(grant === undefined ? row : { ...row, grant });
      await this.results.tell(answer, route);
      return answer;
    } catch (error) {
      // Only a holder whom the fast store knows may take a nonce away from it.
      if (isNonceError(error, 'NONCE_FENCED') && place !== null && grant !== undefined) {
        this.parts.grants.forget(row.id);
        await this.parts.settles.tell('drop', place);
      }
      throw error;
    }
  }

  private async writeGrant(grant: FastGrant): Promise<void> {
    const { grantedAtMs: atMs } = grant;
    const event = { grant, stage: 'GRANTED', rank: 1, hashes: [], note: null, atMs } as const;
    await this.ports.flush.apply([event], this.options.quarantine);
  }
}

/** A word by which the nonce may be out from now on, also where it is free again. */
function exposes({ command, txHash }: HolderRow): boolean {
  return command === 'intent' || command === 'quarantine' || txHash !== null;
}

function wordOf(command: HolderRow['command']): FastWord {
  if (command === 'intent') throw new NonceError('NONCE_INTERNAL');
  return command;
}

/** Another run of the operation, or an earlier holder, may have sent: only the row knows. */
function settlesInFastStore({ operationId, source }: FastGrant): boolean {
  return operationId === null && source !== 'replacement';
}

function names(row: HolderRow, { nonce, submitter }: FastGrant): boolean {
  return (row.nonce ?? nonce) === nonce && (row.submitter ?? submitter) === submitter;
}
