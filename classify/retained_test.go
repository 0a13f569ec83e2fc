package classify

import (
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

func TestRetained(t *testing.T) {
	rises := []float64{0, 0, 8, 18, 20, 26, 31, 34, 40, 44, 52, 52, 52, 52, 52}
	busy := load{5, 5, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0, 0, 0, 0}
	others := []float64{27, 27, 30, 36, 33, 41, 38, 29, 35, 41, 27, 27, 27, 27, 27}
	still := make([]float64, len(rises))
	for i := range still {
		still[i] = 27
	}
	steady := load{5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}
	falls := []float64{0, 0, 8, 18, 20, 26, 31, 34, 40, 44, 52, 30, 20, 10, 4}
	flat := []float64{50, 52, 50, 51, 52, 52, 51, 52, 52, 52, 52, 52, 52, 52, 52}
	dips := []float64{0, 0, 8, 18, 20, 26, 31, 10, 2, 44, 52, 52, 52, 52, 52}
	times := lifeOf(5*time.Second, make([]profile.Metrics, len(rises))...).times()
	for _, tt := range []struct {
		name           string
		counts, others []float64
		l              load
		want           retention
	}{
		{"the requests are over", rises, still, busy, retention{found: true, count: 52, over: 15 * time.Second, byLoad: true}},
		{"the requests are over, and the goroutines go", falls, still, busy, retention{}},
		{"the requests go on", rises, others, steady, retention{}},
		{"always as many", flat, still, busy, retention{}},
		{"no metrics: all others have gone", rises, others, nil, retention{found: true, count: 52, over: 20 * time.Second}},
		{"no metrics: it never falls", rises, still, nil, retention{found: true, count: 52, over: 20 * time.Second, resting: true}},
		{"no metrics: it falls on the way", dips, still, nil, retention{}},
		{"no metrics: the goroutines go", falls, others, nil, retention{}},
		{"too few samples", rises[:5], still[:5], nil, retention{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := DefaultThresholds().retained(times[:len(tt.counts)], tt.counts, tt.others, tt.l); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
