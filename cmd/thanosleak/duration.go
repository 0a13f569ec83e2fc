package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// duration is a flag in Prometheus' notation ("90s", "7d"), or Go's.
type duration time.Duration

// String writes it as it would be typed: "7d", "1m30s".
func (d *duration) String() string {
	const day = 24 * time.Hour
	switch v := time.Duration(*d); {
	case v > 0 && v%day == 0:
		return fmt.Sprintf("%dd", v/day) // Prometheus has weeks and years, too, which nobody types
	case v%time.Millisecond == 0:
		return model.Duration(v).String()
	default:
		return v.String()
	}
}

// typed writes a time as it would be typed.
func typed(d time.Duration) string {
	v := duration(d)
	return v.String()
}

func (d *duration) Type() string { return "DURATION" }

func (d *duration) Set(s string) error {
	if p, err := model.ParseDuration(s); err == nil {
		*d = duration(p)
		return nil
	}
	g, err := time.ParseDuration(s)
	if err != nil || g < 0 {
		if _, err := strconv.Atoi(s); err == nil {
			return fmt.Errorf("%q has no unit: %ss for seconds, %sm for minutes", s, s, s)
		}
		return fmt.Errorf("%q is not a duration such as 15s, 1m30s or 7d", s)
	}
	*d = duration(g)
	return nil
}
