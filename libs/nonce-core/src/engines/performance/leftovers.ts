import type { Submitter } from '../../domain/submitter';
import type { GatheredCall } from '../../engine-parts/batch-gatherer';
import type { Grant } from '../../ports/engine.port';
import type { FastAllocateAnswer, FastView } from '../../ports/fast-store.port';
import type { FastRequest } from './fast-request';

export type AllocateCall = GatheredCall<FastRequest, Grant>;

/** What keeps a call from being granted for now. */
export type Lack = 'epoch' | Exclude<FastAllocateAnswer, { kind: 'granted' }>;

export interface Leftover {
  readonly submitter: Submitter;
  readonly view: FastView | undefined;
  /** What the first of them lacks; the others are asked again after it. */
  readonly lack: Lack;
  readonly calls: AllocateCall[];
}

/** Calls that a script run could not answer, by submitter. */
export class Leftovers {
  private readonly bySubmitter = new Map<Submitter, Leftover>();

  get all(): Iterable<Leftover> {
    return this.bySubmitter.values();
  }

  add(call: AllocateCall, view: FastView | undefined, lack: Lack): void {
    const { submitter } = call.request.row;
    const known = this.bySubmitter.get(submitter);
    if (known === undefined) {
      this.bySubmitter.set(submitter, { submitter, view, lack, calls: [call] });
    } else {
      known.calls.push(call);
    }
  }
}
