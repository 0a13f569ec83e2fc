package main

import "runtime"

// What the process says of itself: a querier of Thanos v0.35.1 behind another
// querier. Values that hold the word "canary" are secrets, labels and
// addresses that no tool has any business to store or show.
var (
	buildInfo = `{"status":"success","data":{"version":"0.35.1","revision":"086a698b2195adb6f3463ebbd032e780f39d2050",` +
		`"branch":"HEAD","buildUser":"canary-user@lab","buildDate":"20240528-12:54:40","goVersion":"` + runtime.Version() + `"}}` + "\n"

	flags = `{"status":"success","data":{` +
		`"alertmanagers.config":"password: canary-alertmanagers",` +
		`"grpc-address":"127.0.0.1:10901",` +
		`"grpc.proxy-strategy":"eager",` +
		`"http.config":"canary-http",` +
		`"objstore.config":"type: S3\nconfig:\n  secret_key: canary-objstore",` +
		`"query.max-concurrent":"20",` +
		`"query.promql-engine":"prometheus",` +
		`"query.timeout":"1s",` +
		`"store.response-timeout":"2s",` +
		`"web.route-prefix":""}}` + "\n"

	stores = `{"status":"success","data":{` +
		`"query":[{"name":"127.0.0.1:10911","lastCheck":"2026-11-22T06:43:41Z","lastError":null,` +
		`"labelSets":[{"tenant":"canary-tenant"}],"minTime":0,"maxTime":9223372036854775807}],` +
		`"sidecar":[{"name":"127.0.0.1:10921","lastCheck":"2026-11-22T06:43:41Z","lastError":"dial tcp 127.0.0.1:10921: connect: connection refused",` +
		`"labelSets":[],"minTime":0,"maxTime":0}]}}` + "\n"
)
