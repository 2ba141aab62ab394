import { describeNonceEngine } from '../../src/testing';
import { ALWAYS_GRANTED, postgresSubject } from './postgres-subject';

// I-23: no sentence of the contract may depend on the lock, so here it never excludes anybody.
describeNonceEngine('I-23: the reliable engine, with a lock that is always granted,', () =>
  postgresSubject(async () => ({ locks: ALWAYS_GRANTED, close: async () => undefined })),
);
