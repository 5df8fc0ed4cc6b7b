#!/usr/bin/env bash
# Puts `bootlab` on the path of the steps that follow: the runner's own, or that of the repository this action lies in.
set -euo pipefail

if command -v bootlab >/dev/null; then
  echo "Using $(command -v bootlab)"
  exit 0
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if [[ ! -f $root/apps/cli/dist/main.js ]]; then
  echo "Building the command line in $root"
  cd "$root"
  npm ci --ignore-scripts --no-progress
  npx nx run bootlab:build
fi
echo "$root/node_modules/.bin" >>"$GITHUB_PATH"
