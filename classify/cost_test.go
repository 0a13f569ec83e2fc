package classify

import (
	"math"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// memoryOf is the memory of a sample in KiB; what is negative is not on its
// page.
type memoryOf struct{ stack, heap float64 }

// withMemory makes a sample of each; limit is that of the runtime, 0 for none
// on the page.
func withMemory(limit float64, memory ...memoryOf) []profile.Sample {
	samples := make([]profile.Sample, len(memory))
	for i, m := range memory {
		page := profile.Metrics{}
		for family, v := range map[string]float64{stackInUse: m.stack * 1024, heapInUse: m.heap * 1024, memLimit: limit} {
			if v > 0 || math.IsNaN(v) {
				page[family] = []profile.Value{{Value: v}}
			}
		}
		samples[i] = profile.Sample{Time: start.Add(time.Duration(i) * time.Minute), Metrics: page}
	}
	return samples
}

// costly is memory that follows culprits by so many KiB each, over what the
// process has anyway.
func costly(culprits []float64, stack, heap float64) []memoryOf {
	m := make([]memoryOf, len(culprits))
	for i, c := range culprits {
		m[i] = memoryOf{stack: 1024 + stack*c, heap: 10*1024 + heap*c}
	}
	return m
}

func TestCost(t *testing.T) {
	const gib = 1 << 30
	leak := []float64{0, 8, 28, 48, 64, 96, 120, 144}
	up := func(f float64) *float64 { return &f }
	// Heap that goes up and down whatever the culprits do, and stacks that do.
	sawtooth, restless := costly(leak, 38, 20), costly(leak, 38, 100)
	for i := range sawtooth {
		sawtooth[i].heap += 20 * 1024 * float64(i%2)
		restless[i].stack += 20 * 1024 * float64(i%2)
	}
	// Heap that falls, but for one sample that makes up a correlation.
	jump := []float64{10, 12, 14, 16, 18, 20, 22, 144}
	falling := costly(jump, 38, -1)
	falling[7].heap += 64 * 1024
	// Culprits that are freed: time goes on, they go back.
	freed := []float64{144, 144, 120, 96, 64, 48, 28, 8}
	outlier := costly(leak, 38, -1)
	outlier[3].stack += 3000
	holes := costly(leak, 38, 100)
	holes[1], holes[7] = memoryOf{}, memoryOf{}

	tests := []struct {
		name     string
		memory   []memoryOf
		culprits []float64
		own      float64 // limit that the runtime tells
		given    int64   // limit
		perHour  *float64
		text     string
	}{
		{"stacks and heap", costly(leak, 38, 100), leak, 0, 0, nil,
			"each holds up to 138 KiB (38 KiB of it stacks, the rest heap that rose with them), 19 MiB in all now"},
		{"heap that does not follow", sawtooth, leak, 0, 0, nil,
			"each holds about 38 KiB (stacks alone), 5.3 MiB in all now"},
		{"heap that falls but once", falling, jump, 0, 0, nil,
			"each holds about 38 KiB (stacks alone), 5.3 MiB in all now"},
		{"no heap on the page", costly(leak, 38, -20_000), leak, 0, 2 * gib, up(60),
			"each holds about 38 KiB (stacks alone), 5.3 MiB in all now"},
		{"an outlier", outlier, leak, 0, 0, nil,
			"each holds about 38 KiB (stacks alone), 5.3 MiB in all now"},
		{"culprits that are freed", costly(freed, 38, 0), freed, 0, 0, nil,
			"each holds about 38 KiB (stacks alone), 304 KiB in all now"},
		{"samples without metrics", holes, leak, 0, 0, nil,
			"each holds up to 138 KiB (38 KiB of it stacks, the rest heap that rose with them), 19 MiB in all now"},
		{"five samples", costly(leak[:5], 38, 100), leak[:5], 0, 0, nil, ""},
		{"six samples, one without metrics", append(costly(leak[:5], 38, 100), memoryOf{}), leak[:6], 0, 0, nil, ""},
		{"culprits that hardly move", costly([]float64{0, 2, 4, 6, 8, 9}, 38, 100), []float64{0, 2, 4, 6, 8, 9}, 0, 0, nil, ""},
		{"ten of them", costly([]float64{0, 2, 4, 6, 8, 10}, 38, 0), []float64{0, 2, 4, 6, 8, 10}, 0, 0, nil,
			"each holds about 38 KiB (stacks alone), 380 KiB in all now"},
		{"stacks that fall", costly(leak, -5, 100), leak, 0, 0, nil, ""},
		{"stacks that do not follow", restless, leak, 0, 0, nil, ""},
		{"no number", []memoryOf{{math.NaN(), 9}, {9, 9}, {9, 9}, {9, 9}, {9, 9}, {9, 9}, {9, 9}, {9, 9}}, leak, 0, 0, nil, ""},
		{"more than any goroutine holds", costly(leak, 1e9, 0), leak, 0, 0, nil, ""},

		{"no limit set", costly(leak, 28, 100), leak, 9.223372036854776e+18, 0, up(60),
			"each holds up to 128 KiB (28 KiB of it stacks, the rest heap that rose with them), 18 MiB in all now"},
		// (2 GiB - 11 MiB - 144 × 128 KiB) / 128 KiB = 16152
		{"the runtime's limit", costly(leak, 28, 100), leak, 2 * gib, 0, nil,
			"each holds up to 128 KiB (28 KiB of it stacks, the rest heap that rose with them), 18 MiB in all now; at least 16000 more until the limit of 2.0 GiB"},
		// (1 GiB - 29 MiB) / 128 KiB = 7960
		{"the given limit wins", costly(leak, 28, 100), leak, 2 * gib, gib, up(120),
			"each holds up to 128 KiB (28 KiB of it stacks, the rest heap that rose with them), 18 MiB in all now; at least 7900 more, no sooner than in 2d18h at this rate, until the limit of 1.0 GiB"},
		{"it goes fast", costly(leak, 28, 100), leak, 0, 30 << 20, up(36_000),
			"each holds up to 128 KiB (28 KiB of it stacks, the rest heap that rose with them), 18 MiB in all now; at least 8 more, no sooner than in 1m at this rate, until the limit of 30 MiB"},
		{"no rate", costly(leak, 28, 100), leak, 0, gib, up(0),
			"each holds up to 128 KiB (28 KiB of it stacks, the rest heap that rose with them), 18 MiB in all now; at least 7900 more until the limit of 1.0 GiB"},
		{"a rate below none", costly(leak, 28, 100), leak, 0, gib, up(-60),
			"each holds up to 128 KiB (28 KiB of it stacks, the rest heap that rose with them), 18 MiB in all now; at least 7900 more until the limit of 1.0 GiB"},
		{"in many years", costly(leak, 28, 100), leak, 0, gib, up(1e-9),
			"each holds up to 128 KiB (28 KiB of it stacks, the rest heap that rose with them), 18 MiB in all now; at least 7900 more until the limit of 1.0 GiB"},
		{"above the limit", costly(leak, 28, 100), leak, 0, 20 << 20, up(60),
			"each holds up to 128 KiB (28 KiB of it stacks, the rest heap that rose with them), 18 MiB in all now; the limit of 20 MiB is reached"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := costOf(withMemory(tt.own, tt.memory...), tt.culprits, tt.perHour, tt.given).text(); got != tt.text {
				t.Errorf("got  %q\nwant %q", got, tt.text)
			}
		})
	}
}

func TestCostFields(t *testing.T) {
	leak := []float64{0, 8, 28, 48, 64, 96, 120, 144}
	rate := 3980.0
	samples := withMemory(0, costly(leak, 28, 100)...)
	c := costOf(samples, leak, &rate, 1<<30)
	if c == nil || c.until == nil || c.time == nil {
		t.Fatalf("%+v, want all of it", c)
	}
	got := []int64{c.perLeak, c.stackPerLeak, c.retained, c.limit, *c.until, int64(*c.time)}
	want := []int64{128 << 10, 28 << 10, 144 * 128 << 10, 1 << 30, 7960, int64(2 * time.Hour)}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
}

// TestPeakInUse looks at 8 samples: the newest third are two of them.
func TestPeakInUse(t *testing.T) {
	tests := []struct {
		name   string
		newest []memoryOf
		want   int64 // KiB
	}{
		{"the last", []memoryOf{{90, 900}, {1, 10}, {2, 20}}, 22},
		{"the last but one", []memoryOf{{90, 900}, {2, 20}, {1, 10}}, 22},
		{"one is not told", []memoryOf{{90, 900}, {90, -1}, {1, 10}}, 11},
		{"none is told", []memoryOf{{90, 900}, {90, -1}, {-1, 10}}, 0},
		{"endless", []memoryOf{{90, 900}, {1, 1e30}, {1, 10}}, 0},
	}
	for _, tt := range tests {
		samples := withMemory(0, append(make([]memoryOf, 5), tt.newest...)...)
		if got := peakInUse(samples); got != tt.want<<10 {
			t.Errorf("%s: %d bytes, want %d KiB", tt.name, got, tt.want)
		}
	}
	if got := peakInUse(withMemory(0, memoryOf{1, 10})); got != 11<<10 {
		t.Errorf("of one sample: %d bytes, want 11 KiB", got)
	}
}

func TestByteSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 38 << 10: "38 KiB", 9<<10 + 512: "9.5 KiB", 10<<10 - 1: "10 KiB",
		1<<20 - 1: "1.0 MiB", 1023 << 10: "1023 KiB", 5<<20 + 4<<17: "5.5 MiB", 2 << 30: "2.0 GiB", 3 << 40: "3.0 TiB", 1 << 52: "4096 TiB",
	} {
		if got := byteSize(n); got != want {
			t.Errorf("byteSize(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestTwoDigits(t *testing.T) {
	for n, want := range map[int64]int64{0: 0, 7: 7, 99: 99, 100: 100, 11_999: 11_000, 989: 980} {
		if got := twoDigits(n); got != want {
			t.Errorf("twoDigits(%d) = %d, want %d", n, got, want)
		}
	}
}
