#!/bin/sh
# Pin the images that others make by their digest, so that a tag which moves changes nothing here.
#   sh deploy/pin.sh [FOLDER]            ask their registries, and write .env, which Compose reads
#   sh deploy/pin.sh --check [FOLDER]    exit with 1 where an image is not pinned; asks nobody
# Compose takes VALKEY_IMAGE and its like from there; the build has to be told of PYTHON_IMAGE.
# FOLDER is that of docker-compose.yml, unless this one.
set -eu
check=
if [ "${1:-}" = --check ]; then
  check=yes
  shift
fi
cd "${1:-.}"

images() { # NAME IMAGE, of each variable
  {
    sed -n 's/.*\${\([A-Z]*_IMAGE\):-\([^}]*\)}.*/\1 \2/p' docker-compose.yml deploy/compose.*.yml
    sed -n 's/^ARG \([A-Z]*_IMAGE\)=\(.*\)/\1 \2/p' Dockerfile
  } | sort -u
}

pinned() { # NAME: what Compose would take for it
  eval "value=\${$1:-}"
  [ -n "$value" ] || value=$(sed -n "s/^$1=//p" .env 2> /dev/null | tail -n 1)
  printf '%s\n' "$value" | grep -Eq '@sha256:[0-9a-f]{64}$'
}

if [ -n "$check" ]; then
  loose=$(images | while read -r name image; do pinned "$name" || echo "$name ($image)"; done)
  [ -z "$loose" ] && exit 0
  printf 'not pinned by a digest:\n%s\nsh deploy/pin.sh asks for them\n' "$loose" >&2
  exit 1
fi

umask 077
new=$(mktemp)
trap 'rm -f "$new"' EXIT
[ -e .env ] && grep -Ev '^[A-Z]*_IMAGE=' .env > "$new" || true
images | while read -r name image; do
  digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image" < /dev/null)
  if ! printf '%s\n' "$digest" | grep -Eq '^sha256:[0-9a-f]{64}$'; then
    echo "error: $image has no digest that can be read" >&2
    exit 1
  fi
  echo "$name=$image@$digest" >> "$new"
done
cat "$new" > .env
grep -E '^[A-Z]*_IMAGE=' .env
