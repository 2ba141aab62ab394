/*
 * Switching between Redis and Postgres. Redis allocates under relaxed intents, so whoever was
 * granted a nonce may have sent it without a word; holders say used or released, or nothing, ever.
 *
 * Claims: a nonce is granted at most once unless its holder gave it back; and once a drain has
 * ended, Redis grants nothing; and an epoch that was closed unheard, although nothing was lost, grants
 * nothing afterwards: who would hold such a nonce is fenced. At any time and any number of times:
 * nodes crash or pause between two steps, see mode and epoch late or never again, take an epoch over
 * at the same time as others, and flush late or never. Any node may take an epoch over at any time.
 * Faults, MAXF of them: Redis restarts with a lost tail or empty, FLUSHALL, DEL of the mode's mark.
 *
 * Guards that can be removed: NO_RETIRE NO_FACTS NO_QUARANTINE STALE_FACTS NO_MARK NO_BAR. README.md
 * says what each one stands for.
 */
#ifndef N
#define N 3                             /* nonces 0 … N-1; at most 8, they are bits of a byte */
#endif
#ifndef W
#define W 1                             /* nonces of a range */
#endif
#ifndef MAXE
#define MAXE 4                          /* epochs of the submitter */
#endif
#ifndef MAXM
#define MAXM 3                          /* epochs of the mode */
#endif
#ifndef MAXF
#define MAXF 1                          /* faults */
#endif

#define BIT(n) (1<<(n))
#define HAS(set,n) (((set)>>(n))&1)
#define WITH(set,n) ((set)|(1<<(n)))
#define WITHOUT(set,n) ((set)&(255-(1<<(n))))
#define BELOW(n) ((1<<(n))-1)

/* Postgres: the mode, and of the submitter its epoch, engine (0 Postgres, 1 Redis) and range. */
bit fast=0; byte me=1;
byte pe=1, base=0, ceil=0, lent=0; bit eng=0;
byte tokOf[MAXE+1];                     /* incarnation that each epoch belongs to */
/* Its rows: granted, used, free, quarantined; of which epoch, and moved by a word said to it. */
byte rg=0, ru=0, rf=0, rq=0, own=0, rep[N];
byte walk=0;                            /* nonces of closed ranges that have no row */
/* Redis: epoch, next nonce, ceiling, mode of the opening; free set; grants held, used, released. */
byte re=0, rn=0, rc=0, rm=0, fr=0, sg=0, su=0, sr=0, inc=1; bit retired=0;
byte bar=0;                             /* asked for its facts before it was opened: it is not any more */
byte cut=0;                             /* the last epoch closed unheard while there was no fault yet */
byte km=0; bit kd=0;                    /* the mode's mark: its epoch, and whether it drains */
byte granted=0, faults=0;               /* granted: to somebody who did not give it back */
bit drained=0;

#define ROWS (rg|ru|rf|rq)
#define RANGE (BELOW(ceil)&(255-BELOW(base)))
#define LOWEST(set) m=0; do :: HAS(set,m) -> break :: else -> m++ od

#ifdef NO_MARK
#define NO_BAR                          /* each of them alone keeps a drain from being undone */
#define MARKED 1
#define MAY_OPEN 1
#else
#define MARKED (rm==km && !kd)
#define MAY_OPEN (km<im || (km==im && !kd))
#endif

inline GRANT(n) { assert(!HAS(granted,n)); granted=WITH(granted,n) }

/* A fact of epoch e about nonce n: the row takes what is later than all it knows. */
#ifdef STALE_FACTS
#define LATER(e,n) 1
#else
#define LATER(e,n) (rep[n]<e || (rep[n]==e && !HAS(own,n)))
#endif
inline APPLY(e, n, held, used) {
  if
  :: LATER(e,n) ->
       rg=WITHOUT(rg,n); ru=WITHOUT(ru,n); rf=WITHOUT(rf,n); own=WITHOUT(own,n);
       walk=WITHOUT(walk,n); rep[n]=e;
       if :: HAS(rq,n) -> skip
          :: !HAS(rq,n) && held -> rg=WITH(rg,n)
          :: !HAS(rq,n) && !held && used -> ru=WITH(ru,n)
          :: else -> rf=WITH(rf,n)
       fi
  :: else -> skip
  fi
}

/* The end of an epoch of which Redis can tell nothing: all of it may have been sent. */
#ifdef NO_QUARANTINE
#define CUT_OFF walk=walk|(RANGE&(255-ROWS))
#else
#define CUT_OFF \
  m=0; do \
  :: m<N && HAS((RANGE|lent)&(255-ru),m) -> rq=WITH(rq,m); rg=WITHOUT(rg,m); rf=WITHOUT(rf,m); \
       rep[m]=pe; own=WITH(own,m); m++ \
  :: m<N && !HAS((RANGE|lent)&(255-ru),m) -> m++ \
  :: m==N -> break od; m=0
#endif

proctype Node() {
  byte ve=1, vm=1;                      /* the epochs it believes in: the submitter's, the mode's */
  byte m=0, t=0;                        /* t: an incarnation read before an epoch is entered */
  byte ie=0, ib=0, il=0, im=0;          /* an epoch won in Postgres and not yet opened in Redis */
  byte hp=0, hg=0, hu=0, hr=0;          /* a take-over: its step, and what Redis told */
end0:
  do
  :: atomic { hp==0 && (ve!=pe || vm!=me) -> ve=pe; vm=me }
  /* Redis grants, in one script. */
  :: atomic { re==ve && ve!=0 && !retired && inc==tokOf[ve] && MARKED && (fr!=0 || (rn<rc && rn<N)) ->
       assert(!drained); assert(ve!=cut || faults!=0);
       if :: fr!=0 -> LOWEST(fr); fr=WITHOUT(fr,m)
          :: else -> m=rn; rn++
       fi;
       GRANT(m); sg=WITH(sg,m); su=WITHOUT(su,m); sr=WITHOUT(sr,m); m=0 }
  /* Postgres grants: what is free first, then a fresh one. */
  :: atomic { eng==0 && ((rf|walk)!=0 || ceil<N) ->
       if :: (rf|walk)!=0 -> LOWEST(rf|walk); rf=WITHOUT(rf,m); walk=WITHOUT(walk,m)
          :: else -> m=ceil; ceil++
       fi;
       GRANT(m); rg=WITH(rg,m); own=WITH(own,m); rep[m]=pe; m=0 }
  /* Enter Redis: the mode is compared in the statement that makes the epoch. */
  :: atomic { t==0 && ie==0 && hp==0 && fast && pe<MAXE -> t=inc }
  :: t!=0 -> t=0
  :: atomic { t!=0 && fast && vm==me && ve==pe && pe<MAXE && ceil+W<=N && (eng==0 || tokOf[pe]!=t) ->
       if :: eng==1 -> CUT_OFF :: else -> skip fi;
       pe++; eng=1; tokOf[pe]=t; base=ceil; ceil=ceil+W;
       rf=rf|walk; walk=0; lent=rf; ie=pe; ib=base; il=lent; im=me; t=0; ve=pe }
  :: atomic { ie!=0 ->                  /* opened once */
       if :: (re<ie && bar<ie && inc==tokOf[ie] && MAY_OPEN) ->
              re=ie; rn=ib; rc=ib+W; rm=im; fr=il; sg=0; su=0; sr=0; retired=0;
              if :: km<im -> km=im; kd=0 :: else -> skip fi
          :: else -> skip
       fi; ie=0; ib=0; il=0; im=0 }
  :: atomic { ie!=0 -> ie=0; ib=0; il=0; im=0 }
  /* Take over: Redis ends the epoch and tells all it knows, Postgres applies it, then closes. */
  :: atomic { hp==0 && ie==0 && t==0 && eng==1 && ve==pe && pe<MAXE ->
       if :: (re==ve && inc==tokOf[ve]) ->
#ifndef NO_RETIRE
              retired=1;
#endif
              hg=sg; hu=su; hr=sr; hp=1
          :: else ->
#ifndef NO_BAR
              if :: (re<ve && inc==tokOf[ve]) -> bar=ve :: else -> skip fi;
#endif
              hp=3
       fi }
  :: atomic { hp==1 ->
#ifndef NO_FACTS
       m=0; do :: m<N && HAS(hg|hu|hr,m) -> APPLY(ve,m,HAS(hg,m),HAS(hu,m)); m++
               :: m<N && !HAS(hg|hu|hr,m) -> m++
               :: m==N -> break od; m=0;
#endif
       hp=2 }
  :: atomic { hp==2 ->
       if :: (pe==ve && eng==1) -> walk=walk|(RANGE&(255-ROWS)); pe++; eng=0; lent=0
          :: else -> skip
       fi; hp=0; hg=0; hu=0; hr=0 }
  :: atomic { hp==3 ->
       if :: (pe==ve && eng==1) -> CUT_OFF; pe++; eng=0; lent=0;
              if :: faults==0 -> cut=ve :: else -> skip fi
          :: else -> skip
       fi; hp=0 }
  :: atomic { hp!=0 -> hp=0; hg=0; hu=0; hr=0 }
  od }

/* Holders, the flush, switches and faults. */
proctype Env() {
  byte m=0;
ende:
  do
  :: atomic { (sg&granted)!=0 && !retired && inc==tokOf[re] ->          /* a word said to Redis */
       LOWEST(sg&granted);
       if :: sg=WITHOUT(sg,m); su=WITH(su,m)
          :: sg=WITHOUT(sg,m); sr=WITH(sr,m); fr=WITH(fr,m); granted=WITHOUT(granted,m)
       fi; m=0 }
  /* A word that Postgres decides: of its own grants, and of those of a closed epoch. */
  :: atomic { (rg&granted)!=0 -> LOWEST(rg&granted);
       if :: (eng==0 || rep[m]<pe) ->
              rg=WITHOUT(rg,m); rf=WITH(rf,m); own=WITH(own,m); granted=WITHOUT(granted,m)
          :: else -> skip
       fi; m=0 }
  :: atomic { (sg|su|sr)!=0 -> LOWEST(sg|su|sr);                         /* the flush */
       APPLY(re,m,HAS(sg,m),HAS(su,m));
       if :: HAS(su,m) && HAS(ru,m) -> su=WITHOUT(su,m) :: skip fi; m=0 }
  :: atomic { me<MAXM -> me++; fast=1-fast; drained=0 }                  /* switch */
  :: atomic { km<me -> km=me; kd=1-fast }
  :: atomic { !fast && km==me && kd && eng==0 && !drained -> drained=1 }
  :: atomic { faults<MAXF && re!=0 -> faults++; inc++;                   /* restart */
       bar=0;
       if :: re=0; rn=0; rc=0; fr=0; sg=0; su=0; sr=0; retired=0; km=0; kd=0; drained=0
          :: retired=0; do :: rn>0 -> rn--; sg=WITHOUT(sg,rn); su=WITHOUT(su,rn); sr=WITHOUT(sr,rn)
                          :: break od
       fi }
  :: atomic { faults<MAXF && re!=0 -> faults++;                          /* FLUSHALL */
       re=0; rn=0; rc=0; fr=0; sg=0; su=0; sr=0; retired=0; km=0; kd=0; drained=0; bar=0 }
  :: atomic { faults<MAXF && km!=0 -> faults++; km=0; kd=0; drained=0 }  /* DEL of the mark */
  od }

init { atomic { run Node(); run Node(); run Env() } }
