package report

import "github.com/thanosleak/thanosleak/classify"

// sparkBars are the heights of a sparkline, lowest first.
var sparkBars = []rune("▁▂▃▄▅▆▇█")

// sparkWidth is the largest number of bars of a sparkline.
const sparkWidth = 24

// sparkline draws the totals of a target, from 0 to their maximum. Many samples
// share a bar, which shows the largest. A space stands before a bar with
// restarts.
func sparkline(totals []classify.Total) string {
	top := 1
	for _, t := range totals {
		top = max(top, t.Goroutines)
	}
	var bars []rune
	n := min(len(totals), sparkWidth)
	life := 0
	for i := range n {
		height, restarted := 0, false
		for _, t := range totals[i*len(totals)/n : max((i+1)*len(totals)/n, i*len(totals)/n+1)] {
			height = max(height, t.Goroutines)
			if t.Life != life {
				life, restarted = t.Life, true
			}
		}
		if restarted {
			bars = append(bars, ' ')
		}
		bars = append(bars, sparkBars[height*(len(sparkBars)-1)/top])
	}
	return string(bars)
}
