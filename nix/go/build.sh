#!/bin/sh
# Build the Go package $package from vendored modules into $out/bin. A program of our own is put
# among them as a module of its own, so that it carries the version $version.
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
mkdir -p module/vendor "$out/bin"
cp "$modules/go.mod" "$modules/go.sum" module/
cd module
ln -s "$vendor"/* vendor/
if [ -n "$own" ]; then
    rm vendor/modules.txt
    {
        cat "$vendor/modules.txt"
        printf '# %s %s\n## explicit; %s\n%s\n' "$package" "$version" "$(grep '^go ' go.mod)" "$package"
    } >vendor/modules.txt
    mkdir -p "vendor/${package%/*}"
    cp -r "$own" "vendor/$package"
    chmod u+w go.mod
    printf '\nrequire %s %s\n' "$package" "$version" >>go.mod
fi
export HOME="$NIX_BUILD_TOP" GOCACHE="$NIX_BUILD_TOP/cache" GOPATH="$NIX_BUILD_TOP/path"
export GOROOT="$toolchain" CGO_ENABLED=0 GOTOOLCHAIN=local GOPROXY=off
"$GOROOT/bin/go" build -mod=vendor -trimpath -buildvcs=false -ldflags='-s -w -buildid=' \
    -o "$out/bin/" "$package"
