import type { Epoch } from '../../domain/epoch';
import type { Submitter } from '../../domain/submitter';
import type { HolderRow } from '../../ports/allocation-store.port';
import type { FastStore, FastView, Incarnation } from '../../ports/fast-store.port';
import type { GrantCache } from './grant-cache';
import type { LookRow } from './settle-desk';
import type { ViewCache } from './view-cache';

export interface GrantPlaces {
  readonly fast: Pick<FastStore, 'shardOf' | 'incarnationOf'>;
  readonly views: ViewCache;
  readonly grants: GrantCache;
}

/**
 * Where the fast store may know an allocation; null when nothing leads there, or when its epoch has
 * ended as far as this node knows: then Postgres alone decides.
 */
export async function placeOf(
  places: GrantPlaces,
  row: HolderRow,
  epochSaid: number | undefined,
): Promise<LookRow | null> {
  const grant = places.grants.find(row.id);
  const submitter = row.submitter ?? grant?.submitter;
  const nonce = row.nonce ?? grant?.nonce;
  if (submitter === undefined || nonce === undefined) return null;
  // One that is of no use for grants any more still knows those it made.
  const view = places.views.get(submitter) ?? places.views.badOf(submitter) ?? undefined;
  const epoch = (epochSaid as Epoch | undefined) ?? grant?.epoch ?? view?.epoch;
  if (epoch === undefined || (view !== undefined && view.epoch > epoch)) return null;
  if (view?.epoch === epoch) return { view, id: row.id, nonce };
  const incarnation = await incarnationOf(places, submitter);
  if (incarnation === null) return null;
  const guessed: FastView = { submitter, epoch, incarnation };
  return { view: guessed, id: row.id, nonce };
}

/** A node that never allocated for this submitter asks the store itself; a wrong one is stale there. */
async function incarnationOf(
  { fast }: GrantPlaces,
  submitter: Submitter,
): Promise<Incarnation | null> {
  try {
    return await fast.incarnationOf(submitter);
  } catch {
    return null;
  }
}
