# The links of the merged /usr that Debian's installer makes.
set -eu
# shellcheck disable=SC2154  # out comes from the derivation
mkdir "$out"
for top in bin sbin lib lib64; do
    ln -s "usr/$top" "$out/$top"
done
