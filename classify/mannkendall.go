package classify

import (
	"math"
	"slices"
)

// exactLimit is the number of values up to which the Mann–Kendall test is
// exact. Above it the normal approximation differs by less than 0.001 at the
// p-values that decide.
const exactLimit = 40

// mannKendall returns the one-sided p-value of the Mann–Kendall test for a
// rising trend: the probability that values in random order rise as much as
// these. 1 says that they do not rise at all. Ties are taken into account in
// full: the distribution is that of the permutations of these very values.
func mannKendall(values []float64) float64 {
	falls, pairs := 0, 0
	for i := range values {
		for j := i + 1; j < len(values); j++ {
			if values[i] != values[j] {
				pairs++
			}
			if values[i] > values[j] {
				falls++
			}
		}
	}
	if pairs == 0 {
		return 1
	}
	ties := tieSizes(values)
	if len(values) <= exactLimit {
		return exactP(ties, falls)
	}
	return normalP(len(values), ties, pairs-2*falls)
}

// tieSizes returns how often each distinct value occurs, in order of value.
func tieSizes(values []float64) []int {
	s := slices.Sorted(slices.Values(values))
	var sizes []int
	for i, v := range s {
		if i == 0 || v != s[i-1] {
			sizes = append(sizes, 0)
		}
		sizes[len(sizes)-1]++
	}
	return sizes
}

// exactP returns the probability that a random order of values with the given
// ties has at most falls pairs in falling order. The number of such pairs
// (inversions) of a multiset is distributed as the sum of independent
// Mann–Whitney statistics, one for each distinct value against all smaller
// ones.
func exactP(ties []int, falls int) float64 {
	dist := []float64{1}
	smaller := 0
	for _, size := range ties {
		dist = convolve(dist, mannWhitney(smaller, size), falls)
		smaller += size
	}
	p := 0.0
	for k := 0; k <= falls && k < len(dist); k++ {
		p += dist[k]
	}
	return min(p, 1)
}

// mannWhitney returns the distribution of the number of falling pairs between
// m values and n larger ones in random order: the coefficients of the Gaussian
// binomial of m+n over n, as probabilities. Built up by the rule that the last
// value is one of the n (no new falling pair) or one of the m (it falls below
// all n).
func mannWhitney(m, n int) []float64 {
	row := make([][]float64, n+1) // row[j]: i smaller and j larger values
	for j := range row {
		row[j] = []float64{1}
	}
	for i := 1; i <= m; i++ {
		next := make([][]float64, n+1)
		next[0] = []float64{1}
		for j := 1; j <= n; j++ {
			d := make([]float64, i*j+1)
			larger, smaller := float64(j)/float64(i+j), float64(i)/float64(i+j)
			for k, p := range next[j-1] {
				d[k] += larger * p
			}
			for k, p := range row[j] {
				d[k+j] += smaller * p
			}
			next[j] = d
		}
		row = next
	}
	return row[n]
}

// convolve returns the distribution of the sum of two independent numbers, up
// to limit.
func convolve(a, b []float64, limit int) []float64 {
	out := make([]float64, min(len(a)+len(b)-1, limit+1))
	for i, p := range a {
		for j, q := range b {
			if i+j < len(out) {
				out[i+j] += p * q
			}
		}
	}
	return out
}

// normalP approximates the test for many values, with the variance corrected
// for ties and for s being a whole number.
func normalP(n int, ties []int, s int) float64 {
	term := func(k int) float64 { return float64(k) * float64(k-1) * float64(2*k+5) }
	variance := term(n)
	for _, t := range ties {
		variance -= term(t)
	}
	z := (float64(s) - 1) / math.Sqrt(variance/18)
	return math.Erfc(z/math.Sqrt2) / 2
}
