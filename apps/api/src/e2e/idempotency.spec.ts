import { operationIdOf, requestHashOf } from '../http/idempotency';

describe('idempotency', () => {
  it('gives the same digest to the same request, however its fields are ordered', () => {
    const one = requestHashOf({ count: 1, metadata: { a: [1, { x: 1, y: 2 }], b: null } });
    const two = requestHashOf({ metadata: { b: null, a: [1, { y: 2, x: 1 }] }, count: 1 });
    expect(one).toBe(two);
    expect(requestHashOf({ metadata: { a: [2] }, count: 1 })).not.toBe(one);
  });

  it('takes the header and the field for the same name and refuses two different ones', () => {
    expect(operationIdOf(undefined, undefined)).toBeUndefined();
    expect(operationIdOf('pay-1', undefined)).toBe('pay-1');
    expect(operationIdOf('pay-1', 'pay-1')).toBe('pay-1');
    expect(() => operationIdOf('pay-1', 'pay-2')).toThrow('NONCE_VALIDATION');
  });

  it.each(['', ' x', 'x ', 'ä', 'a'.repeat(201)])('refuses the key "%s"', (key) => {
    expect(() => operationIdOf(key, undefined)).toThrow('NONCE_VALIDATION');
  });
});
