#!/usr/bin/env bash
# Runs the job of the action's inputs, which come as environment variables, and tells the workflow what became of it.
set -uo pipefail

arguments=(submit "$BOOTLAB_JOB" --wait --junit "$BOOTLAB_JUNIT")
while IFS= read -r variable; do
  if [[ -n $variable ]]; then arguments+=(--var "$variable"); fi
done <<<"${BOOTLAB_VARIABLES:-}"
if [[ ${BOOTLAB_CONSOLE:-false} == true ]]; then arguments+=(--console); fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
bootlab "${arguments[@]}" > >(tee "$log") &
job=$!
# A cancelled workflow cancels the job; bootlab does that when it is told to end.
trap 'kill -TERM "$job" 2>/dev/null' INT TERM
wait "$job"
status=$?
if ((status > 128)); then
  wait "$job" # the wait was interrupted, not the job
  status=$?
fi

url=$(grep -Eom 1 'https?://[^ ]+/jobs/[0-9a-f-]+' "$log")
{
  echo "url=$url"
  echo "exit-status=$status"
} >>"$GITHUB_OUTPUT"
case $status in
0) result='passed' ;;
1) result='failed' ;;
2) result='was refused' ;;
3) result='could not be run (infrastructure)' ;;
*) result='was interrupted' ;;
esac
echo "Bootlab: \`$BOOTLAB_JOB\` $result${url:+, [see the job]($url)}" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
if ((status != 0)); then echo "::error title=Bootlab::$BOOTLAB_JOB $result${url:+: $url}"; fi
exit "$status"
