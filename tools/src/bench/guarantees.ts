import type { Guarantees } from './bench-case';

const COMMITTED = 'yes, committed first';

/** From the public sources of each project at the time its command sequence was repeated here. */
export const GUARANTEES = {
  reliable: {
    crashSafe: COMMITTED,
    severalProcesses: 'yes',
    reuse: 'yes, lowest first',
  },
  performanceStrict: {
    crashSafe: 'yes: intents are committed before a send; a lost Redis costs an epoch',
    severalProcesses: 'yes',
    reuse: 'yes, lowest first',
  },
  performanceRelaxed: {
    crashSafe: 'yes: what a lost Redis had granted is quarantined',
    severalProcesses: 'yes',
    reuse: 'yes, lowest first',
  },
  classic: { crashSafe: COMMITTED, severalProcesses: 'yes', reuse: 'no' },
  thirdweb: {
    crashSafe: 'no: three separate Redis commands, a crash between them loses the nonce',
    severalProcesses: 'yes',
    reuse: 'yes, in random order',
  },
  openZeppelin: {
    crashSafe: 'no: a crash between count and record leaves a gap',
    severalProcesses: 'yes',
    reuse: 'no',
  },
  fireFly: {
    crashSafe: COMMITTED,
    severalProcesses: 'no, one writer for each signer',
    reuse: 'no',
  },
  inMemory: { crashSafe: 'no', severalProcesses: 'no', reuse: 'no' },
} as const satisfies Record<string, Guarantees>;
