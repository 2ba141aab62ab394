/*
 * relaxed.pml with honest release: a handler that never sent hands its nonce back, Redis grants it
 * again, and the flush tells Postgres that it is REUSABLE.
 *
 * Claim: as in relaxed.pml. What makes it hold: whenever the epoch changes, nonces that Postgres
 * holds as REUSABLE and that were loaded into Redis are quarantined. Without that (NO_QUARANTINE)
 * Postgres grants a nonce whose second grant by Redis was never flushed.
 */
#define RELEASE
#include "relaxed.pml"
