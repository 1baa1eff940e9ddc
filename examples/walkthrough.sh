#!/usr/bin/env bash
# The whole way of a bundle, on one machine: packed, pushed, carried across an air gap in one tar, imported into another
# registry and pulled there. Needs a Rust toolchain and nothing else; leaves nothing behind but the built program.
#
#   WALKTHROUGH_PUBLIC=HOST:PORT and WALKTHROUGH_PRIVATE=HOST:PORT use registries of yours instead of the embedded ones.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --quiet --package imgpkg
imgpkg_binary="${CARGO_TARGET_DIR:-target}/release/imgpkg"

work="$(mktemp -d)"
registries=()
clean_up() {
  for registry in "${registries[@]}"; do kill "$registry" 2>/dev/null && wait "$registry" 2>/dev/null || true; done
  rm -rf "$work"
}
trap clean_up EXIT

say() { printf '\n# %s\n' "$*"; }
imgpkg() {
  printf '$ imgpkg'
  local word
  for word in "$@"; do printf ' %s' "${word/#$work\//}"; done
  printf '\n'
  "$imgpkg_binary" "$@"
}

# Starts an embedded registry on a free port and leaves its address in the variable named.
serve() {
  "$imgpkg_binary" serve --listen 127.0.0.1:0 >"$work/$1.out" 2>"$work/$1.err" &
  registries+=("$!")
  local waited=0
  until grep -q '^Listening on ' "$work/$1.out"; do
    if ! kill -0 "${registries[-1]}" 2>/dev/null || [ "$((waited += 1))" -gt 200 ]; then
      echo "the $1 registry did not start:" >&2
      cat "$work/$1.err" >&2
      exit 1
    fi
    sleep 0.05
  done
  printf -v "$1" '%s' "$(sed -n 's/^Listening on //p' "$work/$1.out")"
}

if [ -n "${WALKTHROUGH_PUBLIC:-}" ]; then public="$WALKTHROUGH_PUBLIC"; else serve public; fi
if [ -n "${WALKTHROUGH_PRIVATE:-}" ]; then private="$WALKTHROUGH_PRIVATE"; else serve private; fi
say "Two registries: $public on this side of the air gap, $private on the other."

say "An image that the configuration needs. (Any image will do; this one is packed from a directory.)"
imgpkg push -i "$public/team/greeter:1.0" -f examples/basic-step-1 --tty
greeter="$("$imgpkg_binary" tag resolve -i "$public/team/greeter:1.0")"

say "The bundle: configuration, and a lock file that says by digest which image is meant."
cp -R examples/basic-step-2 "$work/greeter"
cat >"$work/greeter/.imgpkg/images.yml" <<LOCK
apiVersion: imgpkg.carvel.dev/v1alpha1
kind: ImagesLock
images:
- image: $greeter
LOCK
printf '$ cat greeter/.imgpkg/images.yml\n'
cat "$work/greeter/.imgpkg/images.yml"

imgpkg push -b "$public/apps/greeter:1.0" -f "$work/greeter" --tty
imgpkg tag list -i "$public/apps/greeter" --tty

say "The bundle with everything it needs, in one file that can be carried."
imgpkg copy -b "$public/apps/greeter:1.0" --to-tar "$work/greeter.tar" --tty

say "On the other side: everything goes into one repository, and nothing else is asked for it."
imgpkg copy --tar "$work/greeter.tar" --to-repo "$private/imported/greeter" --tty
imgpkg tag list -i "$private/imported/greeter" --imgpkg-internal-tags --tty
imgpkg describe -b "$private/imported/greeter:1.0" --tty

say "Pulled there, the lock file names the images where they are now."
imgpkg pull -b "$private/imported/greeter:1.0" -o "$work/pulled" --tty
printf '$ cat pulled/.imgpkg/images.yml\n'
cat "$work/pulled/.imgpkg/images.yml"

say "The same bundle image as a file, without any registry; pushed later, it has the same digest."
imgpkg save -f "$work/greeter" -b greeter:1.0 --to-tar "$work/saved.tar" --tty
imgpkg push --tar "$work/saved.tar" --to-repo "$private/saved/greeter" --tty
pushed="$("$imgpkg_binary" tag resolve -i "$public/apps/greeter:1.0")"
saved="$("$imgpkg_binary" tag resolve -i "$private/saved/greeter:1.0")"
if [ "${pushed#*@}" != "${saved#*@}" ]; then
  echo "the digests differ: $pushed and $saved" >&2
  exit 1
fi
say "Both are ${pushed#*@}."
