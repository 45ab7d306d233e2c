# Links from every applet's name to busybox.
set -eu
# shellcheck disable=SC2154  # busybox and out come from the derivation
"$busybox" mkdir -p "$out/bin"
for applet in $("$busybox" --list); do
    "$busybox" ln -s "$busybox" "$out/bin/$applet"
done
