import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { allocateParameters, RAW_ALLOCATE, type Wish } from './raw-statements';
import { RawCoalescer } from './raw-coalescer';

export interface RawGrant {
  readonly id: string;
  readonly nonce: number;
}

interface ReplyRow {
  readonly kind: string;
  readonly index: number;
  readonly nonce: string;
}

/** The engine's allocation statement behind the least possible program. Submitters must exist. */
export class RawAllocation {
  private readonly pool: Pool;
  private readonly coalescer = new RawCoalescer<string, RawGrant>((submitters) =>
    this.allocateAll(submitters),
  );

  constructor(databaseUrl: string) {
    this.pool = new Pool({ connectionString: databaseUrl, max: 10 });
  }

  /** Shares a statement with everybody who asks at the same time. */
  allocate(submitter: string): Promise<RawGrant> {
    return this.coalescer.submit(submitter);
  }

  /** A statement of its own. */
  async allocateAlone(submitter: string): Promise<RawGrant> {
    const [grant] = await this.allocateAll([submitter]);
    if (grant === undefined) throw new Error('allocate_batch granted nothing');
    return grant;
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private async allocateAll(submitters: readonly string[]): Promise<RawGrant[]> {
    const wishes = submitters.map((submitter, at) => ({ submitter, at, id: randomUUID() }));
    wishes.sort(bySubmitter);
    const values = allocateParameters(wishes, wishes[0]?.submitter !== wishes.at(-1)?.submitter);
    const { rows } = await this.pool.query<ReplyRow>({ ...RAW_ALLOCATE, values });
    const next = new Map(rows.map((row) => [row.index, Number(row.nonce)]));
    const grants: RawGrant[] = [];
    let submitter = 0;
    let last: string | undefined;
    for (const wish of wishes) {
      if (wish.submitter !== last) submitter += 1;
      last = wish.submitter;
      const nonce = next.get(submitter);
      if (nonce === undefined) throw new Error(`allocate_batch left ${wish.submitter} out`);
      next.set(submitter, nonce + 1);
      grants[wish.at] = { id: wish.id, nonce };
    }
    return grants;
  }
}

function bySubmitter(a: Wish, b: Wish): number {
  return a.submitter < b.submitter ? -1 : Number(a.submitter > b.submitter);
}
