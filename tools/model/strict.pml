/*
 * Strict intents. Redis is Byzantine here: it may return any nonce to anybody at any time, which
 * covers every loss, rollback, fork and bug. Safety comes from the row in Postgres alone: the
 * intent (nonce, owner) has to win the row, below the witnessed ceiling.
 *
 * Claim: at most one owner ever broadcasts a given nonce; with RESTORE also when Postgres comes back
 * as an older copy, MAXF times.
 *
 * Guards that can be removed: NO_FENCE NO_INTENT REAP_INTENT RECYCLE RESTORE + NO_WITNESS
 * RESTORE + NO_CEILCHECK. README.md says what each one stands for.
 */
#ifndef N
#define N 5                             /* nonces 0 … N-1 */
#endif
#ifndef MAXF
#define MAXF 2                          /* restores */
#endif
#ifndef NODES
#define NODES 3
#endif

/* The row of each nonce: 0 free, 1 granted, 2 intent, 3 quarantined; and its owner. */
byte st[N], own[N], pceil=2, pnext=0;
byte wit_c=2;                           /* the witness outside Postgres */
byte bst[N], bown[N], bceil=2, bnext=0; bit baked=0;   /* the old copy */
byte faults=0;
bit bc[N];                              /* broadcast by somebody */

#ifdef NO_WITNESS
#define NOTE_CEILING skip
#else
#define NOTE_CEILING if :: pceil>wit_c -> wit_c=pceil :: else fi
#endif

proctype Node(byte id) {
  byte n=0, m=0; bit has=0, ok=0;       /* the nonce it was given; whether its intent is written */
end0:
  do
  :: atomic { !has -> m=0; do :: m<N-1 -> m++ :: break od;          /* Redis says anything */
       n=m; m=0; has=1; ok=0 }
  :: atomic { !has ->                   /* Postgres: the lowest reusable nonce, else a fresh one */
       m=0; do :: (m<pnext && m<N && st[m]!=0) -> m++ :: else -> break od;
       if :: m<pnext -> st[m]=1; own[m]=id; n=m; has=1; ok=0
          :: m>=pnext && pnext<pceil && pnext<N ->
             if :: st[pnext]==0 -> st[pnext]=1; own[pnext]=id; n=pnext; has=1; ok=0 :: else fi;
             pnext++
          :: else
       fi; m=0 }
  :: atomic { pceil<N -> pceil=pceil+1; NOTE_CEILING }
#ifdef NO_INTENT
  :: atomic { has && !ok -> ok=1 }
#else
  :: atomic { has && !ok ->
       if
#ifndef NO_CEILCHECK
       :: n>=pceil -> has=0; n=0
#endif
#ifndef NO_FENCE
       :: n<pceil && (st[n]>=2 || (st[n]==1 && own[n]!=id)) -> has=0; n=0
       /* Redis vouches for a later grant: it takes the row over, and the earlier one is fenced. */
       :: n<pceil && st[n]==1 && own[n]!=id -> st[n]=2; own[n]=id; ok=1
#endif
       :: else -> st[n]=2; own[n]=id; ok=1
       fi }
#endif
  /* Between the intent and this step lies a pause of any length: collector, SIGSTOP, partition. */
  :: atomic { has && ok -> assert(bc[n]==0); bc[n]=1;
#ifdef RECYCLE
       if :: skip :: st[n]=0 fi;
#endif
       has=0; ok=0; n=0 }
  :: atomic { has -> has=0; ok=0; n=0 } /* crash */
  od }

proctype Reaper() {
  byte r=0;
endr:
  do
  :: atomic { r=0; do :: r<N-1 -> r++ :: break od;
#ifdef REAP_INTENT
       if :: st[r]==1 || st[r]==2 -> st[r]=0; own[r]=0 :: else fi;
#else
       if :: st[r]==1 -> st[r]=0; own[r]=0 :: else fi;
#endif
       r=0 }
  od }

proctype Env() {
  byte q=0;
ende:
  do
#ifdef RESTORE
  :: atomic { faults==0 && !baked -> baked=1; bceil=pceil; bnext=pnext;
       q=0; do :: q<N -> bst[q]=st[q]; bown[q]=own[q]; q++ :: else -> break od; q=0 }
  :: atomic { baked && faults<MAXF -> faults++; pceil=bceil; pnext=bnext;
       q=0; do :: q<N -> st[q]=bst[q]; own[q]=bown[q]; q++ :: else -> break od; q=0;
#ifndef NO_WITNESS
       pceil=wit_c; pnext=wit_c;        /* everything short of an intent is quarantined */
       do :: q<wit_c && q<N -> if :: st[q]!=2 -> st[q]=3; own[q]=0 :: else fi; q++
          :: else -> break
       od; q=0
#endif
     }
#else
  :: false
#endif
  od }

init { atomic {
  run Node(1); run Node(2);
#if NODES>2
  run Node(3);
#endif
  run Reaper(); run Env() } }
