import type { Allocation } from '../../domain/allocation';
import type { MirroredNext, MirroredNonce } from '../../ports/mirror.port';

export function toMirrored(allocation: Allocation): MirroredNonce {
  const { nonce, epoch, stage, id, updatedAt, updatedAtUs } = allocation;
  return {
    nonce,
    epoch,
    changedAtUs: updatedAtUs ?? updatedAt.getTime() * 1_000,
    stage,
    owner: id,
  };
}

/** What a grant of a fresh nonce says about the next one; null for all other facts. */
export function nextAfter(allocation: Allocation): MirroredNext | null {
  if (allocation.source !== 'fresh' || allocation.stage !== 'GRANTED') return null;
  return { epoch: allocation.epoch, next: allocation.nonce + 1 };
}

export function isLaterNonce(one: MirroredNonce, than: MirroredNonce): boolean {
  if (one.epoch !== than.epoch) return one.epoch > than.epoch;
  return one.changedAtUs > than.changedAtUs;
}

export function isLaterNext(one: MirroredNext, than: MirroredNext): boolean {
  return one.epoch === than.epoch ? one.next > than.next : one.epoch > than.epoch;
}
