package classify

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

const tiny = 1e-12

func near(a, b, most float64) bool { return math.Abs(a-b) <= most }

// falls counts the pairs that stand in falling order.
func falls(values []float64) int {
	n := 0
	for i := range values {
		for _, v := range values[i+1:] {
			if values[i] > v {
				n++
			}
		}
	}
	return n
}

// permute calls f with the values in every order.
func permute(values []float64, from int, f func([]float64)) {
	if from == len(values) {
		f(values)
		return
	}
	for i := from; i < len(values); i++ {
		values[from], values[i] = values[i], values[from]
		permute(values, from+1, f)
		values[from], values[i] = values[i], values[from]
	}
}

// TestMannKendallBruteForce compares every order of some values with the share
// of orders that rise as much.
func TestMannKendallBruteForce(t *testing.T) {
	for _, values := range [][]float64{
		{1, 2}, {1, 2, 3}, {1, 2, 3, 4}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6, 7},
		{1, 1, 2}, {1, 2, 2}, {1, 1, 2, 2}, {1, 1, 1, 2}, {1, 2, 2, 2}, {1, 2, 2, 3},
		{1, 1, 2, 2, 3, 3}, {0, 0, 0, 0, 9, 9}, {1, 1, 1, 2, 3, 4}, {1, 1, 1, 2, 2, 3, 3}, {1, 2, 2, 2, 2, 3, 4},
	} {
		t.Run(fmt.Sprint(values), func(t *testing.T) {
			orders := 0
			var atMost []int // orders by their number of falling pairs
			permute(slices.Clone(values), 0, func(v []float64) {
				orders++
				n := falls(v)
				for len(atMost) <= n {
					atMost = append(atMost, 0)
				}
				atMost[n]++
			})
			for i := 1; i < len(atMost); i++ {
				atMost[i] += atMost[i-1]
			}
			permute(slices.Clone(values), 0, func(v []float64) {
				want := float64(atMost[falls(v)]) / float64(orders)
				if got := mannKendall(v); !near(got, want, tiny) {
					t.Fatalf("%v: p = %v, want %v", v, got, want)
				}
			})
		})
	}
}

func TestMannKendallKnown(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"one value", []float64{7}, 1},
		{"nothing changes", []float64{5, 5, 5, 5, 5, 5}, 1},
		{"4 that rise", []float64{1, 2, 3, 4}, 1. / 24},
		{"5 that rise", []float64{1, 2, 3, 4, 5}, 1. / 120},
		{"6 that rise", []float64{10, 20, 30, 400, 5000, 5001}, 1. / 720},
		{"6 that rise but for one step", []float64{1, 2, 3, 4, 6, 5}, 6. / 720},
		{"6 that fall", []float64{6, 5, 4, 3, 2, 1}, 1},
		{"two values", []float64{1, 1, 1, 2, 2, 2}, 1. / 20},
		// Orders of 10 with so few inversions (Mahonian numbers, summed up); the
		// tables of Kendall's S have 0.014 and 0.023.
		{"10 with 10 pairs falling", []float64{4, 3, 2, 1, 7, 6, 5, 9, 8, 10}, 51909. / 3628800},
		{"10 with 11 pairs falling", []float64{4, 3, 2, 1, 7, 6, 5, 9, 10, 8}, 84592. / 3628800},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := mannKendall(tt.values); !near(got, tt.want, tiny) {
				t.Errorf("p = %v, want %v", got, tt.want)
			}
		})
	}
}

// TestMannKendallNormal compares the exact test with the approximation that
// takes over, at the length where it does.
func TestMannKendallNormal(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	decisive := 0
	for run := range 60 {
		values := make([]float64, exactLimit)
		slope := float64(run%12) / 8
		unit := []float64{1, 8, 20}[run%3] // few ties to very many
		for i := range values {
			values[i] = math.Round((slope*float64(i) + 20*rng.Float64()) / unit)
		}
		pairs := 0
		for i := range values {
			for _, v := range values[i+1:] {
				if v != values[i] {
					pairs++
				}
			}
		}
		exact := mannKendall(values)
		approximate := normalP(len(values), tieSizes(values), pairs-2*falls(values))
		if !near(exact, approximate, 0.003) {
			t.Errorf("exact %v, approximate %v", exact, approximate)
		}
		if exact < 0.01 && exact > 0.0001 {
			decisive++
			if !near(exact, approximate, 0.001) {
				t.Errorf("where it decides: exact %v, approximate %v", exact, approximate)
			}
		}
	}
	if decisive < 3 {
		t.Errorf("%d series with a p-value that decides: the test shows little", decisive)
	}
}

// A longer series of the same kind is not less sure on either side of the
// limit.
func TestMannKendallAroundLimit(t *testing.T) {
	for n := exactLimit - 2; n <= exactLimit+3; n++ {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(i)
		}
		if p := mannKendall(values); p < 0 || p > 1e-12 {
			t.Errorf("%d that rise: p = %v", n, p)
		}
		slices.Reverse(values)
		if p := mannKendall(values); p < 1-1e-9 || p > 1 {
			t.Errorf("%d that fall: p = %v", n, p)
		}
	}
}

func TestTieSizes(t *testing.T) {
	if got, want := tieSizes([]float64{3, 1, 3, 2, 3, 1}), []int{2, 1, 3}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Probabilities add up to 1, and the mean is half of the pairs.
func TestMannWhitney(t *testing.T) {
	for m := range 6 {
		for n := range 6 {
			sum, mean := 0.0, 0.0
			for k, p := range mannWhitney(m, n) {
				sum += p
				mean += float64(k) * p
			}
			if !near(sum, 1, tiny) || !near(mean, float64(m*n)/2, tiny) {
				t.Errorf("%d and %d: sum %v, mean %v", m, n, sum, mean)
			}
		}
	}
}
