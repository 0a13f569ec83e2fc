package prometheus

import (
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/thanosleak/thanosleak/profile"
)

// replies is a server without a network: what it answers to queries over time,
// and to those at one.
type replies struct{ overTime, atEnd string }

// RoundTrip answers whatever is asked.
func (a replies) RoundTrip(r *http.Request) (*http.Response, error) {
	body := a.atEnd
	if strings.HasSuffix(r.URL.Path, "query_range") {
		body = a.overTime
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// FuzzAnswers checks that no answer of a server breaks the search for the past:
// points are oldest first and possible, no warning is unfit for a terminal or
// shows the password, and there is an error where there is nothing.
func FuzzAnswers(f *testing.F) {
	begin := now.Add(-5 * time.Hour)
	f.Add(matrix(`{"instance":"a:1","pod":"q-0"}`, 300, 5), vector(begin))
	f.Add(matrix(`{"instance":"c:1","version":"0.35.1"}`, math.NaN(), 3), vector(begin))
	f.Add(`{"status":"success","data":{"resultType":"matrix","result":[]},"warnings":["hunter2 \u001b[31m"]}`, vector(begin))
	f.Add(`{"status":"error","errorType":"execution","error":"hunter2\u0000"}`, `{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}`)
	base, err := url.Parse("http://ann:hunter2@prometheus:9090")
	if err != nil {
		f.Fatal(err)
	}
	targets := []profile.Target{scanned("a:1", begin), scanned("b:1", begin)}
	f.Fuzz(func(t *testing.T, overTime, atEnd string) {
		past, warnings, err := Fetch(t.Context(), base, targets, Options{Now: now, Transport: replies{overTime, atEnd}})
		if err != nil {
			if len(past) > 0 {
				t.Errorf("%v and error %v", past, err)
			}
			warnings = append(warnings, err.Error())
		}
		for _, w := range warnings {
			if strings.ContainsFunc(w, unicode.IsControl) || strings.Contains(w, "hunter2") {
				t.Errorf("%q is told", w)
			}
		}
		for name, p := range past {
			if name != "a:1" && name != "b:1" {
				t.Errorf("the past of %q", name)
			}
			checkPast(t, p)
		}
	})
}

// checkPast checks what the documentation of Past promises.
func checkPast(t *testing.T, p *profile.Past) {
	t.Helper()
	if len(p.Points) == 0 {
		t.Error("a past without a point")
	}
	for i, point := range p.Points {
		if point.Goroutines < 0 || i > 0 && !point.Time.After(p.Points[i-1].Time) {
			t.Errorf("point %d is %+v behind %+v", i, point, p.Points[max(i-1, 0)])
		}
	}
	for i, v := range p.Versions {
		if i > 0 && (v.Version == p.Versions[i-1].Version || v.Time.Before(p.Versions[i-1].Time)) {
			t.Errorf("version %+v behind %+v", v, p.Versions[i-1])
		}
	}
}

// matrix is a series of n points an hour apart, the last one now.
func matrix(labels string, value float64, n int) string {
	var points []string
	for i := range n {
		points = append(points, "["+strconv.FormatInt(now.Add(time.Duration(i-n+1)*time.Hour).Unix(), 10)+`,"`+strconv.FormatFloat(value, 'g', -1, 64)+`"]`)
	}
	return `{"status":"success","data":{"resultType":"matrix","result":[{"metric":` + labels + `,"values":[` + strings.Join(points, ",") + `]}]}}`
}

// vector is a process that began then.
func vector(begin time.Time) string {
	return `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"instance":"c:1"},"value":[` +
		strconv.FormatInt(now.Unix(), 10) + `,"` + strconv.FormatInt(begin.Unix(), 10) + `"]}]}}`
}
