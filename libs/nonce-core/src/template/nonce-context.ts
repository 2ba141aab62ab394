import type { Allocation, AllocationSource } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import { NonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import type { ExposureRecord } from './exposure-record';
import type { IntentWriter } from './intent-writer';

export interface Replacement {
  /** Hashes of earlier transactions at this nonce; at most one of all of them can mine. */
  readonly hashes: readonly Hex[];
  /** Fees a node will want to beat; null when the earlier transaction's fees are not known. */
  readonly feeFloor: {
    readonly maxFeePerGas: bigint;
    readonly maxPriorityFeePerGas: bigint;
  } | null;
}

/** What a handler is given. It is valid until the handler ends; later calls are refused. */
export interface NonceContext {
  readonly submitter: Submitter;
  /** Reading it is remembered: a handler that never read it cannot have sent anything. */
  readonly nonce: number;
  readonly allocationId: string;
  readonly epoch: number;
  /** 1 for the first run with this nonce. */
  readonly attempt: number;
  readonly operationId?: string;
  readonly source: AllocationSource;
  /** Present when an earlier holder of this nonce may have sent: bid higher than it did. */
  readonly replacement?: Replacement;
  /** Aborts when the reservation is lost, the caller gave up, or the app shuts down. */
  readonly signal: AbortSignal;
  /**
   * Durable before it resolves: these bytes may leave after it, never before.
   * @throws NonceError NONCE_FENCED: the nonce is somebody else's, nothing may be sent;
   * NONCE_OUTCOME_UNKNOWN: the store did not answer, nothing may be sent.
   */
  intent(tx: { txHash: Hex; rawTx?: Hex }): Promise<void>;
  /**
   * Intent, then broadcast. Resolves with the hash once a node has the bytes.
   * @throws NonceError NONCE_OUTCOME_UNKNOWN with the node's answer as cause: the bytes are stored
   * and will be sent again; NONCE_CHAIN_UNKNOWN or NONCE_VALIDATION before anything was written.
   */
  send(rawTx: Hex): Promise<Hex>;
  /** Says that no bytes with this nonce left, and none will. */
  notBroadcast(): void;
  heartbeat(): Promise<void>;
  /** Stored with the nonce when it stays reserved. */
  note(text: string): void;
}

export interface ContextParts {
  readonly allocation: Allocation;
  readonly record: ExposureRecord;
  readonly writer: IntentWriter;
  readonly signal: AbortSignal;
  readonly heartbeat: () => Promise<void>;
}

export class HandlerContext implements NonceContext {
  readonly submitter: Submitter;
  readonly allocationId: string;
  readonly epoch: number;
  readonly source: AllocationSource;
  readonly signal: AbortSignal;
  readonly operationId?: string;
  readonly replacement?: Replacement;
  attempt = 1;
  noted: string | undefined;
  private ended = false;
  private everRead = false;

  constructor(private readonly parts: ContextParts) {
    const { allocation } = parts;
    this.submitter = allocation.submitter;
    this.allocationId = allocation.id;
    this.epoch = allocation.epoch;
    this.source = allocation.source;
    this.signal = parts.signal;
    if (allocation.operationId !== null) this.operationId = allocation.operationId;
    if (allocation.source === 'replacement') {
      this.replacement = { hashes: allocation.hashes, feeFloor: null };
    }
  }

  get nonce(): number {
    // It may have been given back as never read; who has read it may look at it again.
    if (!this.everRead) this.refuseWhenEnded();
    this.everRead = true;
    this.parts.record.nonceRead = true;
    return this.parts.allocation.nonce;
  }

  async intent(tx: { txHash: Hex; rawTx?: Hex }): Promise<void> {
    this.refuseWhenEnded();
    await this.parts.writer.write(tx);
  }

  async send(rawTx: Hex): Promise<Hex> {
    this.refuseWhenEnded();
    return this.parts.writer.writeAndSend(rawTx);
  }

  notBroadcast(): void {
    this.parts.record.notBroadcast = true;
  }

  async heartbeat(): Promise<void> {
    this.refuseWhenEnded();
    await this.parts.heartbeat();
  }

  note(text: string): void {
    this.noted = text;
  }

  /** From now on the nonce may be anybody's. */
  end(): void {
    this.ended = true;
  }

  private refuseWhenEnded(): void {
    if (!this.ended) return;
    throw new NonceError('NONCE_ALLOCATION_CLOSED', {
      message: 'the handler of this context has ended',
      context: { allocationId: this.allocationId },
    });
  }
}
