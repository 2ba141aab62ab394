/*
 * relaxed.pml with honest release: a handler that never sent hands its nonce back, Redis grants it
 * again, and the flush tells Postgres that it is REUSABLE. In its own epochs Postgres is handed
 * nonces back as well; the next epoch of Redis starts with them.
 *
 * Claim: as in relaxed.pml. What makes it hold: when an epoch of Redis ends, nonces that Postgres
 * holds as REUSABLE and that were loaded into Redis are quarantined. Without that (NO_QUARANTINE)
 * Postgres grants a nonce whose second grant by Redis was never flushed.
 */
#define RELEASE
#include "relaxed.pml"
