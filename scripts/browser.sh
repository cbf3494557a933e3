#!/bin/sh
# Chromium for the tests of the report's page (tests/browser): installed where root may, otherwise said how.
# Without it these tests are skipped; with CI=true the skip is a failure.
for name in chromium chromium-browser google-chrome chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
[ -n "${SIMGAUGE_TEST_BROWSER:-}" ] && exit 0

say() { echo "tests/browser needs Chromium: $*" >&2; }
if ! command -v apt-get >/dev/null 2>&1; then
  say "install it, or set SIMGAUGE_TEST_BROWSER=/path/to/it."
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  say "apt-get install --no-install-recommends chromium (as root), or set SIMGAUGE_TEST_BROWSER=/path/to/it."
  exit 0
fi
for attempt in 1 2; do
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null \
    && exit 0
  [ "$attempt" = 1 ] && sleep 10
done
say "apt-get could not install it (see above). Install chromium by hand, or set SIMGAUGE_TEST_BROWSER=/path/to/it."
exit 0
