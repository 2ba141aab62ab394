import type { AllocatedFact, Fact, SpokenFact } from '../history/history';
import { checkLiveHolders } from './check-live-holders';

const SUBMITTER = `eip155:31337:0x${'ab'.repeat(20)}`;

const granted = (token: string, atMs: number) =>
  ({
    ...{ kind: 'allocated', node: 'a', submitter: SUBMITTER, nonce: 7, token, epoch: 1 },
    ...{ source: 'fresh', exposure: 'declared', operation: null },
    ...{ askedUs: atMs * 1_000, atUs: atMs * 1_000 + 10 },
    ...{ grantedAtMs: atMs, deadlineMs: atMs + 1_000 },
  }) as unknown as AllocatedFact;

const spoken = (token: string, word: string, [atMs, answer]: [number, string]) =>
  ({
    ...{ kind: 'spoken', node: 'a', submitter: SUBMITTER, nonce: 7, token, word, txHash: null },
    ...{ askedUs: atMs * 1_000, atUs: answer === 'unknown' ? null : atMs * 1_000 + 10, answer },
  }) as unknown as SpokenFact;

const check = (...facts: Fact[]) => checkLiveHolders(facts);
const fenced = spoken('late', 'recyclable', [2_100, 'NONCE_FENCED']);

it('finds a live holder that was fenced, and not one whose time was over', () => {
  expect(check(granted('late', 2_000), fenced)).toHaveLength(1);
  const tooLate = spoken('late', 'recyclable', [2_900, 'NONCE_FENCED']);
  expect(check(granted('late', 2_000), tooLate)).toEqual([]);
});

it.each(['accepted', 'unknown'])(
  'H-11: leaves out a nonce that an earlier holder took back, whose answer was %s',
  (answer) => {
    const earlier = [granted('early', 0), spoken('early', 'intent', [1_900, answer])];
    expect(check(...earlier, granted('late', 2_000), fenced)).toEqual([]);
  },
);

it('does not leave it out for an earlier holder that was refused, nor for a later one', () => {
  const refused = [granted('early', 0), spoken('early', 'intent', [1_900, 'NONCE_FENCED'])];
  const found = check(...refused, granted('late', 2_000), fenced);
  expect(found.filter((line) => line.includes('late'))).toHaveLength(1);
  const after = [granted('after', 2_050), spoken('after', 'intent', [2_060, 'accepted'])];
  expect(check(granted('late', 2_000), fenced, ...after)).toHaveLength(1);
});
