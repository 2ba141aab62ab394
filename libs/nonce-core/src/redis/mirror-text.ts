import { ALLOCATION_STAGES, type AllocationStage } from '../domain/allocation-state';
import type { MirrorField, MirroredNext, MirroredNonce } from '../ports/mirror.port';

/** Fields of a mirror that are no nonces. */
export const NEXT_FIELD = '@next';
export const FLOOR_FIELD = '@floor';

const NONCE_FIELD = /^\d{1,16}$/;
const NONCE_TEXT = /^(\d{1,16}):(\d{1,16}):([A-Z_]+):(.+)$/;
const PAIR_TEXT = /^(\d{1,16}):(\d{1,16})$/;

export function nonceText({ epoch, changedAtUs, stage, owner }: MirroredNonce): string {
  return `${String(epoch)}:${String(changedAtUs)}:${stage}:${owner}`;
}

export function nextText({ epoch, next }: MirroredNext): string {
  return `${String(epoch)}:${String(next)}`;
}

export function readNonce(field: string, text: string): MirrorField<MirroredNonce> {
  const match = NONCE_TEXT.exec(text);
  const stage = match?.[3] ?? '';
  if (match === null || !isStage(stage) || !NONCE_FIELD.test(field)) return { text, value: null };
  const [, epoch, changedAtUs, , owner = ''] = match;
  const value = {
    nonce: Number(field),
    epoch: Number(epoch),
    changedAtUs: Number(changedAtUs),
    stage,
    owner,
  };
  return { text, value };
}

export function readNext(text: string): MirrorField<MirroredNext> {
  const match = PAIR_TEXT.exec(text);
  if (match === null) return { text, value: null };
  return { text, value: { epoch: Number(match[1]), next: Number(match[2]) } };
}

function isStage(text: string): text is AllocationStage {
  return (ALLOCATION_STAGES as readonly string[]).includes(text);
}
