import { randomUUID } from 'node:crypto';
import { NonceError, type AccessStore, type DeadLetter } from '@noncekit/nonce-core';
import type { OperationDto } from './operation.dto';

interface FlushOrder {
  /** Name of the key that ordered it. */
  readonly actor: string;
  readonly reason: string;
}

/** What can be ordered of the way from Redis to Postgres. */
export interface OrderedFlush {
  findDeadLetter(id: string): Promise<DeadLetter | null>;
  retry(letter: DeadLetter): Promise<void>;
}

/** Flushes in the background what waits now; asked again while it does, it changes nothing. */
export interface Drain {
  start(): void;
}

/** Orders stand in the audit before they are carried out, under the id of their answer. */
export class FlushActions {
  constructor(
    private readonly flush: OrderedFlush,
    private readonly drain: Drain,
    private readonly access: AccessStore,
  ) {}

  async drainNow(order: FlushOrder): Promise<OperationDto> {
    const operation = accepted('flush');
    await this.record(order, operation, 'all shards');
    this.drain.start();
    return operation;
  }

  /** @throws NonceError NONCE_NOT_FOUND; NONCE_PRECONDITION when it cannot be applied still */
  async retryDeadLetter(order: FlushOrder, id: string): Promise<OperationDto> {
    const letter = await this.flush.findDeadLetter(id);
    if (letter === null) {
      const message = 'There is no dead letter of this id.';
      throw new NonceError('NONCE_NOT_FOUND', { message, context: { deadLetterId: id } });
    }
    const operation = accepted('dead-letter-retry');
    await this.record(order, operation, id);
    await this.flush.retry(letter);
    return operation;
  }

  private async record(order: FlushOrder, { id, kind }: OperationDto, subject: string) {
    await this.access.audit({
      actor: order.actor,
      action: `ops.${kind}`,
      subject,
      reason: order.reason,
      detail: { operationId: id },
    });
  }
}

function accepted(kind: OperationDto['kind']): OperationDto {
  return { id: randomUUID(), kind, acceptedAt: new Date().toISOString() };
}
