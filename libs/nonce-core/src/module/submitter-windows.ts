import type { Submitter } from '../domain/submitter';
import type { AllocateBatch, AllocationStore } from '../ports/allocation-store.port';
import type { FastEpochStore } from '../ports/fast-epoch-store.port';
import type { SubmitterStore } from '../ports/submitter-store.port';

/** Windows that the host's code gives to single submitters. An operator's setting goes before. */
export class SubmitterWindows {
  private readonly windows = new Map<Submitter, number>();

  set(submitter: Submitter, maxInFlight: number): void {
    this.windows.set(submitter, maxInFlight);
  }

  /** The same store, with the windows written into the rows it is asked about. */
  applyTo(store: AllocationStore): AllocationStore {
    return {
      allocate: (batch) =>
        store.allocate(this.windows.size === 0 ? batch : this.withWindows(batch)),
      command: (rows, quarantine, handle) => store.command(rows, quarantine, handle),
      open: (baseline) => store.open(baseline),
      findById: (id) => store.findById(id),
    };
  }

  /** The same for epochs: the window limits how far their ceilings are raised. */
  applyToEpochs(store: FastEpochStore): FastEpochStore {
    const widened = <Request>(submitter: Submitter, request: Request): Request => {
      const defaultWindow = this.windows.get(submitter);
      return defaultWindow === undefined ? request : { ...request, defaultWindow };
    };
    return {
      enter: (requests, intents, modeEpoch) =>
        store.enter(
          requests.map((request) => widened(request.submitter, request)),
          intents,
          modeEpoch,
        ),
      refill: (requests, intents) =>
        store.refill(
          requests.map((request) => widened(request.view.submitter, request)),
          intents,
        ),
      record: (rows, quarantine) => store.record(rows, quarantine),
      findBindings: (requests) => store.findBindings(requests),
      close: (view, retiredNext, reason) => store.close(view, retiredNext, reason),
      takeOver: (rows, modeEpoch) => store.takeOver(rows, modeEpoch),
      awaitingLoad: (limit) => store.awaitingLoad(limit),
      ruling: (submitter) => store.ruling(submitter),
      rulingAmong: (submitters) => store.rulingAmong(submitters),
      listRuling: (after, limit) => store.listRuling(after, limit),
    };
  }

  viewOf(store: Pick<SubmitterStore, 'view'>): Pick<SubmitterStore, 'view'> {
    return {
      view: (submitter, byDefault) =>
        store.view(submitter, this.windows.get(submitter) ?? byDefault),
    };
  }

  private withWindows(batch: AllocateBatch): AllocateBatch {
    const rows = batch.rows.map((row) => {
      const maxInFlight = this.windows.get(row.submitter);
      return maxInFlight === undefined ? row : { ...row, maxInFlight };
    });
    return { ...batch, rows };
  }
}
