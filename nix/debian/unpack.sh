#!/bin/sh
# Unpack one .deb ($package, $packageName) into $out, without the paths in $drop (one glob a line).
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu

unpack_tar() {
    case $1 in
        *.xz) unxz -c "$1" | tar -x -C "$2" ;;
        *.gz) gunzip -c "$1" | tar -x -C "$2" ;;
        *.tar) tar -x -C "$2" -f "$1" ;;
        *) echo "the package $packageName has $1, whose compression is unknown" >&2; exit 1 ;;
    esac
}

mkdir parts control "$out"
cd parts
ar x "$package"
unpack_tar data.tar* "$out"
unpack_tar control.tar* ../control
cd ..
chmod -R u+w "$out"

# usr-merge: what a package puts under /lib, /bin or /sbin belongs under /usr.
for top in bin sbin lib lib32 lib64 libx32; do
    if [ -d "$out/$top" ] && [ ! -L "$out/$top" ]; then
        mkdir -p "$out/usr/$top"
        cp -RP "$out/$top/." "$out/usr/$top/"
        rm -rf "${out:?}/$top"
    fi
    rm -f "$out/$top"
done

cd "$out"
printf '%s\n' "$drop" | while read -r glob; do
    [ -n "$glob" ] || continue
    # shellcheck disable=SC2086  # the glob must expand
    rm -rf -- $glob
done

# Of the documentation only the copyright stays: scanners read licences from it.
if [ -d usr/share/doc ]; then
    find usr/share/doc ! -type d ! -name copyright -exec rm -f {} +
fi
find . -depth -type d -exec rmdir {} + 2>/dev/null || true
mkdir -p "$out"

# deb(5) control file as it is; md5sums of what is really shipped, so that scanners see no
# half-installed package.
status=$out/var/lib/dpkg/status.d
mkdir -p "$status"
cp "$OLDPWD/control/control" "$status/$packageName"
sums=$OLDPWD/control/md5sums
if [ -f "$sums" ]; then
    while read -r sum path; do
        [ -f "$out/$path" ] && printf '%s  %s\n' "$sum" "$path"
    done <"$sums" >"$status/$packageName.md5sums" || true
    [ -s "$status/$packageName.md5sums" ] || rm "$status/$packageName.md5sums"
fi
chmod -R u+w,a+rX "$out"
