import type { AlarmKind } from '../domain/alarm';
import type { AllocationStage } from '../domain/allocation-state';
import type { Hex } from '../domain/brand';

interface OfNonce {
  readonly submitter: string;
  readonly nonce: number;
  readonly allocationId: string;
}

interface OfAlarm {
  readonly id: number;
  readonly kind: AlarmKind;
  /** A submitter, `mode` or `redis`. */
  readonly subject: string;
  readonly value: number;
  readonly threshold: number;
  /** Page that says what to do. */
  readonly runbook: string;
}

/** Every event and its payload. Delivered in process after the fact is durable, at most once. */
export interface NonceEventMap {
  'allocation.transition': OfNonce & {
    readonly from: AllocationStage | null;
    readonly to: AllocationStage;
    readonly cause: string;
  };
  'allocation.expired': OfNonce & { readonly to: AllocationStage };
  'gap.opened': { readonly submitter: string; readonly from: number; readonly to: number };
  'gap.closed': { readonly submitter: string; readonly from: number; readonly to: number };
  'tx.included': OfNonce & { readonly txHash: Hex; readonly blockNumber: number };
  'tx.confirmed': OfNonce & { readonly txHash: Hex };
  'tx.final': OfNonce & { readonly txHash: Hex };
  'tx.reorged': OfNonce & { readonly txHash: Hex };
  'tx.stuck': OfNonce & { readonly reason: string };
  'mode.phase': { readonly phase: string; readonly mode: string };
  'flush.completed': { readonly records: number };
  'flush.failed': { readonly records: number; readonly reason: string };
  'submitter.paused': { readonly submitter: string; readonly reason: string };
  'submitter.resumed': { readonly submitter: string; readonly reason: string };
  'recovery.entered': { readonly submitter: string; readonly reason: string };
  'recovery.left': { readonly submitter: string };
  'alarm.raised': OfAlarm;
  'alarm.cleared': OfAlarm;
  anomaly: { readonly kind: string; readonly submitter: string; readonly detail: string };
}

export type NonceEventName = keyof NonceEventMap;

export interface EventSink {
  publish<Name extends NonceEventName>(name: Name, payload: NonceEventMap[Name]): void;
}
