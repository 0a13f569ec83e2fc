package classify

import (
	"math"
	"math/rand/v2"
)

// Simulated processes are what the decision about unknown growth is measured
// on. All times in a simulation are hours since its first look, all rates are
// per hour.

// simMoment is what the goroutines of a simulated process hang on at one instant.
type simMoment struct {
	at       float64 // hours since the first look
	uptime   float64 // hours since the process was started
	inFlight float64 // requests in flight to be expected, noise of the load in it
	release  int     // number of the start, from 0
}

// simLoad is how many requests are in flight on average over time.
type simLoad struct {
	mean      float64 // over a day, in flight
	amplitude float64 // of the day, as a share of the mean
	phase     float64 // hours by which the day is shifted
	weekend   float64 // factor on two days of seven; 1 for none
	monday    float64 // hours from Monday, 0:00, to the first look
	weekly    float64 // growth a week, as a share
	changes   []loadChange
}

// A loadChange is a step or a burst: the load times a factor for a time. Of several
// that hold at once the last that began counts.
type loadChange struct{ from, to, factor float64 }

// at returns the requests in flight, without noise.
func (c *simLoad) at(h float64) float64 {
	day := 2 * math.Pi * (h - c.phase) / 24
	v := c.mean * (1 + c.amplitude*(math.Sin(day)+0.25*math.Sin(2*day))/1.1)
	v *= 1 - (1-c.weekend)*weekendness(math.Mod(c.monday+h, hoursAWeek))
	v *= 1 + c.weekly*h/hoursAWeek
	factor := 1.0
	for _, ch := range c.changes {
		if ch.from > h {
			break
		}
		if h < ch.to {
			factor = ch.factor
		}
	}
	return max(v*factor, 0.02*c.mean)
}

// hoursAWeek is the hours of a week.
const hoursAWeek = 7 * 24

// weekendness is 0 on weekdays and 1 at weekends, of which it takes six hours
// to come and to go. It is given the hours since Monday.
func weekendness(h float64) float64 {
	const friday, ramp = 5 * 24, 6
	return min(max((h-friday)/ramp, 0), 1) * min((hoursAWeek-h)/ramp, 1)
}

// simNoise is noise that wanders about 0 and forgets its past (an
// Ornstein–Uhlenbeck process).
type simNoise struct {
	sd     float64
	memory float64 // hours in which it forgets all but 1/e
	now    float64
}

// step moves the noise on by dt hours and returns the factor exp(noise).
func (d *simNoise) step(rng *rand.Rand, dt float64) float64 {
	if d.sd == 0 {
		return 1
	}
	keep := math.Exp(-dt / d.memory)
	d.now = keep*d.now + d.sd*math.Sqrt(1-keep*keep)*rng.NormFloat64()
	return math.Exp(d.now)
}

// uniform draws a number between two.
func uniform(rng *rand.Rand, from, to float64) float64 { return from + (to-from)*rng.Float64() }

// logUniform draws a number between two whose logarithm is evenly spread.
func logUniform(rng *rand.Rand, from, to float64) float64 {
	return from * math.Pow(to/from, rng.Float64())
}

// poisson draws a number of events of which mean are to be expected. Many are
// drawn from the normal distribution.
func poisson(rng *rand.Rand, mean float64) int {
	if mean > 60 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	n, limit := 0, math.Exp(-mean)
	for product := rng.Float64(); product > limit; product *= rng.Float64() {
		n++
	}
	return n
}

// binomial draws how many of n are left if each stays by the given chance.
func binomial(rng *rand.Rand, n int, chance float64) int {
	mean := float64(n) * chance
	if spread := mean * (1 - chance); spread > 30 {
		left := int(math.Round(mean + math.Sqrt(spread)*rng.NormFloat64()))
		return min(max(left, 0), n)
	}
	if mean < 1e-6 {
		return 0
	}
	left := 0
	for range n {
		if rng.Float64() < chance {
			left++
		}
	}
	return left
}
