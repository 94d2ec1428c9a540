#!/bin/bash
# Installs what is measured against, where we may (root on Debian); else the benchmarks that need it say so.
set -eu
missing=()
command -v Orthanc >/dev/null || missing+=(orthanc)
ls /usr/share/orthanc/plugins/libOrthancGdcm.so >/dev/null 2>&1 || missing+=(orthanc-gdcm)
[ ${#missing[@]} = 0 ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed: ${missing[*]} (what is measured against it is left out)"
    exit 0
fi
echo "installing ${missing[*]}"
apt-get update -qq
# RUNLEVEL=1: the package's own service is not started; the benchmark starts its peer itself.
DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
