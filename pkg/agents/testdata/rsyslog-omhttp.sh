#!/bin/sh
# rsyslog-omhttp.sh DIR: puts Debian's rsyslog into DIR, without installing it, and builds its omhttp, which Debian's package leaves out,
# from Debian's source of the same version. Needs deb-src only for this; the system's sources stay as they are.
set -eu
out=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p sources lists/partial
# The security suite fixes the package, and omhttp is the same in both; not every mirror has that suite's sources.
for f in /etc/apt/sources.list.d/*.sources; do
  [ -e "$f" ] && sed '/^#/d; s/^Types:.*/Types: deb-src/' "$f" | awk 'BEGIN { RS = ""; ORS = "\n\n" } !/-security/' >"sources/$(basename "$f")"
done
if [ -e /etc/apt/sources.list ]; then
  sed -n '/-security/d; s/^deb /deb-src /p' /etc/apt/sources.list >sources/main.list
fi
set -- -qq -o Dir::Etc::SourceParts="$work/sources" -o Dir::Etc::SourceList=/dev/null -o Dir::State::Lists="$work/lists" -o APT::Sandbox::User=root
apt-get "$@" update
apt-get "$@" --download-only source rsyslog
apt-get -qq -o APT::Sandbox::User=root download rsyslog
dpkg-source -x rsyslog_*.dsc source >/dev/null 2>&1
dpkg -x rsyslog_*.deb root
cd source
./configure --quiet --enable-omhttp --disable-libgcrypt --disable-klog --disable-generate-man-pages --disable-default-tests --disable-liblogging-stdlog --prefix=/usr
make -C contrib/omhttp
package=$(dpkg-deb -f "$work"/rsyslog_*.deb Version) source=$(dpkg-parsechangelog -S Version)
if [ "${package%%-*}" != "${source%%-*}" ]; then
  echo "the source is $source, the package $package" >&2
  exit 1
fi
cp contrib/omhttp/.libs/omhttp.so "$(dirname "$(find "$work/root" -name imfile.so)")/"
rm -rf "$out"
mkdir -p "$(dirname "$out")"
cp -r "$work/root" "$out"
