module github.com/thanosleak/thanosleak/testdata/bench

go 1.26.0

replace github.com/thanosleak/thanosleak => ../..

require (
	github.com/DataDog/gostackparse v0.7.0
	github.com/google/pprof v0.0.0-20261016150608-1facf8f91b50
	github.com/maruel/panicparse/v2 v2.5.0
	github.com/thanosleak/thanosleak v0.0.0-00010101000000-000000000000
)

require (
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.1 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
