import { checkChain, checkNothingLost, checkPartition } from './check-ending';
import { checkEpochs, checkFloors, checkOperations, checkOwners } from './check-owners';
import type { Ending, History, HistoryRules } from './history';
import { nonceStories } from './nonce-story';

/**
 * Every promise that a whole run broke, as sentences that begin with the invariants' ids; empty for
 * a run that kept them all. Judges only what callers were told, what left their processes, what the
 * chain holds and what Postgres holds at the end.
 */
export function checkHistory(
  history: History,
  ending: Ending,
  rules: HistoryRules,
): readonly string[] {
  const stories = nonceStories(history);
  return [
    ...checkOwners(stories),
    ...checkFloors(history, stories),
    ...checkOperations(stories),
    ...checkEpochs(history),
    ...checkNothingLost(stories, ending, rules),
    ...checkPartition(ending),
    ...checkChain(history, ending),
  ];
}
