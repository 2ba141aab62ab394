// Generated from postgres/sql/*.sql by `npm run generate`. Edit the .sql files, not this one.
import { createHash } from 'node:crypto';
import { NonceError } from '../../domain/errors/nonce-error';

/** One statement for one schema. */
export interface Statement<Parameters> {
  readonly text: string;
  /** Name for a prepared statement, unique per text; null when the statement is not hot. */
  readonly preparedName: string | null;
  /** The values in the order of `$1…`. */
  bind(parameters: Parameters): unknown[];
}

export interface StatementParameters {
  /**
   * Ends the running switch as aborted, whoever runs it, and audits that; no row when none runs.
   */
  readonly abortSwitch: {
    readonly actor: string;
    readonly reason: string;
  };
  /**
   * A step of a followed head; the function states guarantee and reply.
   */
  readonly advanceHead: {
    readonly chainId: number;
    /** hash of the head that the step begins at */
    readonly expected: string | null;
    readonly fork: number;
    readonly numbers: readonly (number | null)[];
    readonly hashes: readonly (string | null)[];
    readonly parents: readonly (string | null)[];
    readonly transactions: readonly (string | null)[];
    readonly confirmed: number;
    readonly final: number | null;
  };
  /**
   * Moves the floors of a submitter; the function states guarantee and replies.
   */
  readonly alignSubmitter: {
    readonly submitter: string;
    readonly latestCount: number;
    readonly finalizedCount: number | null;
    readonly genesisHash: string;
    /** rows settled by one call; the rest is left for the next */
    readonly rowLimit: number;
    /** block at which the latest count was read */
    readonly blockNumber: number | null;
    readonly blockHash: string | null;
    /** height below which no block is undone */
    readonly deepNumber: number | null;
    /** whether the account delegates to code; null = not asked */
    readonly delegated: boolean | null;
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Answers a batch of allocation requests; the function states guarantee and replies.
   */
  readonly allocateBatch: {
    /** distinct, in byte order */
    readonly submitters: readonly (string | null)[];
    /** default window of each submitter, 0 = no limit */
    readonly windows: readonly (number | null)[];
    /** nonces wanted per submitter */
    readonly needs: readonly (number | null)[];
    /** shortest reservation wanted per submitter */
    readonly minTtlMs: readonly (number | null)[];
    /** 1-based position in $1; requests come sorted by it */
    readonly requestSubmitter: readonly (number | null)[];
    readonly requestCount: readonly (number | null)[];
    readonly requestTtlMs: readonly (number | null)[];
    readonly requestExposure: readonly (string | null)[];
    /** null when no request names an operation */
    readonly requestOperation: readonly (string | null)[] | null;
    readonly requestHash: readonly (string | null)[] | null;
    /** JSON text */
    readonly requestMetadata: readonly (string | null)[] | null;
    /** one owner token per wanted nonce, in request order */
    readonly slotIds: readonly (string | null)[];
    /** 1-based request of each slot */
    readonly slotRequest: readonly (number | null)[];
    /** 0-based position of each slot within its submitter */
    readonly slotRank: readonly (number | null)[];
    readonly quarantineMs: number;
    readonly release: string;
    readonly skipLocked: boolean;
    readonly retry: boolean;
    /** submitters whose chain refuses a nonce above the next; null = none */
    readonly strict: readonly (boolean | null)[] | null;
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Applies events of fast grants; the function states guarantee and locks.
   */
  readonly applyEvents: {
    /** sorted, then by nonce, epoch and generation */
    readonly submitters: readonly (string | null)[];
    readonly nonces: readonly (number | null)[];
    readonly epochs: readonly (number | null)[];
    readonly generations: readonly (number | null)[];
    readonly ranks: readonly (number | null)[];
    readonly stages: readonly (string | null)[];
    readonly ids: readonly (string | null)[];
    readonly sources: readonly (string | null)[];
    readonly exposures: readonly (string | null)[];
    readonly grantedMs: readonly (number | null)[];
    readonly deadlinesMs: readonly (number | null)[];
    /** null when no grant names an operation */
    readonly operations: readonly (string | null)[] | null;
    readonly metadata: readonly (string | null)[] | null;
    /** comma-separated, oldest first */
    readonly hashes: readonly (string | null)[] | null;
    readonly notes: readonly (string | null)[] | null;
    /** false where a later grant of the same nonce follows; null = all true */
    readonly lasts: readonly (boolean | null)[] | null;
    readonly quarantineMs: number;
    readonly release: string;
  };
  /**
   * Applies verdicts of the tracker; the function states guarantee and replies.
   */
  readonly applyTracking: {
    readonly ids: readonly (string | null)[];
    readonly fromStages: readonly (string | null)[];
    readonly toStages: readonly (string | null)[];
    /** hashes the decision knew; null = any */
    readonly hashesSeen: readonly (number | null)[];
    /** the hash that mined */
    readonly txHashes: readonly (string | null)[];
    readonly blockNumbers: readonly (number | null)[];
    readonly blockHashes: readonly (string | null)[];
    readonly proofs: readonly (string | null)[];
    readonly reasons: readonly (string | null)[];
    readonly nextLookMs: readonly (number | null)[];
    /** for rows that enter quarantine */
    readonly releaseMs: readonly (number | null)[];
    readonly stuck: readonly (boolean | null)[];
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Ruling performance epochs whose fast store could be handed nonces to issue again. Found from the
   * few rows that no store was handed yet, so that many idle submitters cost nothing.
   */
  readonly awaitingLoad: {
    readonly limit: number;
  };
  /**
   * Begins a reconciliation, or replies the one of its kind that runs already (`begun` false).
   */
  readonly beginReconciliation: {
    readonly id: string;
    readonly scope: string;
    readonly dryRun: boolean;
    readonly actor: string;
    readonly reason: string;
    /** who carries it out at once; null = whichever worker claims it */
    readonly runner: string | null;
    /** JSON */
    readonly counts: string;
  };
  /**
   * Keeps an event that cannot be applied and quarantines its nonce, in one transaction; burying it
   * again changes nothing.
   */
  readonly buryEvent: {
    readonly shard: number;
    readonly entryId: string;
    readonly submitter: string | null;
    readonly nonce: number | null;
    readonly id: string | null;
    readonly epoch: number | null;
    readonly generation: number | null;
    readonly event: string;
    readonly deliveries: number;
    readonly reason: string;
    readonly quarantineMs: number;
    readonly release: string;
  };
  /**
   * Begins and ends alarms; one that is open is not begun again, one that ended does not end again.
   */
  readonly changeAlarms: {
    readonly kinds: readonly (string | null)[];
    readonly subjects: readonly (string | null)[];
    readonly figures: readonly (number | null)[];
    readonly thresholds: readonly (number | null)[];
    /** ids of alarms that end */
    readonly clear: readonly (number | null)[];
  };
  /**
   * Alarms that began or ended after an instant, and the instant of the look; one row with no alarm
   * when there is none.
   */
  readonly changedAlarms: {
    /** microseconds since 1970 */
    readonly afterUs: number;
    readonly rowLimit: number;
  };
  /**
   * Settings of the server that decide whether a commit can be lost.
   */
  readonly checkServer: Readonly<Record<string, never>>;
  /**
   * Alarms of which nobody was told yet, of the last day; others leave them alone for a while.
   */
  readonly claimAlarms: {
    readonly claimMs: number;
    readonly rowLimit: number;
  };
  /**
   * Claims rows whose next look is due: moves the look into the future and returns the rows, oldest
   * look first. Rows another worker is claiming are skipped. The statement's start time, not a
   * volatile clock, so that the index on due_at serves the comparison.
   */
  readonly claimDue: {
    readonly stages: readonly (string | null)[];
    readonly chainIds: readonly (number | null)[];
    readonly rowLimit: number;
    readonly leaseMs: number;
  };
  /**
   * Renews and takes a worker's fair share of the shards; replies those it now holds.
   */
  readonly claimFlushShards: {
    readonly worker: string;
    /** how many there are */
    readonly shards: number;
    readonly leaseMs: number;
  };
  /**
   * Goes on with a running reconciliation: one's own, or one whose runner is gone. No row otherwise.
   */
  readonly claimReconciliation: {
    readonly runner: string;
    readonly silentMs: number;
  };
  /**
   * Goes on with the running switch: one's own, or one whose runner is silent. No row otherwise.
   */
  readonly claimRunningSwitch: {
    readonly runner: string;
    readonly silentMs: number;
  };
  /**
   * Ends a performance epoch; null when another epoch rules by now.
   */
  readonly closeFastEpoch: {
    readonly submitter: string;
    readonly epoch: number;
    /** where the fast store ended it; null = not known */
    readonly retiredNext: number | null;
    readonly reason: string;
    readonly quarantineMs: number;
    readonly release: string;
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Applies a batch of holders' commands; the function states guarantee and replies.
   */
  readonly commandBatch: {
    readonly commands: readonly (string | null)[];
    readonly ids: readonly (string | null)[];
    readonly submitters: readonly (string | null)[];
    readonly nonces: readonly (number | null)[];
    readonly hashes: readonly (string | null)[];
    readonly raw: readonly (Buffer | null)[];
    readonly notes: readonly (string | null)[];
    readonly ttlsMs: readonly (number | null)[];
    readonly followable: readonly (boolean | null)[];
    readonly quarantineMs: number;
    readonly release: string;
    /** facts of fast grants; null when no command carries any */
    readonly epochs: readonly (number | null)[] | null;
    readonly generations: readonly (number | null)[] | null;
    readonly sources: readonly (string | null)[] | null;
    readonly exposures: readonly (string | null)[] | null;
    readonly operations: readonly (string | null)[] | null;
    readonly metadata: readonly (string | null)[] | null;
    readonly grantedMs: readonly (number | null)[] | null;
    readonly deadlinesMs: readonly (number | null)[] | null;
    /** as the others; checked only where a command lets bytes leave or makes a row */
    readonly server: string | null;
  };
  /**
   * What the database says of witnessed submitters; no row for those it does not know.
   */
  readonly compareWitnesses: {
    readonly submitters: readonly (string | null)[];
  };
  /**
   * How many dead letters wait for a decision.
   */
  readonly countDeadLetters: Readonly<Record<string, never>>;
  /**
   * Fast epochs that rule.
   */
  readonly countFastEpochs: {
    /** counted no further than this */
    readonly most: number;
  };
  /**
   * Grants of fast epochs that nobody has settled.
   */
  readonly countFastGrants: {
    /** counted no further than this */
    readonly most: number;
  };
  /**
   * Submitters whose last alignment is older than wanted, the least recent first. A submitter with
   * nothing open is looked at twenty times less often: only foreign use could concern it.
   */
  readonly dueForAlignment: {
    readonly chainIds: readonly (number | null)[];
    readonly olderThanMs: number;
    readonly rowLimit: number;
  };
  /**
   * Joins or wins performance epochs; the function states guarantee and replies.
   */
  readonly enterFastEpochs: {
    readonly submitters: readonly (string | null)[];
    readonly incarnations: readonly (string | null)[];
    /** elements where the asker knows no epoch */
    readonly badEpochs: readonly (number | null)[] | null;
    readonly raises: readonly (number | null)[];
    readonly windows: readonly (number | null)[];
    readonly reasons: readonly (string | null)[];
    readonly intents: string;
    /** free nonces handed over at most per submitter */
    readonly freeLimit: number;
    readonly quarantineMs: number;
    readonly release: string;
    /** entered only while the mode has this epoch */
    readonly modeEpoch: number;
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Reads one allocation by its owner token; no row when the token is unknown or was superseded.
   */
  readonly findAllocation: {
    readonly id: string;
  };
  /**
   * Reads allocations by their owner tokens, in nonce order.
   */
  readonly findAllocations: {
    readonly ids: readonly (string | null)[];
  };
  /**
   * The key with this digest, unless it is revoked or expired.
   */
  readonly findApiKey: {
    readonly digest: string;
  };
  /**
   * What operations are bound to; kind `new` where nothing binds one. Locks state rows in key order.
   */
  readonly findBindings: {
    readonly submitters: readonly (string | null)[];
    readonly operations: readonly (string | null)[];
    /** request digests */
    readonly hashes: readonly (string | null)[];
    readonly counts: readonly (number | null)[];
    readonly exposures: readonly (string | null)[];
  };
  /**
   * One dead letter, open or resolved.
   */
  readonly findDeadLetter: {
    readonly id: string;
  };
  /**
   * Nonces by their keys, of the current generation, in whatever stage they are; one probe for each.
   */
  readonly findMirrored: {
    readonly submitters: readonly (string | null)[];
    /** one per submitter */
    readonly nonces: readonly (number | null)[];
  };
  /**
   * The row of one nonce in the current chain generation.
   */
  readonly findNonce: {
    readonly submitter: string;
    readonly nonce: number;
  };
  /**
   * One reconciliation, running or ended; no row when there is none of that id.
   */
  readonly findReconciliation: {
    readonly id: string;
  };
  /**
   * Ends a running switch as done, by its runner; no row when it is that no more.
   */
  readonly finishSwitch: {
    readonly id: number;
    readonly runner: string;
    /** JSON, a list */
    readonly phases: string;
  };
  /**
   * The remembered raises of the issuing floor above a count, highest first.
   */
  readonly floorRaises: {
    readonly submitter: string;
    readonly aboveCount: number;
  };
  /**
   * When any worker last flushed and failed to, with the reason of the last failure.
   */
  readonly flushReport: Readonly<Record<string, never>>;
  /**
   * What an alignment would do; the function states how.
   */
  readonly foreseeAlignment: {
    readonly submitter: string;
    readonly latestCount: number;
    readonly finalizedCount: number | null;
    readonly genesisHash: string;
    /** rows settled by one call; the rest is left for the next */
    readonly rowLimit: number;
    /** block at which the latest count was read */
    readonly blockNumber: number | null;
    readonly blockHash: string | null;
    /** height below which no block is undone */
    readonly deepNumber: number | null;
    /** whether the account delegates to code; null = not asked */
    readonly delegated: boolean | null;
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Pauses all submitters of a chain; those that are paused keep their reason.
   */
  readonly freezeChain: {
    readonly chainId: number;
    readonly reason: string;
  };
  /**
   * The first mode of an installation; a mode that is there stays.
   */
  readonly initialiseMode: {
    readonly mode: string;
    readonly actor: string;
  };
  /**
   * Ends one recovery by an operator's word; what is in quarantine stays there.
   */
  readonly leaveRecovery: {
    readonly submitter: string;
  };
  /**
   * Ends the recoveries of which no quarantined nonce is open; locked submitters wait for the next time.
   */
  readonly leaveSettledRecoveries: Readonly<Record<string, never>>;
  /**
   * Open dead letters, oldest first, a page after the one named.
   */
  readonly listDeadLetters: {
    /** id of the last one seen; null = from the start */
    readonly after: string | null;
    readonly rowLimit: number;
  };
  /**
   * Lowest nonces that anybody could have and nobody has asked for since so long, while transactions
   * above them wait: given back, or left over from a closed strict range, where they have no row yet.
   * Read from the partial indexes of what may be issued again and of what is still to be walked.
   */
  readonly listIdleGaps: {
    readonly chainIds: readonly (number | null)[];
    readonly settledMs: number;
    readonly rowLimit: number;
  };
  /**
   * Rows of one submitter's current chain generation, in nonce order.
   */
  readonly listNonces: {
    readonly submitter: string;
    readonly stages: readonly (string | null)[] | null;
    readonly fromNonce: number | null;
    /** inclusive */
    readonly toNonce: number | null;
    readonly rowLimit: number;
  };
  /**
   * Submitters in recovery, the longest first, and how many of their quarantined nonces are open.
   */
  readonly listRecoveries: {
    readonly rowLimit: number;
  };
  /**
   * Ruling performance epochs, a page in key order.
   */
  readonly listRulingEpochs: {
    /** the last submitter of the page before; null = from the start */
    readonly after: string | null;
    readonly limit: number;
  };
  /**
   * Submitters as an operator sees them: one, or a page of them in key order. USED is what was issued
   * and is neither reserved nor recyclable, so that history is not counted row by row; the other counts
   * come from partial indexes.
   */
  readonly listSubmitters: {
    /** the last key of the page before, or the empty text */
    readonly after: string;
    /** only this one */
    readonly submitter: string | null;
    /** part of the key or of the label */
    readonly search: string | null;
    readonly rowLimit: number;
    readonly defaultWindow: number;
  };
  /**
   * The kept headers of a chain from its head downwards.
   */
  readonly loadHeaders: {
    readonly chainId: number;
  };
  /**
   * Takes back raises of the issuing floor; the function states guarantee and replies.
   */
  readonly lowerFloor: {
    readonly submitter: string;
    /** the floor as the asker knows it */
    readonly seenCount: number;
    /** what the chain shows */
    readonly toCount: number;
    /** counts of the raises whose blocks were replaced */
    readonly replaced: readonly (number | null)[];
    readonly rowLimit: number;
    readonly quarantineMs: number;
    readonly release: string;
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Figures of which people are told, the worst of each kind, read from the partial indexes of open
   * work: reserved age (ms), nonces that became free within ten minutes and were not issued again,
   * issued nonces beyond the chain's count, age of the last alignment (ms), time degraded, or without
   * Redis in another mode (ms).
   */
  readonly measureAlarms: {
    /** chains that submitters are aligned with */
    readonly chainIds: readonly (number | null)[];
    /** figures per kind */
    readonly worst: number;
  };
  /**
   * Where submitters stand: their next nonce, and their open ones, of the current generation.
   * One row per open nonce; a submitter without any has one row without a nonce. Each kind of open nonce
   * is read in the order of the partial index that holds it, and reserved ones with a generation that the
   * primary key cannot use: a plan made for an empty table would read all that a submitter ever used.
   */
  readonly mirrorTruth: {
    readonly submitters: readonly (string | null)[];
    /** open nonces of each kind per submitter */
    readonly limit: number;
  };
  /**
   * Switches, newest first.
   */
  readonly modeHistory: {
    /** only those with a lower id; null = from the newest */
    readonly before: number | null;
    readonly rowLimit: number;
  };
  /**
   * Grants of one nonce that ended with another grant, oldest first.
   */
  readonly nonceHistory: {
    readonly submitter: string;
    readonly nonce: number;
  };
  /**
   * Alarms that are not cleared.
   */
  readonly openAlarms: {
    readonly rowLimit: number;
  };
  /**
   * Creates a submitter's state row, and quarantines what a pool already holds; nothing if it exists.
   */
  readonly openSubmitter: {
    readonly submitter: string;
    readonly engine: string;
    readonly startNonce: number;
    readonly pendingCount: number;
    readonly latestCount: number | null;
    readonly finalizedCount: number | null;
    readonly genesisHash: string | null;
    readonly quarantineMs: number;
    readonly release: string;
    /** whether the account delegates to code */
    readonly delegated: boolean;
  };
  /**
   * Submitters with nonces that are not settled, a page in key order: one probe of two partial indexes
   * for each, however many rows they have.
   */
  readonly openSubmitters: {
    /** the last submitter of the page before, or the empty text */
    readonly after: string;
    readonly limit: number;
  };
  /**
   * Submitters behind a cursor, in key order; with `hot` those of which the chain has not finally
   * consumed every issued nonce.
   */
  readonly pageSubmitters: {
    readonly behind: string;
    readonly hot: boolean;
    readonly rowLimit: number;
  };
  /**
   * Lets one submitter follow another mode than the others; the function states the replies.
   */
  readonly pinSubmitter: {
    readonly submitter: string;
    /** null = it follows the mode */
    readonly mode: string | null;
    readonly actor: string;
    readonly maxPins: number;
  };
  /**
   * One round trip that reads nothing: whether the server answers, and whether it takes writes.
   */
  readonly ping: Readonly<Record<string, never>>;
  /**
   * Moves the next look of rows, and nothing else. One that was made due since it was claimed, by a block
   * with its transaction, stays due.
   */
  readonly postponeLooks: {
    readonly ids: readonly (string | null)[];
    readonly nextLookMs: readonly (number | null)[];
  };
  /**
   * Deletes the oldest moves, as far as they are older than this.
   */
  readonly pruneTransitions: {
    readonly olderThanMs: number;
    readonly rowLimit: number;
  };
  /**
   * What rules now; no row before the first start.
   */
  readonly readMode: {
    /** pinned submitters returned at most */
    readonly maxPins: number;
    /** version of the pins that the asker has: they are not returned again */
    readonly knownPins: string | null;
  };
  /**
   * Starts a new chain generation; the function states guarantee and replies.
   */
  readonly rebaselineSubmitter: {
    readonly submitter: string;
    readonly genesisHash: string;
    readonly startNonce: number;
    readonly pendingCount: number;
    readonly latestCount: number;
    readonly finalizedCount: number | null;
    readonly reason: string;
    readonly dryRun: boolean;
    readonly quarantineMs: number;
    readonly release: string;
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Settles reservations past their deadline and returns the rows as they then are.
   */
  readonly reclaimExpired: {
    readonly rowLimit: number;
    readonly quarantineMs: number;
    readonly release: string;
  };
  /**
   * Records bytes that carry the same work at a higher fee before they are sent, each only while its
   * row still is as it was claimed and the chain is not known to count its nonce as used. The holder
   * keeps the row. Locks the rows in key order; replies the ids of the rows written.
   */
  readonly recordBumps: {
    readonly ids: readonly (string | null)[];
    readonly fromStages: readonly (string | null)[];
    readonly hashesSeen: readonly (number | null)[];
    readonly txHashes: readonly (string | null)[];
    readonly rawTxs: readonly (Buffer | null)[];
    readonly nextLookMs: readonly (number | null)[];
    readonly reasons: readonly (string | null)[];
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Records our own transfers of nothing before they are sent, each only while its row still is as it
   * was claimed and the chain is not known to count its nonce as used. From then on the stage refuses
   * the holder. Locks the rows in key order; replies the ids of the rows written.
   */
  readonly recordBurns: {
    readonly ids: readonly (string | null)[];
    readonly fromStages: readonly (string | null)[];
    readonly hashesSeen: readonly (number | null)[];
    readonly txHashes: readonly (string | null)[];
    readonly rawTxs: readonly (Buffer | null)[];
    readonly nextLookMs: readonly (number | null)[];
    readonly reasons: readonly (string | null)[];
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Makes fast grants durable; the function states guarantee and replies.
   */
  readonly recordGrants: {
    readonly requests: readonly (number | null)[];
    readonly ids: readonly (string | null)[];
    readonly submitters: readonly (string | null)[];
    readonly nonces: readonly (number | null)[];
    readonly epochs: readonly (number | null)[];
    readonly generations: readonly (number | null)[];
    readonly sources: readonly (string | null)[];
    readonly exposures: readonly (string | null)[];
    /** null when no request names an operation */
    readonly operations: readonly (string | null)[] | null;
    /** request digests */
    readonly hashes: readonly (string | null)[];
    readonly metadata: readonly (string | null)[] | null;
    readonly grantedMs: readonly (number | null)[];
    readonly deadlinesMs: readonly (number | null)[];
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Counts an attempt to send stored bytes again, before they are sent: one of two workers that hold a
   * claim of the same row gets it, and none once the attempts are spent. Keeps the claim. Locks the rows
   * in key order; replies the ids of the rows that may be sent.
   */
  readonly recordSends: {
    readonly ids: readonly (string | null)[];
    readonly fromStages: readonly (string | null)[];
    readonly hashesSeen: readonly (number | null)[];
    /** due_at as the claim wrote it */
    readonly claims: readonly (string | null)[];
    readonly maxPerMinute: number;
    readonly maxTotal: number;
    readonly leaseMs: number;
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Vouches for the run of the server that was verified; the first to do so is remembered.
   */
  readonly recordServer: {
    readonly started: string;
    readonly how: string;
    readonly by: string;
  };
  /**
   * Recovers submitters; the function states guarantee and replies.
   */
  readonly recoverSubmitters: {
    /** start of the run that was verified */
    readonly started: string;
    readonly submitters: readonly (string | null)[];
    /** witnessed */
    readonly epochs: readonly (number | null)[];
    /** witnessed */
    readonly ceilings: readonly (number | null)[];
    /** start of the run at which commits were lost; null = only those behind */
    readonly lostAt: string | null;
    readonly reason: string;
    readonly quarantineMs: number;
    readonly release: string;
    /** nonces without a row that are quarantined per submitter by one call */
    readonly rowLimit: number;
  };
  /**
   * Raises ceilings and hands over free nonces; the function states guarantee and replies.
   */
  readonly refillFastEpochs: {
    readonly submitters: readonly (string | null)[];
    readonly incarnations: readonly (string | null)[];
    readonly epochs: readonly (number | null)[];
    /** as the asker knows them: raised only while they still are that */
    readonly ceilings: readonly (number | null)[];
    /** 0 = none, only limits and free nonces are wanted */
    readonly raises: readonly (number | null)[];
    readonly windows: readonly (number | null)[];
    /** last loan of free nonces that reached the fast store; null = all did */
    readonly loans: readonly (number | null)[];
    readonly intents: string;
    readonly freeLimit: number;
    readonly quarantineMs: number;
    readonly release: string;
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Gives back every shard a worker holds.
   */
  readonly releaseFlushShards: {
    readonly worker: string;
  };
  /**
   * Notes how a worker's last flush ended, on its claim.
   */
  readonly reportFlush: {
    readonly worker: string;
    /** null = it succeeded */
    readonly failure: string | null;
  };
  /**
   * Progress or end of a reconciliation, by its runner; no row when it is that no more.
   */
  readonly reportReconciliation: {
    readonly id: string;
    readonly runner: string;
    /** the last submitter done */
    readonly cursor: string;
    /** JSON */
    readonly counts: string;
    /** JSON, a list */
    readonly problems: string;
    readonly state: string;
  };
  /**
   * Keeps whether a worker reaches Redis, and since when it does not; forgets workers that are gone.
   */
  readonly reportRedis: {
    readonly reporter: string;
    readonly up: boolean;
  };
  /**
   * Progress of a running switch, by its runner; no row when it is that no more.
   */
  readonly reportSwitch: {
    readonly id: number;
    readonly runner: string;
    /** JSON, a list */
    readonly phases: string;
    /** JSON */
    readonly waitsFor: string | null;
  };
  /**
   * Marks a dead letter as dealt with; doing it again changes nothing.
   */
  readonly resolveDeadLetter: {
    readonly id: string;
  };
  /**
   * The ruling epochs of these submitters, where a fast store issues for them; no row for the others.
   */
  readonly rulingFastEpochs: {
    readonly submitters: readonly (string | null)[];
  };
  /**
   * Adds a key, or replaces name and scopes of the one with the same digest. A revoked key stays so.
   */
  readonly saveApiKey: {
    readonly name: string;
    readonly digest: string;
    readonly scopes: readonly (string | null)[];
  };
  /**
   * Which run of which database answers, how far its log is durable, and which runs were vouched for.
   * A standby answers no row: it may still learn of commits.
   */
  readonly serverFacts: Readonly<Record<string, never>>;
  /**
   * Pauses or resumes a submitter; a repeated pause keeps its first instant and takes the new reason.
   */
  readonly setPaused: {
    readonly submitter: string;
    readonly paused: boolean;
    readonly reason: string;
  };
  /**
   * Remembers that alarms were told, raised or cleared; what is left to tell of them may be claimed.
   */
  readonly settleAlarms: {
    readonly ids: readonly (number | null)[];
    /** true = that it was raised, false = that it was cleared */
    readonly raised: readonly (boolean | null)[];
  };
  /**
   * A submitter's own time to live and exposure; null where it has none.
   */
  readonly submitterDefaults: {
    readonly submitter: string;
  };
  /**
   * Switches the mode, while its epoch is the one seen; no row when it is not.
   */
  readonly switchMode: {
    readonly seenEpoch: number;
    readonly toMode: string;
    readonly actor: string;
    readonly reason: string;
    readonly automatic: boolean;
    readonly pinned: boolean;
    readonly returnTo: string | null;
    readonly dwellMs: number;
    readonly runner: string;
    /** JSON, a list */
    readonly phases: string;
  };
  /**
   * Gives submitters to the reliable engine; the functions state guarantee and replies.
   */
  readonly takeOverSubmitters: {
    readonly submitters: readonly (string | null)[];
    /** the fast epochs seen to rule; null elements = none */
    readonly epochs: readonly (number | null)[];
    /** where their fast stores ended them; null elements = not known */
    readonly retiredNexts: readonly (number | null)[];
    readonly modeEpoch: number;
    readonly skipLocked: boolean;
    readonly quarantineMs: number;
    readonly release: string;
    /** start of the verified run of the server; null = not checked */
    readonly server: string | null;
  };
  /**
   * Totals of open work, from partial indexes only: no statement here reads a settled row.
   */
  readonly trackingBacklog: Readonly<Record<string, never>>;
  /**
   * Moves of nonces by workers behind a place, in order, and the place up to which no more will come;
   * one row without a move when there is none.
   */
  readonly transitionsAfter: {
    /** transaction of the last one read; null = none, only the place */
    readonly writtenBy: string | null;
    readonly id: number;
    readonly rowLimit: number;
  };
  /**
   * Sizes of prefetched ranges for all nodes, audited; no row before the first start.
   */
  readonly tunePrefetch: {
    readonly size: number;
    readonly lowWater: number;
    readonly max: number;
    readonly actor: string;
    readonly reason: string;
  };
  /**
   * Changes the settings named in the JSON object; a key with null falls back to the default.
   */
  readonly updateSettings: {
    readonly submitter: string;
    /** JSON with any of label, maxInFlight, ttlMs, exposure */
    readonly settings: string;
  };
  /**
   * Appends one operator action.
   */
  readonly writeAudit: {
    readonly actor: string;
    readonly action: string;
    readonly subject: string;
    readonly reason: string;
    /** JSON */
    readonly detail: string | null;
  };
}

interface StatementSource {
  readonly file: string;
  readonly hot: boolean;
  readonly parameters: readonly string[];
  readonly text: string;
}

const SQL: Readonly<Record<StatementName, StatementSource>> = {
  abortSwitch: {
    file: 'abort-switch',
    hot: false,
    parameters: ['actor', 'reason'],
    text: `WITH ended AS (
  UPDATE :schema.mode_switch w
  SET state = 'aborted', ended_at = clock_timestamp(), waits_for = NULL
  WHERE w.state = 'running'
  RETURNING *
), audited AS (
  INSERT INTO :schema.audit (actor, action, subject, reason, detail)
  SELECT $1, 'mode.abort', e.to_mode, $2, jsonb_build_object('switch', e.id, 'epoch', e.epoch)
  FROM ended e
)
SELECT w.id, w.from_mode, w.to_mode, w.epoch, w.actor, w.reason, w.automatic, w.state, w.phases,
  w.waits_for, extract(epoch FROM w.started_at)::double precision * 1000 AS started_ms,
  extract(epoch FROM w.ended_at)::double precision * 1000 AS ended_ms
FROM ended w`,
  },
  advanceHead: {
    file: 'advance-head',
    hot: false,
    parameters: ['chainId', 'expected', 'fork', 'numbers', 'hashes', 'parents', 'transactions', 'confirmed', 'final'],
    text: `SELECT :schema.advance_head($1, $2, $3, $4, $5, $6, $7, $8, $9) AS advanced`,
  },
  alignSubmitter: {
    file: 'align-submitter',
    hot: false,
    parameters: ['submitter', 'latestCount', 'finalizedCount', 'genesisHash', 'rowLimit', 'blockNumber', 'blockHash', 'deepNumber', 'delegated', 'server'],
    text: `SELECT verdict, known_genesis, chain_latest, last_chain_nonce, foreign_use, fenced, finalized, stuck,
  lowered
FROM :schema.align_submitter(CASE WHEN :schema.same_server($10) THEN $1::text END, $2, $3, $4, $5, $6, $7, $8, $9)`,
  },
  allocateBatch: {
    file: 'allocate-batch',
    hot: true,
    parameters: ['submitters', 'windows', 'needs', 'minTtlMs', 'requestSubmitter', 'requestCount', 'requestTtlMs', 'requestExposure', 'requestOperation', 'requestHash', 'requestMetadata', 'slotIds', 'slotRequest', 'slotRank', 'quarantineMs', 'release', 'skipLocked', 'retry', 'strict', 'server'],
    text: `SELECT kind, index, nonce, extra, at_ms, detail
FROM :schema.allocate_batch(
  CASE WHEN :schema.same_server($20) THEN $1::text[] END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
  },
  applyEvents: {
    file: 'apply-events',
    hot: true,
    parameters: ['submitters', 'nonces', 'epochs', 'generations', 'ranks', 'stages', 'ids', 'sources', 'exposures', 'grantedMs', 'deadlinesMs', 'operations', 'metadata', 'hashes', 'notes', 'lasts', 'quarantineMs', 'release'],
    text: `SELECT :schema.apply_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
  $17, $18)`,
  },
  applyTracking: {
    file: 'apply-tracking',
    hot: false,
    parameters: ['ids', 'fromStages', 'toStages', 'hashesSeen', 'txHashes', 'blockNumbers', 'blockHashes', 'proofs', 'reasons', 'nextLookMs', 'releaseMs', 'stuck', 'server'],
    text: `SELECT id FROM :schema.apply_tracking(
  CASE WHEN :schema.same_server($13) THEN $1::uuid[] END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
  },
  awaitingLoad: {
    file: 'awaiting-load',
    hot: false,
    parameters: ['limit'],
    text: `SELECT s.submitter, s.epoch, s.incarnation FROM :schema.submitter_nonce_state s
WHERE s.engine = 'performance' AND s.incarnation IS NOT NULL
  AND s.submitter IN (
    SELECT a.submitter FROM :schema.submitter_nonce_allocation a
    JOIN :schema.submitter_nonce_state o
      ON o.submitter = a.submitter AND o.chain_generation = a.chain_generation
    WHERE a.loaded_epoch IS NULL
      AND a.stage IN ('REUSABLE', 'QUARANTINED')
      AND (a.stage = 'REUSABLE' OR a.release_at <= statement_timestamp())
      AND a.nonce >= coalesce(o.chain_latest_count, 0)
    UNION
    SELECT d.submitter FROM :schema.submitter_nonce_state d
    WHERE d.reclaim_at < 'infinity' AND d.reclaim_at <= statement_timestamp())
ORDER BY s.submitter
LIMIT $1`,
  },
  beginReconciliation: {
    file: 'begin-reconciliation',
    hot: false,
    parameters: ['id', 'scope', 'dryRun', 'actor', 'reason', 'runner', 'counts'],
    text: `WITH begun AS (
  INSERT INTO :schema.reconciliation (id, scope, dry_run, actor, reason, runner, counts, total)
  SELECT $1, $2, $3, $4, $5, $6, $7::text::jsonb, count(*)
  FROM :schema.submitter_nonce_state s
  WHERE $2 = 'all' OR s.next_local_nonce > coalesce(s.chain_finalized_count, -1)
  ON CONFLICT (dry_run) WHERE state = 'running' DO NOTHING
  RETURNING *
)
SELECT true AS begun, to_jsonb(b) AS body FROM begun b
UNION ALL
SELECT false, to_jsonb(r) FROM :schema.reconciliation r
WHERE r.dry_run = $3 AND r.state = 'running' AND NOT EXISTS (SELECT FROM begun)`,
  },
  buryEvent: {
    file: 'bury-event',
    hot: false,
    parameters: ['shard', 'entryId', 'submitter', 'nonce', 'id', 'epoch', 'generation', 'event', 'deliveries', 'reason', 'quarantineMs', 'release'],
    text: `SELECT :schema.bury_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
  },
  changeAlarms: {
    file: 'change-alarms',
    hot: false,
    parameters: ['kinds', 'subjects', 'figures', 'thresholds', 'clear'],
    text: `WITH ended AS (
  UPDATE :schema.alarm a SET cleared_at = clock_timestamp(), claimed_until = '-infinity'
  WHERE a.id IN (
    SELECT c.id FROM :schema.alarm c WHERE c.id = ANY ($5) AND c.cleared_at IS NULL
    ORDER BY c.id FOR UPDATE)
)
INSERT INTO :schema.alarm (kind, subject, value, threshold)
SELECT r.kind, r.subject, r.value, r.threshold
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
  AS r (kind, subject, value, threshold)
ORDER BY r.kind, r.subject
ON CONFLICT (kind, subject) WHERE cleared_at IS NULL DO NOTHING`,
  },
  changedAlarms: {
    file: 'changed-alarms',
    hot: false,
    parameters: ['afterUs', 'rowLimit'],
    text: `WITH look AS (SELECT (extract(epoch FROM statement_timestamp()) * 1000000)::bigint AS now_us)
SELECT look.now_us, a.id, a.kind, a.subject, a.value::double precision AS value,
  a.threshold::double precision AS threshold, a.cleared_at IS NULL AS raised,
  extract(epoch FROM a.opened_at)::double precision * 1000 AS opened_ms,
  extract(epoch FROM a.cleared_at)::double precision * 1000 AS cleared_ms
FROM look
LEFT JOIN (
  SELECT * FROM :schema.alarm c
  WHERE c.changed_at > to_timestamp($1::bigint / 1000000.0)
  ORDER BY c.changed_at
  LIMIT $2) a ON true`,
  },
  checkServer: {
    file: 'check-server',
    hot: false,
    parameters: [],
    text: `SELECT current_setting('server_version_num')::integer AS version,
  current_setting('server_version') AS version_text,
  current_setting('fsync') AS fsync,
  current_setting('synchronous_commit') AS synchronous_commit,
  pg_is_in_recovery() AS in_recovery`,
  },
  claimAlarms: {
    file: 'claim-alarms',
    hot: false,
    parameters: ['claimMs', 'rowLimit'],
    text: `UPDATE :schema.alarm a
SET claimed_until = clock_timestamp() + $1::integer * interval '1 ms'
WHERE a.id IN (
  SELECT c.id FROM :schema.alarm c
  WHERE (c.raised_told_at IS NULL OR (c.cleared_at IS NOT NULL AND c.cleared_told_at IS NULL))
    AND c.claimed_until <= clock_timestamp()
    AND coalesce(c.cleared_at, c.opened_at) > statement_timestamp() - interval '1 day'
  ORDER BY c.id
  FOR UPDATE SKIP LOCKED
  LIMIT $2)
RETURNING a.id, a.kind, a.subject, a.value::double precision AS value, a.threshold::double precision AS threshold,
  a.raised_told_at IS NULL AS raised,
  extract(epoch FROM a.opened_at)::double precision * 1000 AS opened_ms,
  extract(epoch FROM a.cleared_at)::double precision * 1000 AS cleared_ms`,
  },
  claimDue: {
    file: 'claim-due',
    hot: true,
    parameters: ['stages', 'chainIds', 'rowLimit', 'leaseMs'],
    text: `WITH due AS MATERIALIZED (
  SELECT a.id, a.due_at, a.submitter, a.chain_generation
  FROM :schema.submitter_nonce_allocation a
  WHERE a.due_at <= statement_timestamp()
    AND a.stage = ANY ($1::text[]:::schema.allocation_stage[])
    AND split_part(a.submitter, ':', 2)::bigint = ANY ($2)
    -- Its chain is gone: what was signed for it is not sent to the one that took its place.
    AND NOT EXISTS (SELECT 1 FROM :schema.submitter_nonce_state s
      WHERE s.submitter = a.submitter AND s.reset_seen_at IS NOT NULL)
  ORDER BY a.due_at
  LIMIT $3
  FOR UPDATE SKIP LOCKED
), gaps AS MATERIALIZED (
  -- Above the lowest open nonce that is not out nothing can mine.
  SELECT b.submitter, min(b.nonce) AS nonce
  FROM (SELECT DISTINCT d.submitter, d.chain_generation FROM due d) d
  JOIN :schema.submitter_nonce_state s ON s.submitter = d.submitter
  JOIN :schema.submitter_nonce_allocation b
    ON b.submitter = d.submitter AND b.chain_generation = d.chain_generation
    AND b.nonce >= coalesce(s.chain_latest_count, 0)
  WHERE b.stage IN ('GRANTED', 'INTENT', 'QUARANTINED', 'REUSABLE')
    -- The note is that of decide-stuck.ts: what waits in a pool for its fee is out.
    OR (b.stage = 'BROADCAST' AND b.stuck_since IS NOT NULL
      AND b.note IS DISTINCT FROM 'in a pool for long; its fee may be too low')
  GROUP BY b.submitter
)
UPDATE :schema.submitter_nonce_allocation a
SET due_at = statement_timestamp() + $4 * interval '1 ms'
FROM due
WHERE a.id = due.id
RETURNING a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms,
  a.inherited_hashes, a.raw_tx, array_to_string(a.burn_hashes, ',') AS burn_hashes, a.burn_tx,
  a.block_number, a.block_hash,
  coalesce(a.epoch < (SELECT s.recovery_epoch FROM :schema.submitter_nonce_state s
    WHERE s.submitter = a.submitter), false) AS may_lack_hashes,
  (SELECT s.chain_latest_count FROM :schema.submitter_nonce_state s
   WHERE s.submitter = a.submitter) AS chain_latest_count,
  (SELECT s.chain_finalized_count FROM :schema.submitter_nonce_state s
   WHERE s.submitter = a.submitter) AS chain_finalized_count,
  greatest(0, extract(epoch FROM statement_timestamp() - a.updated_at)::double precision * 1000)
    AS unchanged_ms,
  a.resends,
  CASE WHEN a.resend_minute_at > statement_timestamp() - interval '1 minute'
    THEN a.resends_in_minute ELSE 0 END AS resends_in_minute,
  (SELECT g.nonce FROM gaps g WHERE g.submitter = a.submitter) AS gap_nonce,
  a.due_at::text AS claim,
  extract(epoch FROM statement_timestamp() - a.stuck_since)::double precision * 1000 AS stuck_ms`,
  },
  claimFlushShards: {
    file: 'claim-flush-shards',
    hot: false,
    parameters: ['worker', 'shards', 'leaseMs'],
    text: `SELECT :schema.claim_flush_shards($1, $2, $3) AS shard`,
  },
  claimReconciliation: {
    file: 'claim-reconciliation',
    hot: false,
    parameters: ['runner', 'silentMs'],
    text: `UPDATE :schema.reconciliation r
SET runner = $1, heartbeat_at = clock_timestamp()
WHERE r.id = (
  SELECT c.id FROM :schema.reconciliation c
  WHERE c.state = 'running' AND (c.runner IS NULL OR c.runner = $1
    OR c.heartbeat_at <= clock_timestamp() - $2::integer * interval '1 ms')
  ORDER BY c.started_at
  FOR UPDATE SKIP LOCKED
  LIMIT 1)
RETURNING to_jsonb(r) AS body`,
  },
  claimRunningSwitch: {
    file: 'claim-running-switch',
    hot: false,
    parameters: ['runner', 'silentMs'],
    text: `UPDATE :schema.mode_switch w
SET runner = $1, heartbeat_at = clock_timestamp()
WHERE w.state = 'running'
  AND (w.runner = $1 OR w.heartbeat_at <= clock_timestamp() - $2::integer * interval '1 ms')
RETURNING w.id, w.from_mode, w.to_mode, w.epoch, w.actor, w.reason, w.automatic, w.state, w.phases,
  w.waits_for, extract(epoch FROM w.started_at)::double precision * 1000 AS started_ms,
  extract(epoch FROM w.ended_at)::double precision * 1000 AS ended_ms`,
  },
  closeFastEpoch: {
    file: 'close-fast-epoch',
    hot: false,
    parameters: ['submitter', 'epoch', 'retiredNext', 'reason', 'quarantineMs', 'release', 'server'],
    text: `SELECT :schema.change_epoch(CASE WHEN :schema.same_server($7) THEN $1::text END, $2, 'performance', NULL, 0, coalesce((
  SELECT l.intents FROM :schema.epoch_log l WHERE l.submitter = $1 AND l.epoch = $2), 'strict'),
  $4, $3, $5, $6) AS epoch`,
  },
  commandBatch: {
    file: 'command-batch',
    hot: true,
    parameters: ['commands', 'ids', 'submitters', 'nonces', 'hashes', 'raw', 'notes', 'ttlsMs', 'followable', 'quarantineMs', 'release', 'epochs', 'generations', 'sources', 'exposures', 'operations', 'metadata', 'grantedMs', 'deadlinesMs', 'server'],
    text: `SELECT * FROM :schema.command_batch(
  CASE WHEN :schema.same_server(
    CASE WHEN 'intent' = ANY ($1::text[]) OR $12::bigint[] IS NOT NULL THEN $20 END)
  THEN $1::text[] END,
  $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) ORDER BY ord`,
  },
  compareWitnesses: {
    file: 'compare-witnesses',
    hot: false,
    parameters: ['submitters'],
    text: `SELECT s.submitter, s.epoch, s.ceiling, s.recovery_cursor IS NOT NULL AS unfinished
FROM :schema.submitter_nonce_state s
WHERE s.submitter = ANY ($1)`,
  },
  countDeadLetters: {
    file: 'count-dead-letters',
    hot: false,
    parameters: [],
    text: `SELECT count(*) AS open FROM :schema.dead_letter WHERE resolved_at IS NULL`,
  },
  countFastEpochs: {
    file: 'count-fast-epochs',
    hot: false,
    parameters: ['most'],
    text: `SELECT :schema.count_fast_epochs($1) AS found`,
  },
  countFastGrants: {
    file: 'count-fast-grants',
    hot: false,
    parameters: ['most'],
    text: `SELECT :schema.count_fast_grants($1) AS found`,
  },
  dueForAlignment: {
    file: 'due-for-alignment',
    hot: false,
    parameters: ['chainIds', 'olderThanMs', 'rowLimit'],
    text: `SELECT due.submitter
FROM unnest($1::bigint[]) AS chain (id)
CROSS JOIN LATERAL (
  SELECT s.submitter, s.aligned_at
  FROM :schema.submitter_nonce_state s
  WHERE s.chain_id = chain.id
    AND (s.aligned_at IS NULL OR s.aligned_at <= statement_timestamp() - $2 * interval '1 ms'
      * CASE WHEN s.next_local_nonce > coalesce(s.chain_finalized_count, -1) THEN 1 ELSE 20 END)
  ORDER BY s.aligned_at NULLS FIRST
  LIMIT $3) due
ORDER BY due.aligned_at NULLS FIRST
LIMIT $3`,
  },
  enterFastEpochs: {
    file: 'enter-fast-epochs',
    hot: false,
    parameters: ['submitters', 'incarnations', 'badEpochs', 'raises', 'windows', 'reasons', 'intents', 'freeLimit', 'quarantineMs', 'release', 'modeEpoch', 'server'],
    text: `SELECT * FROM :schema.enter_fast_epochs(
  CASE WHEN :schema.same_server($12) THEN $1::text[] END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ORDER BY ord`,
  },
  findAllocation: {
    file: 'find-allocation',
    hot: true,
    parameters: ['id'],
    text: `SELECT a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms
FROM :schema.submitter_nonce_allocation a
WHERE a.id = $1
ORDER BY a.nonce`,
  },
  findAllocations: {
    file: 'find-allocations',
    hot: true,
    parameters: ['ids'],
    text: `SELECT a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms
FROM :schema.submitter_nonce_allocation a
WHERE a.id = ANY ($1)
ORDER BY a.nonce`,
  },
  findApiKey: {
    file: 'find-api-key',
    hot: true,
    parameters: ['digest'],
    text: `SELECT k.id, k.name, k.scopes
FROM :schema.api_key k
WHERE k.digest = $1 AND k.revoked_at IS NULL
  AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())`,
  },
  findBindings: {
    file: 'find-bindings',
    hot: false,
    parameters: ['submitters', 'operations', 'hashes', 'counts', 'exposures'],
    text: `SELECT q.ord, f.kind, f.detail
FROM (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[]) WITH ORDINALITY
    AS r (submitter, operation, hash, count, exposure, ord)
  ORDER BY r.submitter COLLATE "C", r.ord) q
CROSS JOIN LATERAL :schema.find_binding(q.submitter, q.operation, q.hash, q.count, q.exposure) f
ORDER BY q.ord`,
  },
  findDeadLetter: {
    file: 'find-dead-letter',
    hot: false,
    parameters: ['id'],
    text: `SELECT d.id, d.shard, d.entry_id, d.submitter, d.nonce, d.event, d.deliveries, d.reason, d.created_at
FROM :schema.dead_letter d
WHERE d.id = $1`,
  },
  findMirrored: {
    file: 'find-mirrored',
    hot: false,
    parameters: ['submitters', 'nonces'],
    text: `SELECT k.submitter, a.nonce, a.id, a.stage, a.epoch AS row_epoch,
  (extract(epoch FROM a.updated_at) * 1000000)::bigint AS changed_us
FROM unnest($1::text[], $2::bigint[]) AS k (submitter, nonce)
CROSS JOIN LATERAL (
  SELECT r.nonce, r.id, r.stage, r.epoch, r.updated_at
  FROM :schema.submitter_nonce_allocation r
  WHERE r.submitter = k.submitter AND r.nonce = k.nonce
    AND r.chain_generation = (
      SELECT s.chain_generation FROM :schema.submitter_nonce_state s WHERE s.submitter = k.submitter)
  LIMIT 1) a`,
  },
  findNonce: {
    file: 'find-nonce',
    hot: false,
    parameters: ['submitter', 'nonce'],
    text: `SELECT a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms,
  a.generation
FROM :schema.submitter_nonce_allocation a
WHERE a.submitter = $1 AND a.nonce = $2
  AND a.chain_generation = (
    SELECT s.chain_generation FROM :schema.submitter_nonce_state s WHERE s.submitter = $1)`,
  },
  findReconciliation: {
    file: 'find-reconciliation',
    hot: false,
    parameters: ['id'],
    text: `SELECT to_jsonb(r) AS body FROM :schema.reconciliation r WHERE r.id = $1`,
  },
  finishSwitch: {
    file: 'finish-switch',
    hot: false,
    parameters: ['id', 'runner', 'phases'],
    text: `UPDATE :schema.mode_switch w
SET state = 'done', ended_at = clock_timestamp(), phases = $3::text::jsonb, waits_for = NULL
WHERE w.id = $1 AND w.runner = $2 AND w.state = 'running'
RETURNING w.id`,
  },
  floorRaises: {
    file: 'floor-raises',
    hot: false,
    parameters: ['submitter', 'aboveCount'],
    text: `SELECT r.count, r.previous_count, r.block_number, r.block_hash
FROM :schema.floor_raise r
JOIN :schema.submitter_nonce_state s
  ON s.submitter = r.submitter AND s.chain_generation = r.chain_generation
WHERE r.submitter = $1 AND r.count > $2
ORDER BY r.count DESC`,
  },
  flushReport: {
    file: 'flush-report',
    hot: false,
    parameters: [],
    text: `SELECT max(w.last_success_at) AS last_success_at,
  max(w.last_failure_at) AS last_failure_at,
  (array_agg(w.last_failure ORDER BY w.last_failure_at DESC NULLS LAST))[1] AS last_failure,
  count(*) FILTER (WHERE w.lease_until > clock_timestamp()) AS workers
FROM :schema.flush_worker w`,
  },
  foreseeAlignment: {
    file: 'foresee-alignment',
    hot: false,
    parameters: ['submitter', 'latestCount', 'finalizedCount', 'genesisHash', 'rowLimit', 'blockNumber', 'blockHash', 'deepNumber', 'delegated', 'server'],
    text: `SELECT verdict, known_genesis, chain_latest, last_chain_nonce, foreign_use, fenced, finalized, stuck,
  lowered
FROM :schema.foresee_alignment(CASE WHEN :schema.same_server($10) THEN $1::text END, $2, $3, $4, $5, $6, $7, $8, $9)`,
  },
  freezeChain: {
    file: 'freeze-chain',
    hot: false,
    parameters: ['chainId', 'reason'],
    text: `UPDATE :schema.submitter_nonce_state s
SET paused_at = clock_timestamp(), paused_reason = $2, updated_at = clock_timestamp()
WHERE s.chain_id = $1 AND s.paused_at IS NULL
RETURNING s.submitter`,
  },
  initialiseMode: {
    file: 'initialise-mode',
    hot: false,
    parameters: ['mode', 'actor'],
    text: `INSERT INTO :schema.engine_mode (mode, actor, reason)
VALUES ($1, $2, 'first start')
ON CONFLICT (singleton) DO NOTHING`,
  },
  leaveRecovery: {
    file: 'leave-recovery',
    hot: false,
    parameters: ['submitter'],
    text: `UPDATE :schema.submitter_nonce_state s
SET recovery_since = NULL, updated_at = clock_timestamp()
WHERE s.submitter = $1 AND s.recovery_since IS NOT NULL AND s.recovery_cursor IS NULL
RETURNING s.submitter`,
  },
  leaveSettledRecoveries: {
    file: 'leave-settled-recoveries',
    hot: false,
    parameters: [],
    text: `WITH settled AS MATERIALIZED (
  SELECT s.submitter FROM :schema.submitter_nonce_state s
  WHERE s.recovery_since IS NOT NULL AND s.recovery_cursor IS NULL
    AND NOT EXISTS (
      SELECT 1 FROM :schema.submitter_nonce_allocation a
      WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
        AND a.stage = 'QUARANTINED' AND a.epoch = s.recovery_epoch)
  ORDER BY s.submitter
  FOR UPDATE SKIP LOCKED
)
UPDATE :schema.submitter_nonce_state s
SET recovery_since = NULL, updated_at = clock_timestamp()
FROM settled t
WHERE s.submitter = t.submitter
RETURNING s.submitter`,
  },
  listDeadLetters: {
    file: 'list-dead-letters',
    hot: false,
    parameters: ['after', 'rowLimit'],
    text: `SELECT d.id, d.shard, d.entry_id, d.submitter, d.nonce, d.event, d.deliveries, d.reason, d.created_at
FROM :schema.dead_letter d
WHERE d.resolved_at IS NULL
  AND ($1::uuid IS NULL OR (d.created_at, d.id) > (
    SELECT a.created_at, a.id FROM :schema.dead_letter a WHERE a.id = $1))
ORDER BY d.created_at, d.id
LIMIT $2`,
  },
  listIdleGaps: {
    file: 'list-idle-gaps',
    hot: false,
    parameters: ['chainIds', 'settledMs', 'rowLimit'],
    text: `WITH given_back AS (
  SELECT DISTINCT ON (a.submitter, a.chain_generation)
    a.submitter, a.chain_generation, a.nonce, a.updated_at AS idle_since
  FROM :schema.submitter_nonce_allocation a
  WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.stage = 'REUSABLE'
  ORDER BY a.submitter, a.chain_generation, a.nonce
),
left_over AS (
  SELECT s.submitter, s.chain_generation, n.nonce, l.opened_at AS idle_since
  FROM :schema.submitter_nonce_state s
  JOIN :schema.epoch_log l ON l.submitter = s.submitter AND l.epoch = s.epoch
  CROSS JOIN LATERAL (
    SELECT greatest(s.walk_cursor, coalesce(s.chain_latest_count, 0)) AS first) w
  CROSS JOIN LATERAL (
    SELECT n AS nonce
    -- Whoever asks walks as far in a few steps; the next tick looks at the rest.
    FROM generate_series(w.first, least(s.walk_end, w.first + 1024) - 1) AS n
    WHERE NOT EXISTS (
      SELECT 1 FROM :schema.submitter_nonce_allocation a
      WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation AND a.nonce = n)
    ORDER BY n
    LIMIT 1) n
  WHERE s.walk_cursor < s.walk_end
    AND EXISTS (
      SELECT 1 FROM :schema.submitter_nonce_allocation b
      WHERE b.submitter = s.submitter AND b.chain_generation = s.chain_generation
        AND b.nonce > w.first AND b.stage IN ('INTENT', 'BROADCAST', 'BURNING'))
)
SELECT DISTINCT ON (g.submitter) g.submitter, g.nonce
FROM (TABLE given_back UNION ALL TABLE left_over) g
JOIN :schema.submitter_nonce_state s
  ON s.submitter = g.submitter AND s.chain_generation = g.chain_generation
WHERE g.idle_since <= statement_timestamp() - $2 * interval '1 ms'
  AND s.chain_id = ANY ($1)
  AND s.paused_at IS NULL AND s.reset_seen_at IS NULL
  AND EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_allocation b
    WHERE b.submitter = g.submitter AND b.chain_generation = g.chain_generation
      AND b.nonce > g.nonce AND b.stage IN ('INTENT', 'BROADCAST', 'BURNING'))
ORDER BY g.submitter, g.nonce
LIMIT $3`,
  },
  listNonces: {
    file: 'list-nonces',
    hot: false,
    parameters: ['submitter', 'stages', 'fromNonce', 'toNonce', 'rowLimit'],
    text: `SELECT a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms
FROM :schema.submitter_nonce_allocation a
WHERE a.submitter = $1
  AND a.chain_generation = (
    SELECT s.chain_generation FROM :schema.submitter_nonce_state s WHERE s.submitter = $1)
  AND ($2::text[] IS NULL OR a.stage = ANY ($2::text[]:::schema.allocation_stage[]))
  AND a.nonce >= coalesce($3, 0)
  AND a.nonce <= coalesce($4, 9007199254740990)
ORDER BY a.nonce
LIMIT $5`,
  },
  listRecoveries: {
    file: 'list-recoveries',
    hot: false,
    parameters: ['rowLimit'],
    text: `SELECT s.submitter, extract(epoch FROM s.recovery_since)::double precision * 1000 AS since_ms,
  s.recovery_reason AS reason, s.recovery_cursor IS NULL AS finished, count(*) OVER () AS total, (
    SELECT count(*) FROM :schema.submitter_nonce_allocation a
    WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
      AND a.stage = 'QUARANTINED' AND a.epoch = s.recovery_epoch) AS open
FROM :schema.submitter_nonce_state s
WHERE s.recovery_since IS NOT NULL
ORDER BY s.recovery_since, s.submitter
LIMIT $1`,
  },
  listRulingEpochs: {
    file: 'list-ruling-epochs',
    hot: false,
    parameters: ['after', 'limit'],
    text: `SELECT s.submitter, s.epoch, s.incarnation FROM :schema.submitter_nonce_state s
WHERE s.engine = 'performance' AND s.incarnation IS NOT NULL
  AND s.submitter > coalesce($1::text, '')
ORDER BY s.submitter
LIMIT $2`,
  },
  listSubmitters: {
    file: 'list-submitters',
    hot: false,
    parameters: ['after', 'submitter', 'search', 'rowLimit', 'defaultWindow'],
    text: `SELECT s.submitter, s.label, s.next_local_nonce, s.ceiling, s.epoch, s.engine,
  s.last_chain_nonce, s.chain_latest_count,
  coalesce(s.max_in_flight, $5) AS max_in_flight,
  s.paused_at IS NOT NULL OR s.reset_seen_at IS NOT NULL AS paused,
  CASE WHEN s.reset_seen_at IS NOT NULL THEN 'chain reset: another genesis block'
    ELSE s.paused_reason END AS paused_reason, s.pinned_mode,
  extract(epoch FROM statement_timestamp())::double precision * 1000 AS as_of_ms,
  reserved.count AS reserved, reusable.count AS recyclable,
  greatest(0, s.next_local_nonce - origin.base - reserved.count - reusable.count
    - (s.walk_end - s.walk_cursor)) AS used,
  extract(epoch FROM statement_timestamp() - reserved.oldest)::double precision * 1000
    AS oldest_reserved_ms,
  blocking.rows AS blocking
FROM (
  SELECT * FROM :schema.submitter_nonce_state state
  WHERE state.submitter > $1
    AND ($2::text IS NULL OR state.submitter = $2)
    AND ($3::text IS NULL OR strpos(state.submitter, lower($3)) > 0
      OR strpos(lower(state.label), lower($3)) > 0)
  ORDER BY state.submitter
  LIMIT $4) s
CROSS JOIN LATERAL (
  SELECT count(*) AS count, min(a.created_at) AS oldest
  FROM :schema.submitter_nonce_allocation a
  WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
    AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')) reserved
CROSS JOIN LATERAL (
  SELECT count(*) AS count
  FROM :schema.submitter_nonce_allocation a
  WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
    AND a.stage IN ('REUSABLE', 'QUARANTINED') AND a.stage = 'REUSABLE') reusable
CROSS JOIN LATERAL (
  SELECT coalesce(min(l.base), s.base) AS base
  FROM :schema.epoch_log l WHERE l.submitter = s.submitter AND l.epoch = greatest(1, s.generation_epoch)) origin
CROSS JOIN LATERAL (
  SELECT string_agg(b.nonce || ':' || b.stage || ':' || b.stuck, ',' ORDER BY b.nonce) AS rows
  FROM (
    (SELECT a.nonce, a.stage, a.stuck_since IS NOT NULL AS stuck
     FROM :schema.submitter_nonce_allocation a
     WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
       AND a.stage IN ('REUSABLE', 'QUARANTINED')
       AND a.nonce >= coalesce(s.chain_latest_count, 0)
     ORDER BY a.nonce LIMIT 1000)
    UNION ALL
    (SELECT a.nonce, a.stage, a.stuck_since IS NOT NULL
     FROM :schema.submitter_nonce_allocation a
     WHERE a.submitter = s.submitter AND a.chain_generation = s.chain_generation
       AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
       AND a.deadline <= statement_timestamp()
       AND a.nonce >= coalesce(s.chain_latest_count, 0)
     ORDER BY a.nonce LIMIT 1000)) b) blocking
ORDER BY s.submitter`,
  },
  loadHeaders: {
    file: 'load-headers',
    hot: false,
    parameters: ['chainId'],
    text: `SELECT r.number, r.hash, r.parent_hash
FROM :schema.chain_head h
JOIN :schema.chain_header r ON r.chain_id = h.chain_id AND r.number <= h.head_number
WHERE h.chain_id = $1
ORDER BY r.number DESC`,
  },
  lowerFloor: {
    file: 'lower-floor',
    hot: false,
    parameters: ['submitter', 'seenCount', 'toCount', 'replaced', 'rowLimit', 'quarantineMs', 'release', 'server'],
    text: `SELECT verdict, chain_latest, reopened
FROM :schema.lower_floor(CASE WHEN :schema.same_server($8) THEN $1::text END, $2, $3, $4, $5, $6, $7)`,
  },
  measureAlarms: {
    file: 'measure-alarms',
    hot: false,
    parameters: ['chainIds', 'worst'],
    text: `WITH reserved AS MATERIALIZED (
  SELECT a.submitter, min(a.created_at) AS since
  FROM :schema.submitter_nonce_allocation a
  WHERE a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
  GROUP BY a.submitter
)
(SELECT 'reserved-age' AS kind, r.submitter AS subject,
   extract(epoch FROM statement_timestamp() - r.since)::double precision * 1000 AS value
 FROM reserved r ORDER BY r.since LIMIT $2)
UNION ALL
(SELECT 'recyclable-growth', a.submitter, count(*)::double precision
 FROM :schema.submitter_nonce_allocation a
 WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.stage = 'REUSABLE'
   AND a.updated_at > statement_timestamp() - interval '10 min'
 GROUP BY a.submitter ORDER BY count(*) DESC LIMIT $2)
UNION ALL
(SELECT 'chain-lag', s.submitter, (s.next_local_nonce - s.chain_latest_count)::double precision
 FROM reserved r JOIN :schema.submitter_nonce_state s ON s.submitter = r.submitter
 WHERE s.chain_latest_count IS NOT NULL
 ORDER BY s.next_local_nonce - s.chain_latest_count DESC LIMIT $2)
UNION ALL
(SELECT 'alignment', due.submitter,
   extract(epoch FROM statement_timestamp() - due.aligned_at)::double precision * 1000
 FROM unnest($1::bigint[]) AS chain (id)
 CROSS JOIN LATERAL (
   SELECT s.submitter, s.aligned_at FROM :schema.submitter_nonce_state s
   WHERE s.chain_id = chain.id AND s.aligned_at IS NOT NULL
     AND s.next_local_nonce > coalesce(s.chain_finalized_count, -1)
   ORDER BY s.aligned_at LIMIT $2) due
 ORDER BY due.aligned_at LIMIT $2)
UNION ALL
SELECT 'degraded', 'mode',
  extract(epoch FROM statement_timestamp() - m.since)::double precision * 1000
FROM :schema.engine_mode m WHERE m.mode = 'DEGRADED'
UNION ALL
SELECT 'degraded', 'redis',
  extract(epoch FROM statement_timestamp() - min(r.down_since))::double precision * 1000
FROM :schema.redis_report r
WHERE r.down_since IS NOT NULL AND r.reported_at > statement_timestamp() - interval '1 min'
  AND NOT EXISTS (SELECT FROM :schema.engine_mode m WHERE m.mode = 'DEGRADED')
HAVING count(*) > 0`,
  },
  mirrorTruth: {
    file: 'mirror-truth',
    hot: false,
    parameters: ['submitters', 'limit'],
    text: `SELECT s.submitter, s.epoch, s.next_local_nonce AS next,
  (extract(epoch FROM statement_timestamp()) * 1000000)::bigint AS as_of_us,
  a.nonce, a.id, a.stage, a.epoch AS row_epoch,
  (extract(epoch FROM a.updated_at) * 1000000)::bigint AS changed_us
FROM :schema.submitter_nonce_state s
LEFT JOIN LATERAL (
  (SELECT r.nonce, r.id, r.stage, r.epoch, r.updated_at
   FROM :schema.submitter_nonce_allocation r
   WHERE r.submitter = s.submitter AND r.chain_generation + 0 = s.chain_generation
     AND r.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
   ORDER BY r.deadline LIMIT $2)
  UNION ALL
  (SELECT r.nonce, r.id, r.stage, r.epoch, r.updated_at
   FROM :schema.submitter_nonce_allocation r
   WHERE r.submitter = s.submitter AND r.chain_generation = s.chain_generation
     AND r.stage = 'REUSABLE' AND r.stage IN ('REUSABLE', 'QUARANTINED')
   ORDER BY r.nonce LIMIT $2)) a ON true
WHERE s.submitter = ANY ($1)
ORDER BY s.submitter, a.nonce`,
  },
  modeHistory: {
    file: 'mode-history',
    hot: false,
    parameters: ['before', 'rowLimit'],
    text: `SELECT w.id, w.from_mode, w.to_mode, w.epoch, w.actor, w.reason, w.automatic, w.state, w.phases,
  w.waits_for, extract(epoch FROM w.started_at)::double precision * 1000 AS started_ms,
  extract(epoch FROM w.ended_at)::double precision * 1000 AS ended_ms
FROM :schema.mode_switch w
WHERE w.id < coalesce($1::bigint, 9223372036854775807)
ORDER BY w.id DESC
LIMIT $2`,
  },
  nonceHistory: {
    file: 'nonce-history',
    hot: false,
    parameters: ['submitter', 'nonce'],
    text: `SELECT g.id, g.ended_stage, g.note,
  extract(epoch FROM g.granted_at)::double precision * 1000 AS granted_ms,
  extract(epoch FROM g.ended_at)::double precision * 1000 AS ended_ms
FROM :schema.allocation_grant g
WHERE g.submitter = $1 AND g.nonce = $2
  AND g.chain_generation = (
    SELECT s.chain_generation FROM :schema.submitter_nonce_state s WHERE s.submitter = $1)
ORDER BY g.generation`,
  },
  openAlarms: {
    file: 'open-alarms',
    hot: false,
    parameters: ['rowLimit'],
    text: `SELECT a.id, a.kind, a.subject, a.threshold::double precision AS threshold FROM :schema.alarm a
WHERE a.cleared_at IS NULL ORDER BY a.id LIMIT $1`,
  },
  openSubmitter: {
    file: 'open-submitter',
    hot: false,
    parameters: ['submitter', 'engine', 'startNonce', 'pendingCount', 'latestCount', 'finalizedCount', 'genesisHash', 'quarantineMs', 'release', 'delegated'],
    text: `SELECT :schema.open_submitter($1, $2::text:::schema.engine_name, $3, $4, $5, $6, $7, $8, $9, $10) AS opened`,
  },
  openSubmitters: {
    file: 'open-submitters',
    hot: false,
    parameters: ['after', 'limit'],
    text: `WITH RECURSIVE page (submitter, number) AS (
  SELECT least(
    (SELECT a.submitter FROM :schema.submitter_nonce_allocation a
     WHERE a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
       AND a.submitter > $1
     ORDER BY a.submitter LIMIT 1),
    (SELECT a.submitter FROM :schema.submitter_nonce_allocation a
     WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.submitter > $1
     ORDER BY a.submitter LIMIT 1)), 1
  UNION ALL
  SELECT least(
    (SELECT a.submitter FROM :schema.submitter_nonce_allocation a
     WHERE a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
       AND a.submitter > p.submitter
     ORDER BY a.submitter LIMIT 1),
    (SELECT a.submitter FROM :schema.submitter_nonce_allocation a
     WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.submitter > p.submitter
     ORDER BY a.submitter LIMIT 1)), p.number + 1
  FROM page p
  WHERE p.submitter IS NOT NULL AND p.number < $2
)
SELECT p.submitter FROM page p WHERE p.submitter IS NOT NULL ORDER BY p.number`,
  },
  pageSubmitters: {
    file: 'page-submitters',
    hot: false,
    parameters: ['behind', 'hot', 'rowLimit'],
    text: `SELECT s.submitter, s.chain_latest_count AS latest, s.next_local_nonce AS next,
  s.ceiling, s.max_in_flight AS own_window
FROM :schema.submitter_nonce_state s
WHERE s.submitter > $1
  AND (NOT $2 OR s.next_local_nonce > coalesce(s.chain_finalized_count, -1))
ORDER BY s.submitter
LIMIT $3`,
  },
  pinSubmitter: {
    file: 'pin-submitter',
    hot: false,
    parameters: ['submitter', 'mode', 'actor', 'maxPins'],
    text: `SELECT :schema.pin_submitter($1, $2, $3, $4) AS verdict`,
  },
  ping: {
    file: 'ping',
    hot: false,
    parameters: [],
    text: `SELECT pg_is_in_recovery() AS in_recovery`,
  },
  postponeLooks: {
    file: 'postpone-looks',
    hot: false,
    parameters: ['ids', 'nextLookMs'],
    text: `WITH locked AS MATERIALIZED (
  SELECT a.id FROM :schema.submitter_nonce_allocation a
  WHERE a.id = ANY ($1) AND a.due_at > statement_timestamp()
  ORDER BY a.submitter, a.chain_generation, a.nonce
  FOR UPDATE
)
UPDATE :schema.submitter_nonce_allocation a
SET due_at = statement_timestamp() + p.next_look_ms * interval '1 ms'
FROM locked, unnest($1::uuid[], $2::integer[]) AS p (id, next_look_ms)
WHERE a.id = locked.id AND a.id = p.id`,
  },
  pruneTransitions: {
    file: 'prune-transitions',
    hot: false,
    parameters: ['olderThanMs', 'rowLimit'],
    text: `WITH oldest AS (
  SELECT t.written_by, t.id FROM :schema.tracked_transition t
  ORDER BY t.written_by, t.id LIMIT $2
  FOR UPDATE SKIP LOCKED)
DELETE FROM :schema.tracked_transition t USING oldest o
WHERE t.written_by = o.written_by AND t.id = o.id
  AND t.at < clock_timestamp() - $1::bigint * interval '1 ms'
RETURNING t.id`,
  },
  readMode: {
    file: 'read-mode',
    hot: true,
    parameters: ['maxPins', 'knownPins'],
    text: `SELECT * FROM :schema.mode_snapshot($1, $2)`,
  },
  rebaselineSubmitter: {
    file: 'rebaseline-submitter',
    hot: false,
    parameters: ['submitter', 'genesisHash', 'startNonce', 'pendingCount', 'latestCount', 'finalizedCount', 'reason', 'dryRun', 'quarantineMs', 'release', 'server'],
    text: `SELECT verdict, known_genesis, generation, epoch, next_nonce, kept, ended
FROM :schema.rebaseline_submitter(
  CASE WHEN :schema.same_server($11) THEN $1::text END, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
  },
  reclaimExpired: {
    file: 'reclaim-expired',
    hot: false,
    parameters: ['rowLimit', 'quarantineMs', 'release'],
    text: `SELECT a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms
FROM :schema.reclaim_expired($1, $2, $3) r
CROSS JOIN LATERAL (SELECT * FROM :schema.submitter_nonce_allocation a WHERE a.id = r.id) a
ORDER BY a.submitter, a.nonce`,
  },
  recordBumps: {
    file: 'record-bumps',
    hot: false,
    parameters: ['ids', 'fromStages', 'hashesSeen', 'txHashes', 'rawTxs', 'nextLookMs', 'reasons', 'server'],
    text: `WITH locked AS MATERIALIZED (
  SELECT a.id FROM :schema.submitter_nonce_allocation a
  WHERE a.id = ANY (CASE WHEN :schema.same_server($8) THEN $1::uuid[] END)
  ORDER BY a.submitter, a.chain_generation, a.nonce
  FOR UPDATE
)
UPDATE :schema.submitter_nonce_allocation a
SET hashes = array_append(a.hashes, b.tx_hash),
    raw_tx = b.raw_tx,
    resends = 0,
    tx_hash = b.tx_hash,
    due_at = clock_timestamp() + b.next_look_ms * interval '1 ms',
    stuck_since = NULL,
    note = b.reason,
    updated_at = clock_timestamp()
FROM locked, unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::bytea[], $6::integer[], $7::text[])
  AS b (id, from_stage, hashes_seen, tx_hash, raw_tx, next_look_ms, reason)
WHERE a.id = locked.id AND a.id = b.id
  AND a.stage IN ('INTENT', 'BROADCAST')
  AND a.stage = b.from_stage:::schema.allocation_stage
  AND coalesce(cardinality(a.hashes), 0) = b.hashes_seen
  AND NOT EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_state s
    WHERE s.submitter = a.submitter
      AND (s.chain_latest_count > a.nonce OR s.chain_generation <> a.chain_generation))
RETURNING a.id`,
  },
  recordBurns: {
    file: 'record-burns',
    hot: false,
    parameters: ['ids', 'fromStages', 'hashesSeen', 'txHashes', 'rawTxs', 'nextLookMs', 'reasons', 'server'],
    text: `WITH locked AS MATERIALIZED (
  SELECT a.id FROM :schema.submitter_nonce_allocation a
  WHERE a.id = ANY (CASE WHEN :schema.same_server($8) THEN $1::uuid[] END)
  ORDER BY a.submitter, a.chain_generation, a.nonce
  FOR UPDATE
)
UPDATE :schema.submitter_nonce_allocation a
SET stage = 'BURNING',
    hashes = array_append(a.hashes, b.tx_hash),
    burn_hashes = array_append(a.burn_hashes, b.tx_hash),
    burn_tx = b.raw_tx,
    tx_hash = b.tx_hash,
    due_at = clock_timestamp() + b.next_look_ms * interval '1 ms',
    release_at = NULL,
    stuck_since = NULL,
    note = b.reason,
    updated_at = clock_timestamp()
FROM locked, unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::bytea[], $6::integer[], $7::text[])
  AS b (id, from_stage, hashes_seen, tx_hash, raw_tx, next_look_ms, reason)
WHERE a.id = locked.id AND a.id = b.id
  AND a.stage IN ('INTENT', 'BROADCAST', 'QUARANTINED', 'BURNING')
  AND a.stage = b.from_stage:::schema.allocation_stage
  AND coalesce(cardinality(a.hashes), 0) = b.hashes_seen
  AND NOT EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_state s
    WHERE s.submitter = a.submitter
      AND (s.chain_latest_count > a.nonce OR s.chain_generation <> a.chain_generation))
RETURNING a.id`,
  },
  recordGrants: {
    file: 'record-grants',
    hot: true,
    parameters: ['requests', 'ids', 'submitters', 'nonces', 'epochs', 'generations', 'sources', 'exposures', 'operations', 'hashes', 'metadata', 'grantedMs', 'deadlinesMs', 'server'],
    text: `SELECT * FROM :schema.record_grants(
  CASE WHEN :schema.same_server($14) THEN $1::integer[] END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ORDER BY request`,
  },
  recordSends: {
    file: 'record-sends',
    hot: false,
    parameters: ['ids', 'fromStages', 'hashesSeen', 'claims', 'maxPerMinute', 'maxTotal', 'leaseMs', 'server'],
    text: `WITH locked AS MATERIALIZED (
  SELECT a.id FROM :schema.submitter_nonce_allocation a
  WHERE a.id = ANY (CASE WHEN :schema.same_server($8) THEN $1::uuid[] END)
  ORDER BY a.submitter, a.chain_generation, a.nonce
  FOR UPDATE
)
UPDATE :schema.submitter_nonce_allocation a
SET resends = a.resends + 1,
    resends_in_minute = CASE
      WHEN a.resend_minute_at > statement_timestamp() - interval '1 minute'
      THEN a.resends_in_minute + 1 ELSE 1 END,
    resend_minute_at = CASE
      WHEN a.resend_minute_at > statement_timestamp() - interval '1 minute'
      THEN a.resend_minute_at ELSE statement_timestamp() END,
    due_at = clock_timestamp() + $7::integer * interval '1 ms'
FROM locked, unnest($1::uuid[], $2::text[], $3::integer[], $4::text[])
  AS b (id, from_stage, hashes_seen, claim)
WHERE a.id = locked.id AND a.id = b.id
  AND a.stage = b.from_stage:::schema.allocation_stage
  AND coalesce(cardinality(a.hashes), 0) = b.hashes_seen
  AND a.due_at = b.claim::timestamptz
  AND a.resends < $6::integer
  AND (a.resend_minute_at IS NULL OR a.resends_in_minute < $5::integer
    OR a.resend_minute_at <= statement_timestamp() - interval '1 minute')
RETURNING a.id`,
  },
  recordServer: {
    file: 'record-server',
    hot: false,
    parameters: ['started', 'how', 'by'],
    text: `SELECT :schema.record_server($1, $2, $3)`,
  },
  recoverSubmitters: {
    file: 'recover-submitters',
    hot: false,
    parameters: ['started', 'submitters', 'epochs', 'ceilings', 'lostAt', 'reason', 'quarantineMs', 'release', 'rowLimit'],
    text: `SELECT submitter, entered, epoch, ceiling, finished
FROM :schema.recover_submitters($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
  },
  refillFastEpochs: {
    file: 'refill-fast-epochs',
    hot: false,
    parameters: ['submitters', 'incarnations', 'epochs', 'ceilings', 'raises', 'windows', 'loans', 'intents', 'freeLimit', 'quarantineMs', 'release', 'server'],
    text: `SELECT * FROM :schema.refill_fast_epochs(
  CASE WHEN :schema.same_server($12) THEN $1::text[] END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ORDER BY ord`,
  },
  releaseFlushShards: {
    file: 'release-flush-shards',
    hot: false,
    parameters: ['worker'],
    text: `SELECT :schema.release_flush_shards($1)`,
  },
  reportFlush: {
    file: 'report-flush',
    hot: false,
    parameters: ['worker', 'failure'],
    text: `UPDATE :schema.flush_worker SET
  last_success_at = CASE WHEN $2::text IS NULL THEN clock_timestamp() ELSE last_success_at END,
  last_failure_at = CASE WHEN $2::text IS NULL THEN last_failure_at ELSE clock_timestamp() END,
  last_failure = coalesce(left($2::text, 500), last_failure)
WHERE worker = $1`,
  },
  reportReconciliation: {
    file: 'report-reconciliation',
    hot: false,
    parameters: ['id', 'runner', 'cursor', 'counts', 'problems', 'state'],
    text: `UPDATE :schema.reconciliation r
SET cursor = $3, counts = $4::text::jsonb, problems = $5::text::jsonb, state = $6::text,
  heartbeat_at = clock_timestamp(),
  ended_at = CASE WHEN $6::text <> 'running' THEN clock_timestamp() END
WHERE r.id = $1 AND r.runner = $2 AND r.state = 'running'
RETURNING to_jsonb(r) AS body`,
  },
  reportRedis: {
    file: 'report-redis',
    hot: false,
    parameters: ['reporter', 'up'],
    text: `WITH gone AS (
  DELETE FROM :schema.redis_report r
  WHERE r.reported_at < clock_timestamp() - interval '1 hour' AND r.reporter <> $1)
INSERT INTO :schema.redis_report AS r (reporter, down_since)
VALUES ($1, CASE WHEN NOT $2::boolean THEN clock_timestamp() END)
ON CONFLICT (reporter) DO UPDATE
SET down_since = CASE WHEN NOT $2::boolean THEN coalesce(r.down_since, clock_timestamp()) END,
  reported_at = clock_timestamp()
RETURNING r.down_since IS NULL AS up`,
  },
  reportSwitch: {
    file: 'report-switch',
    hot: false,
    parameters: ['id', 'runner', 'phases', 'waitsFor'],
    text: `UPDATE :schema.mode_switch w
SET heartbeat_at = clock_timestamp(), phases = $3::text::jsonb, waits_for = $4::text::jsonb
WHERE w.id = $1 AND w.runner = $2 AND w.state = 'running'
RETURNING w.id`,
  },
  resolveDeadLetter: {
    file: 'resolve-dead-letter',
    hot: false,
    parameters: ['id'],
    text: `UPDATE :schema.dead_letter SET resolved_at = clock_timestamp()
WHERE id = $1 AND resolved_at IS NULL`,
  },
  rulingFastEpochs: {
    file: 'ruling-fast-epochs',
    hot: false,
    parameters: ['submitters'],
    text: `SELECT s.submitter, s.epoch, s.incarnation FROM :schema.submitter_nonce_state s
WHERE s.submitter = ANY ($1) AND s.engine = 'performance' AND s.incarnation IS NOT NULL`,
  },
  saveApiKey: {
    file: 'save-api-key',
    hot: false,
    parameters: ['name', 'digest', 'scopes'],
    text: `INSERT INTO :schema.api_key AS k (name, digest, scopes)
VALUES ($1, $2, $3)
ON CONFLICT (digest) DO UPDATE SET name = excluded.name, scopes = excluded.scopes
RETURNING k.id, k.name, k.scopes`,
  },
  serverFacts: {
    file: 'server-facts',
    hot: false,
    parameters: [],
    text: `SELECT c.system_identifier::text AS system_id, :schema.server_started_at() AS started_at,
  :schema.server_timeline() AS timeline, :schema.server_start_lsn() AS start_lsn,
  pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::text AS lsn,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('systemId', r.system_id, 'startedAt', r.started_at,
      'timeline', r.timeline, 'lsn', r.lsn, 'how', r.how, 'verifiedBy', r.verified_by)
      ORDER BY r.at DESC), '[]')
   FROM (SELECT * FROM :schema.server_continuity s ORDER BY s.at DESC LIMIT 1000) r) AS recorded,
  EXISTS (SELECT 1 FROM :schema.submitter_nonce_allocation) OR EXISTS (
    SELECT 1 FROM :schema.submitter_nonce_state s WHERE s.epoch > 1 OR s.ceiling > s.base
  ) AS allocations
FROM pg_control_system() AS c
WHERE NOT pg_is_in_recovery()`,
  },
  setPaused: {
    file: 'set-paused',
    hot: false,
    parameters: ['submitter', 'paused', 'reason'],
    text: `UPDATE :schema.submitter_nonce_state s
SET paused_at = CASE WHEN $2 THEN coalesce(s.paused_at, clock_timestamp()) END,
    paused_reason = CASE WHEN $2 THEN $3 END,
    updated_at = clock_timestamp()
WHERE s.submitter = $1
RETURNING s.submitter`,
  },
  settleAlarms: {
    file: 'settle-alarms',
    hot: false,
    parameters: ['ids', 'raised'],
    text: `UPDATE :schema.alarm a
SET raised_told_at = coalesce(a.raised_told_at, clock_timestamp()),
  cleared_told_at = CASE WHEN t.raised THEN a.cleared_told_at ELSE clock_timestamp() END,
  claimed_until = '-infinity'
FROM unnest($1::bigint[], $2::boolean[]) AS t (id, raised)
WHERE a.id = t.id`,
  },
  submitterDefaults: {
    file: 'submitter-defaults',
    hot: true,
    parameters: ['submitter'],
    text: `SELECT s.default_ttl_ms, s.default_exposure
FROM :schema.submitter_nonce_state s
WHERE s.submitter = $1`,
  },
  switchMode: {
    file: 'switch-mode',
    hot: false,
    parameters: ['seenEpoch', 'toMode', 'actor', 'reason', 'automatic', 'pinned', 'returnTo', 'dwellMs', 'runner', 'phases'],
    text: `SELECT w.id, w.from_mode, w.to_mode, w.epoch, w.actor, w.reason, w.automatic, w.state, w.phases,
  w.waits_for, extract(epoch FROM w.started_at)::double precision * 1000 AS started_ms,
  extract(epoch FROM w.ended_at)::double precision * 1000 AS ended_ms
FROM :schema.switch_mode($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb) w`,
  },
  takeOverSubmitters: {
    file: 'take-over-submitters',
    hot: false,
    parameters: ['submitters', 'epochs', 'retiredNexts', 'modeEpoch', 'skipLocked', 'quarantineMs', 'release', 'server'],
    text: `SELECT t.verdict FROM :schema.take_over_submitters(
  CASE WHEN :schema.same_server($8) THEN $1::text[] END, $2, $3, $4, $5, $6, $7) t ORDER BY t.ord`,
  },
  trackingBacklog: {
    file: 'tracking-backlog',
    hot: false,
    parameters: [],
    text: `SELECT
  (SELECT count(*)
   FROM :schema.submitter_nonce_state s
   JOIN :schema.submitter_nonce_allocation a ON a.submitter = s.submitter
   WHERE s.reclaim_at < 'infinity' AND s.reclaim_at <= statement_timestamp()
     AND a.stage IN ('GRANTED', 'INTENT', 'BROADCAST', 'MINED', 'QUARANTINED', 'BURNING')
     AND a.deadline <= statement_timestamp()) AS overdue,
  (SELECT count(*) FROM :schema.submitter_nonce_allocation a
   WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.stage = 'QUARANTINED') AS quarantined,
  (SELECT count(*) FROM :schema.submitter_nonce_allocation a
   WHERE a.stuck_since IS NOT NULL) AS stuck,
  (SELECT count(*) FROM :schema.submitter_nonce_allocation a
   WHERE a.stage IN ('REUSABLE', 'QUARANTINED') AND a.stage = 'REUSABLE') AS recyclable`,
  },
  transitionsAfter: {
    file: 'transitions-after',
    hot: false,
    parameters: ['writtenBy', 'id', 'rowLimit'],
    text: `WITH look AS (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon)
SELECT look.horizon::text AS horizon, t.written_by::text AS written_by, t.id, t.allocation_id,
  t.submitter, t.nonce, t.from_stage::text AS from_stage, t.to_stage::text AS to_stage, t.stuck,
  t.tx_hash, t.block_number, t.reason
FROM look
LEFT JOIN LATERAL (
  SELECT * FROM :schema.tracked_transition e
  WHERE $1::text IS NOT NULL AND (e.written_by, e.id) > ($1::text::xid8, $2::bigint)
    AND e.written_by < look.horizon
  ORDER BY e.written_by, e.id
  LIMIT $3) t ON true
ORDER BY t.written_by, t.id`,
  },
  tunePrefetch: {
    file: 'tune-prefetch',
    hot: false,
    parameters: ['size', 'lowWater', 'max', 'actor', 'reason'],
    text: `WITH before AS (
  SELECT m.prefetch_size, m.prefetch_low_water, m.prefetch_max
  FROM :schema.engine_mode m FOR UPDATE
), tuned AS (
  UPDATE :schema.engine_mode m
  SET prefetch_size = $1, prefetch_low_water = $2, prefetch_max = $3
  FROM before
  RETURNING m.epoch
), audited AS (
  INSERT INTO :schema.audit (actor, action, subject, reason, detail)
  SELECT $4, 'prefetch.tune', 'prefetch', $5, jsonb_build_object(
    'from', jsonb_build_object('size', b.prefetch_size, 'lowWater', b.prefetch_low_water,
      'max', b.prefetch_max),
    'to', jsonb_build_object('size', $1::integer, 'lowWater', $2::integer, 'max', $3::integer))
  FROM before b
)
SELECT t.epoch FROM tuned t`,
  },
  updateSettings: {
    file: 'update-settings',
    hot: false,
    parameters: ['submitter', 'settings'],
    text: `UPDATE :schema.submitter_nonce_state s
SET label = CASE WHEN c.settings ? 'label' THEN c.settings ->> 'label' ELSE s.label END,
    max_in_flight = CASE WHEN c.settings ? 'maxInFlight'
      THEN (c.settings ->> 'maxInFlight')::integer ELSE s.max_in_flight END,
    default_ttl_ms = CASE WHEN c.settings ? 'ttlMs'
      THEN (c.settings ->> 'ttlMs')::integer ELSE s.default_ttl_ms END,
    default_exposure = CASE WHEN c.settings ? 'exposure'
      THEN (c.settings ->> 'exposure'):::schema.allocation_exposure ELSE s.default_exposure END,
    updated_at = clock_timestamp()
FROM (SELECT $2::text::jsonb AS settings) c
WHERE s.submitter = $1
RETURNING s.submitter`,
  },
  writeAudit: {
    file: 'write-audit',
    hot: false,
    parameters: ['actor', 'action', 'subject', 'reason', 'detail'],
    text: `INSERT INTO :schema.audit (actor, action, subject, reason, detail)
VALUES ($1, $2, $3, $4, $5::text::jsonb)`,
  },
};

type StatementName = keyof StatementParameters;
export type Statements = {
  readonly [Name in StatementName]: Statement<StatementParameters[Name]>;
};

/**
 * Renders every statement for one schema; do it once and keep the result.
 * @throws NonceError `NONCE_CONFIG_INVALID` unless `schema` is a plain lower-case identifier.
 */
export function renderStatements(schema: string): Statements {
  const prefix = `${quoteSchema(schema)}.`;
  const sources = Object.entries<StatementSource>(SQL);
  const rendered = sources.map(([name, source]) => [name, render(source, prefix)]);
  return Object.freeze(Object.fromEntries(rendered)) as Statements;
}

/** `schema` as a quoted identifier. */
export function quoteSchema(schema: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    const detail = 'must be 1 to 63 of a-z, 0-9 and _, not starting with a digit';
    throw new NonceError('NONCE_CONFIG_INVALID', { errors: [{ pointer: '/schema', detail }] });
  }
  return `"${schema}"`;
}

function render(source: StatementSource, prefix: string): Statement<never> {
  const text = source.text.replaceAll(':schema.', prefix);
  const bind = (parameters: Readonly<Record<string, unknown>>): unknown[] =>
    source.parameters.map((name) => parameters[name]);
  return Object.freeze({ text, preparedName: source.hot ? nameFor(source, text) : null, bind });
}

// The digest covers the schema too: one pool may serve two schemas, and a name means one text.
function nameFor(source: StatementSource, text: string): string {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${source.file.slice(0, 46)}_${digest}`;
}
