package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/spf13/cobra"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/profile/discover"
	"github.com/thanosleak/thanosleak/profile/prometheus"
)

// scraping are the flags of the commands that look at live processes.
type scraping struct {
	shared
	before
	interval    duration
	timeout     duration
	fullStacks  string
	force       bool
	leakProfile bool
	concurrency int
	targetFiles []string
	httpConfig  string

	dir       string
	window    duration
	retention duration
	// sizeLimit is --retention-size as it was typed, maxBytes the same in
	// bytes; 0 is no bound.
	sizeLimit string
	maxBytes  int64
	// sparse is how near to each other samples of a folder are judged that are
	// older than an hour; 0 for all.
	sparse time.Duration

	resolver discover.Resolver
}

// newScraping returns the defaults that are no flags of every command.
func newScraping(interval time.Duration) scraping {
	return scraping{
		interval: duration(interval), timeout: duration(defaultTimeout), fullStacks: "never",
		before: before{window: duration(prometheus.DefaultWindow)},
		window: duration(24 * time.Hour), retention: duration(7 * 24 * time.Hour), resolver: net.DefaultResolver,
	}
}

// add adds the flags of the commands that sample by the clock.
func (s *scraping) add(c *cobra.Command) {
	s.shared.add(c)
	s.addTargets(c)
	f := c.Flags()
	f.Lookup("quiet").Usage = "print nothing while the exit status is 0 or, with a folder in --dir, while nothing is new; files of -o are written"
	f.StringVar(&s.dir, "dir", "", "keep what was scraped in `DIR`: a folder, which is added to and judged as a whole, or a new .tar.gz")
	f.Var(&s.window, "window", "judge the samples that a folder holds of the last `DURATION` before the newest")
	f.Var(&s.retention, "retention", "remove samples from a folder that are older; of those older than a day one an hour stays (0s: keep all)")
	s.before.add(f)
	f.StringVar(&s.sizeLimit, "retention-size", "2GB", "remove the oldest samples from a folder when all take more than `SIZE` (0: no bound)")
}

// addTargets adds the flags that say how targets are found and asked.
func (s *scraping) addTargets(c *cobra.Command) {
	f := c.Flags()
	f.Var(&s.interval, "interval", "time between samples")
	f.Var(&s.timeout, "timeout", "how long one sample of one target may take")
	f.BoolVar(&s.force, "force", false, "take profiles even of processes for which they are costly")
	f.BoolVar(&s.leakProfile, "leak-profile", false, "also take the goroutineleak profile, where there is one (costs a full garbage collection)")
	f.IntVar(&s.concurrency, "concurrency", 32, "`NUMBER` of targets that are asked at the same time")
	f.StringArrayVar(&s.targetFiles, "target-file", nil, "targets in files of Prometheus' file_sd form, JSON or YAML; `GLOB` may be repeated, and is read again for every round")
	f.StringVar(&s.httpConfig, "http.config.file", "", "`FILE` with TLS and credentials for the targets, in the form of Prometheus' http_config")
}

func (s *scraping) check() error {
	switch {
	case s.concurrency < 1:
		return usagef("--concurrency %d: want at least 1", s.concurrency)
	case s.timeout <= 0:
		return usagef("--timeout: want more than 0s")
	case s.window <= 0:
		return usagef("--window: want more than 0s")
	case s.retention > 0 && s.retention < s.window:
		return usagef("--retention %s is shorter than --window %s: samples would be removed before they are judged", &s.retention, &s.window)
	case !slices.Contains([]string{"never", "once", "always"}, s.fullStacks):
		return usagef("--full-stacks %s: want never, once or always", s.fullStacks)
	}
	if err := s.checkSize(); err != nil {
		return err
	}
	if err := s.before.check(); err != nil {
		return err
	}
	if err := checkDir(s.dir); err != nil {
		return err
	}
	if err := s.shared.check(); err != nil {
		return err
	}
	s.reach = s.reachFlags()
	return checkDistinct(append(s.outputFiles(), s.dir))
}

// reachFlags are the flags without which another command would not get what this
// one does of the targets.
func (s *scraping) reachFlags() string {
	var b strings.Builder
	if s.httpConfig != "" {
		b.WriteString(" --http.config.file " + classify.ShellQuote(s.httpConfig))
	}
	if s.timeout != duration(defaultTimeout) {
		fmt.Fprintf(&b, " --timeout %s", &s.timeout)
	}
	if s.force {
		b.WriteString(" --force")
	}
	return b.String()
}

// defaultTimeout is that of one sample of one target.
const defaultTimeout = 10 * time.Second

// checkSize reads --retention-size.
func (s *scraping) checkSize() error {
	if s.sizeLimit == "" || s.sizeLimit == "0" {
		return nil
	}
	n, err := bytesOf(s.sizeLimit)
	if err != nil {
		return usagef("--retention-size %s: want a size, such as 2GB or 500Mi, or 0", s.sizeLimit)
	}
	if n < 1<<20 {
		return usagef("--retention-size %s: less than 1MB keeps no history; want a size, such as 2GB or 500Mi, or 0 for no bound", s.sizeLimit)
	}
	s.maxBytes = n
	return nil
}

// bytesOf reads a size as Prometheus and Kubernetes write it ("8GB", "8Gi",
// "8G"), all by powers of 1024; it has to be more than 0.
func bytesOf(size string) (int64, error) {
	if !strings.HasSuffix(size, "B") {
		size += "B"
	}
	n, err := units.ParseBase2Bytes(size)
	if err == nil && n <= 0 {
		err = fmt.Errorf("%s is no size", size)
	}
	return int64(n), err
}

// checkDir refuses names of archives of another kind, which would become
// folders, and folders that are not there, which are typing mistakes.
func checkDir(dir string) error {
	if info, err := os.Stat(filepath.Dir(dir)); dir != "" && (err != nil || !info.IsDir()) {
		return usagef("--dir %s: there is no folder %s to put it into", dir, filepath.Dir(dir))
	}
	switch ext := filepath.Ext(dir); ext {
	case ".zip", ".gz", ".tar", ".tgz", ".bz2", ".xz", ".zst":
		if !strings.HasSuffix(dir, ".tar.gz") && ext != ".tgz" {
			return usagef("--dir %s: want a folder or a name that ends in .tar.gz", dir)
		}
	}
	return nil
}

// targetArgs makes the check of arguments of the commands that take targets.
func (s *scraping) targetArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 && len(s.targetFiles) == 0 {
		return usagef("%s needs a target, or --target-file. For example: thanosleak %s http://thanos-query:10902", c.Name(), c.Name())
	}
	return nil
}

// within returns a context for a call that may take as long as a sample.
func (s *scraping) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Duration(s.timeout))
}
