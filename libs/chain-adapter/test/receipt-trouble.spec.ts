import { failed, type RpcReply } from '../src/evm/json-rpc';
import { soonestOf, troubleOf } from '../src/evm/receipt-trouble';

const error = (code: number | null, message: string): RpcReply => ({
  kind: 'error',
  code,
  message,
});

describe('why a provider did not say whether there is a receipt', () => {
  it.each<[string, RpcReply | undefined, string]>([
    ['HTTP 429', failed('rate-limited', 'HTTP 429'), 'rate-limited'],
    ['EIP-1474, limit exceeded', error(-32_005, 'limit exceeded'), 'rate-limited'],
    ['a limit in words', error(-32_000, 'Too Many Requests, slow down'), 'rate-limited'],
    ['a rate limit in words', error(-32_603, 'project rate limit reached'), 'rate-limited'],
    ['a missing method', error(-32_601, 'the method does not exist'), 'bad-request'],
    ['wrong parameters', error(-32_602, 'invalid argument 0'), 'bad-request'],
    ['a timeout', failed('timeout', 'no answer within 5000 ms'), 'broken'],
    ['HTTP 502', failed('http', 'HTTP 502'), 'broken'],
    ['an internal error', error(-32_603, 'header not found'), 'broken'],
    ['no answer', undefined, 'broken'],
  ])('%s is told apart', (_, reply, trouble) => {
    expect(troubleOf(reply)).toBe(trouble);
  });

  it('of several providers, the one that may answer soonest sets the pace', () => {
    expect(soonestOf(['bad-request', 'broken', 'rate-limited'])).toBe('broken');
    expect(soonestOf(['bad-request', 'rate-limited'])).toBe('rate-limited');
    expect(soonestOf(['bad-request'])).toBe('bad-request');
  });
});
