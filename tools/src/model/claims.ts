/** One rule of the protocol that a model can be built without. */
export interface Guard {
  /** Completes "… without …". */
  readonly name: string;
  readonly removedBy: string;
  /** Completes "… without …", where it is not that a nonce is issued twice. */
  readonly breaks?: string;
}

/** "No nonce twice", for one model within its bounds, and the rules without which it is false. */
export interface Claim {
  readonly name: string;
  /** The name of the file in tools/model. */
  readonly model: 'relaxed' | 'relaxed-release' | 'strict' | 'hand-over';
  readonly defines: readonly string[];
  readonly panOptions: readonly string[];
  readonly guards: readonly Guard[];
}

/** -m limits the depth (a search that reaches it proves nothing), -w is log2 of the hash table. */
const SMALL = ['-m100000', '-w20'];
const MIDDLE = ['-m100000', '-w23'];
const LARGE = ['-m1000000', '-w26'];

const WITNESS: Guard = { name: 'the witness', removedBy: 'NO_WITNESS' };

/** What every run checks, longest first. All of it takes less than a minute on two cores. */
export const CLAIMS: readonly Claim[] = [
  {
    name: 'relaxed',
    model: 'relaxed',
    defines: ['N=6', 'MAXE=3', 'MAXF=2'],
    panOptions: MIDDLE,
    guards: [
      { name: 'the incarnation check', removedBy: 'NO_INC' },
      { name: 'a new incarnation after a fail-back', removedBy: 'RUNID_ONLY' },
      { name: 'the ceiling as base of a new epoch', removedBy: 'NO_CEIL' },
      { name: 'one-shot init', removedBy: 'INIT_RETRY' },
      { name: 'no nonce of an earlier range in a new epoch', removedBy: 'REUSE' },
      { name: 'keeping a nonce whose handler threw after the send', removedBy: 'RECYCLE' },
    ],
  },
  {
    name: 'strict after a restore',
    model: 'strict',
    defines: ['N=3', 'NODES=2', 'MAXF=2', 'RESTORE'],
    panOptions: MIDDLE,
    guards: [WITNESS, { name: 'the ceiling check of the intent', removedBy: 'NO_CEILCHECK' }],
  },
  {
    name: 'relaxed-release after a restore',
    model: 'relaxed-release',
    defines: ['N=4', 'MAXF=1', 'RESTORE'],
    panOptions: MIDDLE,
    guards: [WITNESS],
  },
  {
    name: 'relaxed-release',
    model: 'relaxed-release',
    defines: ['N=4', 'MAXF=2'],
    panOptions: MIDDLE,
    guards: [{ name: 'the quarantine on close', removedBy: 'NO_QUARANTINE' }],
  },
  {
    name: 'relaxed after a restore',
    model: 'relaxed',
    defines: ['N=4', 'MAXF=2', 'RESTORE'],
    panOptions: MIDDLE,
    guards: [WITNESS],
  },
  {
    name: 'switching',
    model: 'hand-over',
    defines: ['N=2', 'MAXE=4', 'MAXM=3', 'MAXF=1'],
    panOptions: MIDDLE,
    guards: [
      { name: 'ending the epoch in Redis before it is read', removedBy: 'NO_RETIRE' },
      { name: 'applying what Redis told before the epoch is closed', removedBy: 'NO_FACTS' },
      { name: 'the quarantine where Redis tells nothing', removedBy: 'NO_QUARANTINE' },
      { name: 'the order of facts', removedBy: 'STALE_FACTS' },
      {
        name: "the mode's mark in Redis",
        removedBy: 'NO_MARK',
        breaks: 'grants in Redis after a drain has ended',
      },
      {
        name: 'the bar of an epoch that was asked for before it was opened',
        removedBy: 'NO_BAR',
        breaks: 'grants that are fenced although nothing was lost',
      },
    ],
  },
  {
    name: 'strict',
    model: 'strict',
    defines: ['N=3', 'NODES=3'],
    panOptions: SMALL,
    guards: [
      { name: 'the intent', removedBy: 'NO_INTENT' },
      { name: 'the fence of the row', removedBy: 'NO_FENCE' },
      { name: 'keeping a nonce that was broadcast', removedBy: 'RECYCLE' },
      { name: 'keeping an intent whose holder timed out', removedBy: 'REAP_INTENT' },
    ],
  },
];

/** The same claims within wider bounds: minutes and gigabytes. */
export const LONG_CLAIMS: readonly Claim[] = [
  {
    name: 'relaxed, eight nonces,',
    model: 'relaxed',
    defines: ['N=8', 'MAXE=3', 'MAXF=2'],
    panOptions: LARGE,
    guards: [],
  },
  {
    name: 'relaxed-release, six nonces,',
    model: 'relaxed-release',
    defines: ['N=6', 'MAXE=3', 'MAXF=2'],
    panOptions: LARGE,
    guards: [],
  },
  {
    name: 'relaxed after a restore, six nonces,',
    model: 'relaxed',
    defines: ['N=6', 'MAXE=3', 'MAXF=2', 'RESTORE'],
    panOptions: LARGE,
    guards: [],
  },
  {
    name: 'switching, three nonces,',
    model: 'hand-over',
    defines: ['N=3', 'MAXE=4', 'MAXM=3', 'MAXF=1'],
    panOptions: LARGE,
    guards: [],
  },
];
