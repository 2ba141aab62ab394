#!/usr/bin/env bash
# One transfer through the HTTP API, with nothing but curl:  transfer.sh eip155:1:0x… order-17
# Called again with the same operation it pays nothing again.
#
#   NONCE_API_URL, NONCE_API_KEY   the API, and a key with the scope nonce:allocate
#   RPC_URL                        a node that takes signed transactions
#   SIGN                           a command that prints `<bytes> <hash>` for the nonce it is given
set -euo pipefail
submitter=$1 operation=$2

send() { curl --silent --show-error --fail-with-body -H 'content-type: application/json' "$@"; }
post() { send -H "authorization: Bearer $NONCE_API_KEY" --data "$2" "$NONCE_API_URL/v1/$1"; }
field() { sed -E "s/.*\"$1\":\"?([^\",}]*).*/\1/"; }

allocation=$(post "submitters/$submitter/allocations" "{\"operationId\":\"$operation\"}")
id=$(field id <<<"$allocation") nonce=$(field nonce <<<"$allocation")
stage=$(field stage <<<"$allocation")
if [[ $stage != GRANTED ]]; then
  echo "$operation was paid before, at nonce $nonce: $stage"
  exit 0
fi

# Nothing has left yet: a failure here gives the nonce to the next caller at once.
if ! signed=$($SIGN "$nonce"); then
  post "allocations/$id/recyclable" '{"reason":"the signer failed"}' >/dev/null
  exit 1
fi
read -r bytes hash <<<"$signed"

# From here on the nonce belongs to these bytes. If sending fails, the worker sends them again.
post "allocations/$id/intent" "{\"txHash\":\"$hash\",\"rawTx\":\"$bytes\"}" >/dev/null
call="{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"$bytes\"]}"
send --data "$call" "$RPC_URL" >/dev/null
post "allocations/$id/used" "{\"txHash\":\"$hash\"}" >/dev/null
echo "$operation is on its way at nonce $nonce: $hash"
