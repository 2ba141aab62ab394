import { decodeFlushEvent } from '../../src/redis/flush-event-fields';

const SUBMITTER = `eip155:1:0x${'ab'.repeat(20)}`;
const ID = '0b9ad6d5-0d6b-4a3c-8a55-0f5b2f8f3c11';
const WHOLE = `2 77 3 Bcd ${ID} 1700000000000 60000 -5`;

function fields(v: string, ...more: string[]): readonly string[] {
  return ['s', SUBMITTER, 'n', '9007199254740990', 'v', v, ...more];
}

describe('an event as the scripts write it', () => {
  it('is read with its times, which are told as distances from the grant', () => {
    const event = decodeFlushEvent(fields(WHOLE, 'p', 'order 7', 'm', '{"a":1}', 'h', '0x1,0x2'));
    expect(event).toEqual({
      grant: {
        id: ID,
        submitter: SUBMITTER,
        nonce: 9_007_199_254_740_990,
        epoch: 2,
        generation: 77,
        source: 'recycled',
        exposure: 'declared',
        operationId: 'order 7',
        metadata: { a: 1 },
        grantedAtMs: 1_700_000_000_000,
        deadlineMs: 1_700_000_060_000,
      },
      stage: 'BROADCAST',
      rank: 3,
      hashes: ['0x1', '0x2'],
      note: null,
      // A clock that was set back between the two.
      atMs: 1_699_999_999_995,
    });
  });

  it.each([
    ['a stage nobody knows', WHOLE.replace('Bcd', 'Zcd')],
    ['a source nobody knows', WHOLE.replace('Bcd', 'Bzd')],
    ['an exposure nobody knows', WHOLE.replace('Bcd', 'Bcz')],
    ['a part missing', WHOLE.replace(' 60000', '')],
    ['a part too many', `${WHOLE} 1`],
    ['a generation that is no exact number', WHOLE.replace('77', '90071992547409930')],
    ['a deadline before all time', WHOLE.replace('60000', '-1700000000001')],
    ['nothing', ''],
  ])('is not read with %s', (_, v) => {
    expect(decodeFlushEvent(fields(v))).toBeNull();
  });

  it('is not read without its nonce, or for a submitter in another spelling', () => {
    expect(decodeFlushEvent(['s', SUBMITTER, 'v', WHOLE])).toBeNull();
    expect(decodeFlushEvent(['s', SUBMITTER.toUpperCase(), 'n', '1', 'v', WHOLE])).toBeNull();
    expect(decodeFlushEvent(['who', 'knows'])).toBeNull();
  });
});
