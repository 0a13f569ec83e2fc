#!/usr/bin/env bash
# Writes the panic of ../crashes/panic.txt as log collectors write it, a file
# for each form.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# each FORM PROGRAM: the awk program prints what stands in place of line.
each() {
	awk '
	function time(   n) {
		n = sprintf("%09d", 123000000 + NR * 1010)
		sub(/0+$/, "", n)
		return "2026-11-22T06:45:22." n "Z"
	}
	function json(s) { gsub(/\\/, "\\\\&", s); gsub(/"/, "\\\\&", s); gsub(/\t/, "\\t", s); return s }
	{ line = $0 }
	'"$2" ../crashes/panic.txt >"$1.txt"
}

each kubectl-timestamps '{ print time() " " line }'
each kubectl-prefix '{ print "[pod/thanos-query-0/thanos] " line }'
each kubectl-prefix-timestamps '{ print "[pod/thanos-query-0/thanos] " time() " " line }'
each cri '{ print time() " stderr F " line }'
each cri-stripped '{ l = time() " stderr F " line; sub(/ +$/, "", l); print l }'
each cri-partial 'length(line) < 40 { print time() " stderr F " line; next } { print time() " stderr P " substr(line, 1, 20); print "2026-11-22T06:45:23Z stdout F level=info msg=other"; print time() " stderr F " substr(line, 21) }'
each cri-kubectl-prefix '{ print "thanos-query-0 thanos " time() " stderr F " line }'
each docker-json-file '{ print "{\"log\":\"" json(line) "\\n\",\"stream\":\"stderr\",\"time\":\"" time() "\"}" }'
each docker-json-file-partial 'length(line) < 40 { print "{\"log\":\"" json(line) "\\n\",\"stream\":\"stderr\",\"time\":\"" time() "\"}"; next } { print "{\"log\":\"" json(substr(line, 1, 20)) "\",\"stream\":\"stderr\",\"time\":\"" time() "\"}"; print "{\"log\":\"" json(substr(line, 21)) "\\n\",\"stream\":\"stderr\",\"time\":\"" time() "\"}" }'
each docker-compose '{ print "thanos-query-1    | " line }'
each docker-compose-timestamps '{ print "thanos-query-1    | " time() " " line }'
each stern '{ print "thanos-query-0 thanos " line }'
each stern-timestamps '{ print "thanos-query-0 thanos " time() " " line }'
each journald 'line != "" { gsub(/\t/, "        ", line); print "Nov  9 06:45:2" NR % 10 " host thanos[123]: " line }'
each journald-iso 'line != "" { print "2026-11-22T06:45:2" NR % 10 "+0100 host thanos[123]: " line }'
each journald-json '{ print "{\"__CURSOR\":\"s=a1b2;i=" NR "\",\"__REALTIME_TIMESTAMP\":\"17637939221" 23456 + NR "\",\"MESSAGE\":\"" json(line) "\",\"_PID\":\"123\"}" }'
each syslog-redacted '{ print "Nov 22 06:45:2" NR % 10 " : " line }'
each json-lines '{ print "{\"timestamp\":\"" time() "\",\"message\":\"" json(line) "\",\"pod\":\"thanos-query-0\"}" }'
each github-actions '{ print "2026-11-22T06:45:22." sprintf("%07d", NR * 101) "Z " line }'
each log-printf 'NR == 1 { print "2026/11/22 06:45:22 stacks follow"; next } /^goroutine 1 / { print "2026/11/22 06:45:22 " line; next } { print line }'
each embedded-logfmt 'NR == 1 { printf "%s", "ts=2026-11-22T06:45:22.123Z caller=http.go:12 level=error msg=\"recovered\" stack=\"" } { printf "%s", json(line) "\\n" } END { print "\" component=query" }'
each embedded-json 'NR == 1 { printf "%s", "{\"level\":\"error\",\"stack\":\"" } { printf "%s", json(line) "\\n" } END { print "\",\"component\":\"query\"}" }'
each embedded-logfmt-in-docker-json 'NR == 1 { printf "%s", "{\"log\":\"level=error stack=\\\"" } { printf "%s", json(json(line) "\\n") } END { print "\\\"\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-22T06:45:22Z\"}" }'
