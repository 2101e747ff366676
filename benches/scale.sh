#!/usr/bin/env bash
# What one server carries: postino's own scripts on a server of its own, driven by redis-benchmark without postino
# between them. Prints a table, and puts it into docs/scale.md between the marks. `just scale [REQUESTS]`.
set -euo pipefail
cd "$(dirname "$0")/.."
requests=${1:-50000}

folder=$(mktemp -d)
server=$(command -v valkey-server || command -v redis-server) || { echo "no valkey-server or redis-server here" >&2; exit 1; }
"$server" --port 0 --unixsocket "$folder/socket" --save "" --appendonly no --dir "$folder" >"$folder/log" &
process=$!
trap 'kill "$process"; wait "$process" 2>/dev/null || true; rm -rf "$folder"' EXIT
cli() { redis-cli -s "$folder/socket" "$@"; }
for _ in $(seq 200); do cli ping >/dev/null 2>&1 && break || sleep 0.05; done
[ "$(cli ping)" = PONG ]

# The scripts come from postino itself: whatever it does once, the server knows from then on by its digest.
cargo build --locked --quiet
postino() {
  env -i HOME="$folder" PATH="$PATH" POSTINO_HOME="$folder/home" POSTINO_CLIENT_PID=0 \
    POSTINO_VALKEY_URL="unix://$folder/socket" "${CARGO_TARGET_DIR:-target}/debug/postino" --quiet --agent bob "$@" >/dev/null
}
postino send bob hello && postino check && postino read --limit 1
known() {
  local digest
  digest=$(awk -v name="$1" '$1 == name { print $2 }' src/store/valkey/digests.txt)
  [ "$(cli script exists "$digest")" = 1 ] || { echo "the server does not know the script of $1" >&2 && exit 1; }
  echo "$digest"
}
send=$(known send) check=$(known check) lease=$(known lease) settle=$(known settle)
sighting='{"state":null,"client":"shell","host":"h","project":"p"}'
body=$(printf 'x%.0s' $(seq 200))

# A step's arguments up to the verb's own: workspace, actor, caps far enough away.
step() { printf '%s\n' 1 "{$1}meta" '' "$2" n '' "$sighting" '' 86400000 100000000 500 5; }
# Requests a second of a step with eight clients: digest, workspace, actor, the verb's arguments.
rate() {
  local digest=$1 workspace=$2 actor=$3; shift 3
  local words; mapfile -t words < <(step "$workspace" "$actor")
  redis-benchmark -s "$folder/socket" -q --csv -c 8 -n "$requests" -r 100000000 EVALSHA "$digest" "${words[@]}" "$@" |
    tail -1 | awk -F'","' '{ printf "%d", $(NF - 6) }' # The name of the test, first of the fields, holds quotes itself.
}
run() { local words; mapfile -t words < <(step "$2" "$3"); local digest=$1; shift 3; cli evalsha "$digest" "${words[@]}" "$@"; }
memory() { cli info memory | tr -d '\r' | sed -n 's/^used_memory://p'; }

# A recipient that somebody has used: else each answer carries the names in use.
run "$check" one: send-to >/dev/null
run "$check" two: bob >/dev/null
before=$(memory)
sends=$(rate "$send" one: ann send-to "$body" '' cli 0 7000-8000-__rand_int__ '' '')
count=$(run "$check" one: send-to | sed -n 2p)
a_message=$((($(memory) - before) / count))
checks_full=$(rate "$check" one: send-to)
checks_empty=$(rate "$check" one: nobody)
leases=$(rate "$lease" one: send-to lease 1 '' 3600000 0000000000000007 '')

# Acks need receipts: those of leases of a hundred each.
for n in $(seq 1 2000); do
  printf 'EVALSHA %s 1 {two:}meta "" ann n "" "" "" 86400000 100000000 500 5 bob hello "" cli 0 7000-8000-%012d "" ""\n' "$send" "$n"
done | cli --pipe >/dev/null
for _ in $(seq 20); do run "$lease" two: bob lease 100 '' 3600000 0000000000000007 ''; done |
  grep -Eo '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$' | sort -u >"$folder/ids"
while read -r id; do
  printf 'EVALSHA %s 1 {two:}meta "" bob n "" "" "" 86400000 100000000 500 5 ack 0 %s 0000000000000007\n' "$settle" "$id"
done <"$folder/ids" >"$folder/acks"
cli config resetstat >/dev/null
cli --pipe <"$folder/acks" >/dev/null
ack_us=$(cli info commandstats | tr -d '\r' | sed -n 's/^cmdstat_evalsha:.*usec_per_call=\([0-9.]*\).*/\1/p')
acks=$(awk -v us="$ack_us" 'BEGIN { printf "%d", 1e6 / us }')

before=$(memory)
for n in $(seq 1 2000); do
  printf 'EVALSHA %s 1 {three:}meta "" agent-%d n "" {"client":"shell","host":"h","project":"p"} "" 86400000 1000 500 5\n' "$check" "$n"
done | sed 's/{"client.*"p"}/"{\\"client\\":\\"shell\\",\\"host\\":\\"h\\",\\"project\\":\\"p\\"}"/' | cli --pipe >/dev/null
an_agent=$((($(memory) - before) / 2000))

{
  echo
  echo "$(basename "$server") $(cli info server | tr -d '\r' | sed -n 's/^\(valkey\|redis\)_version:/ /p' | tail -1 | tr -d ' '), eight clients on a unix socket, $requests requests each, no persistence; $(nproc) cores."
  echo
  echo "| step, one shard | a second |"
  echo "|---|---|"
  echo "| send, 200 characters | $sends |"
  echo "| check, nothing waiting | $checks_empty |"
  echo "| check, $count waiting | $checks_full |"
  echo "| read: lease one message | $leases |"
  echo "| read: acknowledge one ($ack_us µs of the server, $(wc -l <"$folder/ids") measured) | $acks |"
  echo
  echo "| one more | bytes |"
  echo "|---|---|"
  echo "| message of 200 characters, with its place in queue and history | $a_message |"
  echo "| agent with its mailbox and its sign of life | $an_agent |"
  echo
} >"$folder/table"
cat "$folder/table"
awk -v table="$folder/table" '
  /<!-- measured -->/ { print; while ((getline line < table) > 0) print line; skip = 1; next }
  /<!-- end -->/ { skip = 0 }
  !skip' docs/scale.md >"$folder/new"
cp "$folder/new" docs/scale.md
