#!/bin/sh
# pack.sh FOLDER packs the capture scenarios in FOLDER into captures/*.tar.gz
# beside this script, and copies truth.json. The archives are reproducible:
# sorted, without times and owners. Times in names lose their colons, which
# break go:embed, Go module zips and Windows. Needs GNU tar and gzip.
#
# Scenarios in $thin are large: of their debug=1 and debug=2 only every third
# sample and the last are kept.
set -eu
export LC_ALL=C

from=${1:?usage: pack.sh FOLDER}
to=$(cd "$(dirname "$0")" && pwd)/captures
thin="v0.35.1-healthy v0.35.1-risingload-noleak v0.36.0-slowstore-lazy v0.36.1-slowstore-eager"

# members prints the files of a scenario that are packed.
members() {
	case " $thin " in
	*" $1 "*) ;;
	*)
		find "$1" -type f ! -name '*-summary.csv'
		return
		;;
	esac
	for process in $(find "$1" -mindepth 1 -type d); do
		find "$process" -type f ! -name '*.debug[12].txt*'
		find "$process" -type f -name '*.debug[12].txt*' | sort |
			awk '{ stem = $0; sub(/\.debug[12].*/, "", stem); if (stem != last) { n++; last = stem } file[n] = file[n] $0 "\n" }
			     END { for (i = 1; i <= n; i++) if (i % 3 == 1 || i == n) printf "%s", file[i] }'
	done
}

mkdir -p "$to"
rm -f "$to"/*.tar.gz
cd "$from"
for scenario in */; do
	scenario=${scenario%/}
	members "$scenario" | sort |
		tar --create --no-recursion --files-from=- --format=ustar --mtime=@0 --mode=0644 --owner=0 --group=0 --numeric-owner \
			--transform='s/\([0-9]\{4\}\)-\([0-9][0-9]\)-\([0-9][0-9]\)T\([0-9][0-9]\):\([0-9][0-9]\):\([0-9][0-9]\)Z/\1\2\3T\4\5\6Z/' |
		gzip -n -9 >"$to/$scenario.tar.gz"
done
cp truth.json "$to/truth.json"
chmod 0644 "$to/truth.json"
