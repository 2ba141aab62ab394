import { InFlightRequests } from '../http/in-flight-requests';

describe('InFlightRequests', () => {
  it('waits for what was taken before and says so', async () => {
    const requests = new InFlightRequests();
    requests.started();
    const drained = requests.drain(60_000);
    expect(requests.draining).toBe(true);
    requests.ended();
    await expect(drained).resolves.toBe(true);
  });

  it('gives up at its deadline', async () => {
    const requests = new InFlightRequests();
    requests.started();
    await expect(requests.drain(5)).resolves.toBe(false);
  });

  it('has nothing to wait for when nothing runs', async () => {
    await expect(new InFlightRequests().drain(60_000)).resolves.toBe(true);
  });
});
