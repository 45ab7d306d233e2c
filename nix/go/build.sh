#!/bin/sh
# Build the Go package $package from vendored modules into $out/bin.
# Variables come from the derivation.
# shellcheck disable=SC2154
set -eu
mkdir module
cp "$modules/go.mod" "$modules/go.sum" module/
ln -s "$vendor" module/vendor
[ -z "$own" ] || cp -r "$own" "module/$folder"
cd module
mkdir -p "$out/bin"
export HOME="$NIX_BUILD_TOP" GOCACHE="$NIX_BUILD_TOP/cache" GOPATH="$NIX_BUILD_TOP/path"
export GOROOT="$toolchain/usr/lib/go-1.24" CGO_ENABLED=0 GOTOOLCHAIN=local GOPROXY=off
"$GOROOT/bin/go" build -mod=vendor -trimpath -buildvcs=false -ldflags='-s -w -buildid=' \
    -o "$out/bin/" "$package"
