import { HttpRequestError } from 'viem';
import { ProviderUrl } from '../src/evm/provider-url';
import { transportFailure } from '../src/evm/transport-failure';

const SECRET = 'AbCdEf0123456789';

describe('an RPC URL in logs and errors', () => {
  it.each([
    [`https://eth.example.com/v2/${SECRET}`, 'https://eth.example.com/…'],
    [`https://eth.example.com/?apikey=${SECRET}`, 'https://eth.example.com/…'],
    [`https://user:${SECRET}@eth.example.com:8545`, 'https://eth.example.com:8545'],
    ['http://127.0.0.1:8545', 'http://127.0.0.1:8545'],
  ])('%s is shown as %s', (href, label) => {
    expect(new ProviderUrl(href).label).toBe(label);
  });

  it.each([
    `https://eth.example.com/v2/${SECRET}`,
    `https://eth.example.com/?apikey=${SECRET}`,
    `https://user:${SECRET}@eth.example.com`,
  ])('a node that quotes a key of %s gives nothing away', (href) => {
    const url = new ProviderUrl(href);
    expect(url.redact(`invalid key ${SECRET} for ${href}`)).not.toContain(SECRET);
  });

  it('another URL in the text loses its path', () => {
    const url = new ProviderUrl('https://eth.example.com');
    expect(url.redact(`see https://other.example.com/k/${SECRET}?a=1 now`)).toBe(
      'see https://other.example.com/… now',
    );
  });

  it('a failure of the transport is told without URL and body', () => {
    const error = new HttpRequestError({
      url: `https://eth.example.com/${SECRET}`,
      body: { params: [SECRET] },
      status: 403,
      details: SECRET,
    });
    expect(JSON.stringify(transportFailure(error, 0))).not.toContain(SECRET);
    expect(transportFailure(error, 0)).toMatchObject({ failure: 'http', message: 'HTTP 403' });
  });
});
