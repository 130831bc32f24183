#!/usr/bin/env bash
# Puts promtool and prometheus into a folder, unless they are on this machine: out of Debian's package, which is not
# installed, so that nothing is started. Without a way to get them it says so; what needs them is skipped then.
set -euo pipefail
folder=$1
command -v promtool >/dev/null && command -v prometheus >/dev/null && exit 0
test -x "$folder/promtool" && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
get() { apt-get download -qq -o APT::Sandbox::User=root prometheus; }
if command -v apt-get >/dev/null && { get || { test "$(id -u)" = 0 && apt-get update -qq && get; }; } >/dev/null 2>&1; then
    dpkg-deb -x prometheus_*.deb . && install -t "$OLDPWD/$folder" usr/bin/promtool usr/bin/prometheus
else
    echo "goes on without promtool, which tries rules and dashboards; Debian and Ubuntu have it in their package prometheus" >&2
fi
