package capture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// lockFile is locked (flock(2)) by the run that writes to a folder. It says who
// that is; the lock itself ends with the process, however that ends.
const lockFile = ".lock"

// A LockedError says that another run writes to the capture.
type LockedError struct {
	// PID is the process that does; 0 if it did not say.
	PID int
	// Since is when it began; the zero time if it did not say.
	Since time.Time
}

// Error says who writes and what to do.
func (e *LockedError) Error() string {
	who := "another thanosleak"
	if e.PID > 0 {
		who += fmt.Sprintf(" (process %d, since %s)", e.PID, e.Since.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return who + " is writing to it, and nothing was scraped now. Wait until it has ended, or give each a folder of its own; " +
		"where cron starts the next run before the last has ended, let runs begin less often"
}

// lock makes sure that this run alone writes to the folder.
func lock(root string) (*flock.Flock, error) {
	l := flock.New(filepath.Join(root, lockFile), flock.SetPermissions(0o644))
	ok, err := l.TryLock()
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("it cannot be locked against other runs: %w", err)
	case !ok:
		return nil, holder(l.Path())
	}
	// Who holds the lock is told for people only.
	_ = os.WriteFile(l.Path(), fmt.Appendf(nil, "%d %s\n", os.Getpid(), time.Now().UTC().Format(time.RFC3339)), 0o644)
	return l, nil
}

// holder reads who holds the lock.
func holder(path string) *LockedError {
	e := &LockedError{}
	b, err := os.ReadFile(path)
	pid, since, ok := strings.Cut(strings.TrimSpace(string(b)), " ")
	if err != nil || !ok {
		return e
	}
	n, pidErr := strconv.Atoi(pid)
	t, timeErr := time.Parse(time.RFC3339, since)
	if pidErr == nil && timeErr == nil {
		e.PID, e.Since = n, t
	}
	return e
}
