package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// duration is a flag in Prometheus' notation ("90s", "7d"), or Go's.
type duration time.Duration

func (d *duration) String() string { return time.Duration(*d).String() }
func (d *duration) Type() string   { return "DURATION" }

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
