/*
 * The performance engine with relaxed intents: Redis allocates in one script call and nothing is
 * written to Postgres before a transaction leaves.
 *
 * Claim: a nonce is granted at most once, ever, under any MAXF faults among these: Redis restarts
 * with a lost tail, FLUSHALL, promotion with split brain, heal and fail-back; (RESTORE) Postgres
 * comes back as an older copy. Beside the faults, at any time and any number of times: a node
 * crashes or pauses between two steps, two nodes race to raise the ceiling, and any node switches
 * the mode. A node may see Postgres's row late, or never again.
 *
 * With RELEASE a handler may also hand its nonce back unspent; see relaxed-release.pml.
 *
 * Guards that can be removed: NO_INC NO_CEIL RUNID_ONLY INIT_RETRY REUSE RECYCLE
 * RESTORE + NO_WITNESS, RELEASE + NO_QUARANTINE. README.md says what each one stands for.
 */
#ifndef N
#define N 6                             /* nonces 0 … N-1; at most 8, they are bits of a byte */
#endif
#ifndef MAXE
#define MAXE 3                          /* epochs opened by a mode switch */
#endif
#ifndef MAXF
#define MAXF 2                          /* faults */
#endif
#ifndef W
#define W 2                             /* nonces per raise of the ceiling */
#endif
#define E1 (MAXE+3)

/* Postgres: epoch, ceiling, next nonce, and what was flushed (read by NO_CEIL only). */
byte pe=1, pceil=W, pnext=0, pflush=0;
bit engOf[E1];                          /* engine of each epoch: 0 Redis, 1 Postgres */
byte tokOf[E1];                         /* incarnation of the Redis that each epoch belongs to */
byte be=1, bceil=W, bnext=0;            /* the old copy */
byte wit_e=1, wit_c=W;                  /* the witness outside Postgres */
/* Two Redis servers: epoch, next nonce, ceiling, recyclable set, incarnation, believes in itself. */
byte re[2], rn[2], rc[2], rf[2], rinc[2]; bit prim[2];
byte inc=1, faults=0;
bit granted[N];                         /* handed to somebody who did not hand it back */

#ifdef NO_INC
#define INCOK 1
#else
#define INCOK (rinc[i]==tokOf[e])
#endif

#ifdef NO_WITNESS
#define NOTE_CEILING(c) skip
#else
#define NOTE_CEILING(c) if :: (c)>wit_c -> wit_c=(c) :: else fi
#endif

inline GRANT(nn) { assert(granted[nn]==0); granted[nn]=1 }
/* A client reaches any server that takes itself for the primary. */
inline PICK() { if :: prim[0] -> i=0 :: prim[1] -> i=1 fi }
inline LOWEST(set) { m=0; do :: ((set>>m)&1)==1 -> break :: else -> m++ od }

#define WITHOUT(set,n) ((set)&(255-(1<<(n))))

#ifdef RELEASE
byte pfree=0, bfree=0;                  /* handed back, as Postgres knows it from the flush */
/* The event of a grant may be flushed late or be lost with its Redis. */
#define FLUSH_GRANT if :: pfree=WITHOUT(pfree,m) :: skip fi
/* The handler keeps the nonce, or hands it back: Redis knows at once, Postgres by the flush. */
#define GRANT_FRESH if :: GRANT(m) :: rf[i]=rf[i]|(1<<m); if :: pe==e -> pfree=pfree|(1<<m) :: else -> skip fi fi
#define BACKUP_DIFFERS (be!=pe||bceil!=pceil||bnext!=pnext||bfree!=pfree)
#else
#define FLUSH_GRANT skip
#define GRANT_FRESH GRANT(m)
#define BACKUP_DIFFERS (be!=pe||bceil!=pceil||bnext!=pnext)
#endif

/* Closing an epoch of Redis; quarantined nonces are not granted by this protocol. What Postgres
   itself was handed back in an epoch of its own stays free, and is loaded into the next Redis. */
#if defined(RELEASE) && !defined(NO_QUARANTINE)
#define QUARANTINE if :: engOf[pe]==0 -> pfree=0 :: else -> skip fi
#else
#define QUARANTINE skip
#endif
#ifdef RELEASE
#define PICK_FREE il=pfree
#define FORGET_FREE pfree=0
#define LOADED il
#else
#define PICK_FREE skip
#define FORGET_FREE skip
#define LOADED 0
#endif
/* A witness of epochs and ceilings does not see what Postgres hands out a second time in an epoch of
   its own, so that is left out where an old copy comes back. */
#if defined(RELEASE) && !defined(RESTORE)
#define GRANT_BY_POSTGRES if :: GRANT(pnext) :: pfree=pfree|(1<<pnext) fi
#else
#define GRANT_BY_POSTGRES GRANT(pnext)
#endif

#ifdef NO_CEIL
#define NEW_BASE pflush
#else
#define NEW_BASE pceil
#endif

proctype Node() {
  byte e=1;                             /* the epoch this node believes in */
  byte i=0, m=0;
  byte newc=0;                          /* a ceiling raised in Postgres and not yet in Redis */
  byte ib=0, ie=0; bit ini=0;           /* an epoch opened in Postgres and not yet in Redis */
#ifdef RELEASE
  byte il=0;                            /* the free nonces that this epoch was handed */
#endif
  byte t=0;                             /* an incarnation read before a switch to Redis */
end0:
  do
  :: atomic { e!=pe -> e=pe }
  :: atomic { engOf[e]==0 -> PICK();    /* allocation in Redis, one script */
       if :: (re[i]==e && INCOK) ->
              if :: rf[i]!=0 -> LOWEST(rf[i]); rf[i]=WITHOUT(rf[i],m); GRANT(m); FLUSH_GRANT
                 :: rf[i]==0 && rn[i]<rc[i] && rn[i]<N -> m=rn[i]; rn[i]=rn[i]+1; GRANT_FRESH;
#ifdef RECYCLE
                    if :: skip :: rf[i]=rf[i]|(1<<m) fi   /* it threw after a node took the bytes */
#endif
                 :: else -> skip
              fi
          :: else -> skip
       fi; i=0; m=0 }
  :: atomic { engOf[e]==0 && pe==e && pceil+W<=N && newc==0 && !ini ->
       pceil=pceil+W; newc=pceil; NOTE_CEILING(newc) }
  :: atomic { newc!=0 -> PICK();
       if :: (re[i]==e && rinc[i]==tokOf[e] && rc[i]<newc) -> rc[i]=newc :: else fi; i=0; newc=0 }
  :: newc!=0 -> newc=0                  /* crash between the two */
  :: atomic { (engOf[e]==1 && pe==e && pnext<N) ->
       if :: pnext<pceil -> skip :: else -> pceil=pnext+1; NOTE_CEILING(pceil) fi;
       GRANT_BY_POSTGRES; pnext=pnext+1 }
#ifdef RELEASE
  :: atomic { (engOf[e]==1 && pe==e && pfree!=0) ->
       LOWEST(pfree); pfree=WITHOUT(pfree,m); GRANT(m); m=0 }
#endif
  :: atomic { (pe==e && pe<MAXE && newc==0 && !ini) ->    /* switch to Postgres */
       QUARANTINE; pe=pe+1; engOf[pe]=1; pnext=NEW_BASE;
       if :: pe>wit_e -> wit_e=pe :: else fi; e=pe }
  :: atomic { t==0 && pe==e && pe<MAXE && pceil+W<=N && newc==0 && !ini -> PICK(); t=rinc[i]; i=0 }
  :: t!=0 -> t=0
  :: atomic { (t!=0 && pe==e && pe<MAXE && pceil+W<=N && newc==0 && !ini) ->   /* switch to Redis */
       QUARANTINE; PICK_FREE; pe=pe+1; engOf[pe]=0; tokOf[pe]=t; t=0; ib=NEW_BASE;
       pceil=pceil+W; ie=pe; ini=1; e=pe; NOTE_CEILING(pceil);
       if :: pe>wit_e -> wit_e=pe :: else fi }
  :: atomic { ini -> PICK();            /* the new epoch's state, written to Redis once */
       if :: (re[i]<ie && rinc[i]==tokOf[ie]) -> re[i]=ie; rn[i]=ib; rc[i]=ib+W; rf[i]=LOADED;
#ifdef REUSE
          m=0; do :: m<ib && m<N -> rf[i]=rf[i]|(1<<m); m++ :: else -> break od; m=0;
#endif
          :: else
       fi; i=0;
#ifdef INIT_RETRY
       if :: ini=0; ib=0; ie=0 :: skip fi
#else
       ini=0; ib=0; ie=0
#endif
     }
  :: ini -> ini=0; ib=0; ie=0           /* crash before the write */
  od }

proctype Env() {
ende:
  do
  :: atomic { prim[0] && !prim[1] && (re[1]!=re[0]||rn[1]!=rn[0]||rc[1]!=rc[0]||rf[1]!=rf[0]) ->
       re[1]=re[0]; rn[1]=rn[0]; rc[1]=rc[0]; rf[1]=rf[0] }                    /* replication */
#ifdef NO_CEIL
  :: atomic { prim[0] && rn[0]>pflush && re[0]==pe -> pflush=rn[0] }
#endif
  :: atomic { faults<MAXF && prim[0] -> faults++; inc++; rinc[0]=inc;          /* restart */
       if :: re[0]=0; rn[0]=0; rc[0]=0; rf[0]=0
          :: do :: rn[0]>0 -> rn[0]=rn[0]-1 :: break od
       fi }
  :: atomic { faults<MAXF && prim[0] && re[0]!=0 -> faults++;                  /* FLUSHALL */
       re[0]=0; rn[0]=0; rc[0]=0; rf[0]=0 }
  :: atomic { faults<MAXF && prim[0] && !prim[1] -> faults++;                  /* split brain */
       prim[1]=1; inc++; rinc[1]=inc }
  :: atomic { prim[0] && prim[1] -> prim[0]=0;                                 /* heal */
       re[0]=re[1]; rn[0]=rn[1]; rc[0]=rc[1]; rf[0]=rf[1] }
  :: atomic { faults<MAXF && !prim[0] && prim[1] -> faults++; prim[1]=0; prim[0]=1;  /* fail back */
#ifndef RUNID_ONLY
       inc++; rinc[0]=inc
#endif
     }
#ifdef RESTORE
  :: atomic { faults==0 && BACKUP_DIFFERS -> be=pe; bceil=pceil; bnext=pnext;
#ifdef RELEASE
       bfree=pfree
#endif
     }
  :: atomic { faults<MAXF && BACKUP_DIFFERS -> faults++; pe=be; pceil=bceil; pnext=bnext;
#ifdef RELEASE
       pfree=bfree;
#endif
#ifndef NO_WITNESS
       if :: (pe<wit_e || pceil<wit_c) ->                 /* the continuity check finds it behind */
              FORGET_FREE; pe=wit_e+1; wit_e=pe; pceil=wit_c; engOf[pe]=1; pnext=pceil
          :: else
       fi
#endif
     }
#endif
  od }

init { atomic {
  tokOf[1]=1; re[0]=1; rn[0]=0; rc[0]=W; rinc[0]=1; prim[0]=1;
  run Node(); run Node(); run Env() } }
