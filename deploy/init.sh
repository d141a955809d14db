#!/bin/sh
# What docker-compose.yml needs before its first start: secrets/, and two files of settings.
# Nothing that exists is touched, so it may be run again.
#   sh deploy/init.sh [FOLDER]      the folder of docker-compose.yml, unless this one
set -eu
cd "${1:-.}"

# The containers' users differ from yours, so they must be able to read the files; that nobody
# else on this machine can is the folder's business.
umask 077
mkdir -p secrets
chmod 700 secrets

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

keep() { # NAME VALUE
  [ -s "secrets/$1" ] && return
  printf '%s\n' "$2" > "secrets/$1"
  chmod 444 "secrets/$1"
  echo "secrets/$1 is written"
}

keep redis_password "$(random)"
keep redis_url "redis://:$(cat secrets/redis_password)@redis:6379/0"
keep grafana_password "$(random)"

if [ ! -s secrets/discord_token ]; then
  token="${DISCORD_TOKEN:-}"
  if [ -z "$token" ]; then
    printf 'Bot token, from https://discord.com/developers/applications: '
    read -r token
  fi
  keep discord_token "$token"
fi

for program in bot inference; do
  [ -e "$program.env" ] && continue
  printf '%s\n' "# Settings of the $program, as NAME=value. All that there are:" \
    "#   docker compose run --rm --no-deps $program init -" > "$program.env"
  echo "$program.env is written"
done
