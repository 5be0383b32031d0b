#!/usr/bin/env bash
# What PyPI cannot give: a Chromium for the browser tests, Pango, which sets the text of letters, and for tests alone R,
# in which a stranger draws an allocation again, and OpenSSL, which plays an authority that stamps the time. Installed
# with the system's package manager where that is allowed; otherwise one line says what to run.
set -u
missing=()
command -v chromium >/dev/null 2>&1 || missing+=(chromium)
.venv/bin/python -c "import weasyprint.text.ffi" >/dev/null 2>&1 ||
    missing+=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)
Rscript --vanilla -e 'stopifnot(requireNamespace("digest"), requireNamespace("jsonlite"))' >/dev/null 2>&1 ||
    missing+=(r-base-core r-cran-digest r-cran-jsonlite)
command -v openssl >/dev/null 2>&1 || missing+=(openssl)
[ ${#missing[@]} = 0 ] && exit 0
install_line="apt-get update && apt-get install --yes --no-install-recommends ${missing[*]}"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing ${missing[*]}"
    log=$(mktemp)
    if (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${missing[@]}") >"$log" 2>&1; then
        exit 0
    fi
    tail -n 5 "$log"
fi
echo "Missing: ${missing[*]}. Without Chromium 'make test' fails (or run 'NO_BROWSER=1 make test'); without Pango no letter"
echo "is printed; without R and OpenSSL some tests fail. To install what is missing, run:"
echo "    sudo sh -c '$install_line'"
exit 0
