#!/usr/bin/env bash
# What PyPI cannot give: a Chromium for the browser tests. Installed with the system's package manager where
# that is allowed; otherwise one line says what to run.
set -u
command -v chromium >/dev/null 2>&1 && exit 0
install_line="apt-get update && apt-get install --yes --no-install-recommends chromium"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests"
    log=$(mktemp)
    if (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends chromium) >"$log" 2>&1; then
        exit 0
    fi
    tail -n 5 "$log"
fi
echo "Chromium is missing: 'make test' will fail without it (or run 'NO_BROWSER=1 make test'). To install it, run:"
echo "    sudo sh -c '$install_line'"
exit 0
