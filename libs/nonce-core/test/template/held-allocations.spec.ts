import { toNonce } from '../../src/domain/nonce';
import { HeldAllocations } from '../../src/template/held-allocations';
import { SUBMITTER } from './template-world';

/** As much of an allocation as is remembered. */
const grant = (nonce: number, id = `token-${String(nonce)}`) =>
  ({ id, submitter: SUBMITTER, nonce: toNonce(nonce) }) as Parameters<HeldAllocations['add']>[0];

const fenced = expect.objectContaining({ code: 'NONCE_FENCED' }) as Error;

describe('the nonces a process holds', () => {
  it('are found by submitter and nonce, and fenced for everybody else', () => {
    const held = new HeldAllocations();
    held.add(grant(5));
    expect(held.find(SUBMITTER, toNonce(5))).toEqual(grant(5));
    expect(() => held.find(SUBMITTER, toNonce(6))).toThrow(fenced);
  });

  it('are forgotten by their own token only', () => {
    const held = new HeldAllocations();
    held.add(grant(5));
    held.add(grant(5, 'token-of-the-next-grant'));
    held.remove(grant(5));
    expect(held.find(SUBMITTER, toNonce(5)).id).toBe('token-of-the-next-grant');
    held.remove(grant(5, 'token-of-the-next-grant'));
    expect(() => held.find(SUBMITTER, toNonce(5))).toThrow(fenced);
  });

  it('are remembered for at least 50,000 later grants, and not for ever', () => {
    const held = new HeldAllocations();
    for (let nonce = 0; nonce <= 50_000; nonce += 1) held.add(grant(nonce));
    expect(held.find(SUBMITTER, toNonce(0)).id).toBe('token-0');
    for (let nonce = 50_001; nonce <= 100_000; nonce += 1) held.add(grant(nonce));
    expect(() => held.find(SUBMITTER, toNonce(0))).toThrow(fenced);
    expect(held.find(SUBMITTER, toNonce(100_000)).id).toBe('token-100000');
  });
});
