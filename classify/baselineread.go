package classify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/profile"
)

// maxBaseline bounds a baseline in bytes. One of a querier has some 30 KB.
const maxBaseline = 16 << 20

// ParseBaseline reads what [Baseline.Marshal] wrote, and what people made of it:
// they delete stacks or lower counts. name is that of the file, for messages.
// Everything that does not fit is an error, for a baseline that is misread accepts
// a leak; each error says what to do.
func ParseBaseline(name string, content []byte) (*Baseline, error) {
	b, err := decodeBaseline(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var errs []error
	seen := map[string]bool{}
	for _, c := range b.Components {
		for _, err := range c.check() {
			errs = append(errs, fmt.Errorf("%s: component %q: %w", name, c.Component, err))
		}
		if seen[c.Component] {
			errs = append(errs, fmt.Errorf("%s: component %q stands there twice: keep one of them", name, c.Component))
		}
		seen[c.Component] = true
	}
	if err := firstOf(errs); err != nil {
		return nil, err
	}
	b.sort()
	return b, nil
}

// renew says what to do with a baseline that cannot be used.
const renew = "write a new one with --write-baseline"

// decodeBaseline reads the JSON.
func decodeBaseline(content []byte) (*Baseline, error) {
	if len(content) > maxBaseline {
		return nil, fmt.Errorf("it has more than %d MiB: it is no baseline, or %s", maxBaseline>>20, renew)
	}
	var head struct{ Schema string }
	if err := json.Unmarshal(content, &head); err != nil {
		return nil, fmt.Errorf("it is no baseline, or damaged: %w. Take it from version control again, or %s", err, renew)
	}
	if head.Schema != BaselineSchema {
		return nil, fmt.Errorf("its schema is %.40q, not %q: name a baseline of this version of thanosleak, or %s", head.Schema, BaselineSchema, renew)
	}
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.DisallowUnknownFields()
	b := &Baseline{}
	if err := dec.Decode(b); err != nil {
		return nil, fmt.Errorf("%w: correct it, or %s", err, renew)
	}
	if len(b.Components) == 0 {
		return nil, fmt.Errorf("it has no components, so that it accepts nothing: %s", renew)
	}
	return b, nil
}

// check finds mistakes in a component.
func (c *BaselineComponent) check() []error {
	var errs []error
	if c.Processes < 1 {
		errs = append(errs, fmt.Errorf("processes is %d, but it was taken of one at least: %s", c.Processes, renew))
	}
	if c.Completed < 0 {
		errs = append(errs, fmt.Errorf("completed is %d, but it is 0 if it is not known: %s", c.Completed, renew))
	}
	seen := map[string]bool{}
	for _, s := range c.Stacks {
		if err := s.check(); err != nil {
			errs = append(errs, fmt.Errorf("stack %.12q: %w", s.PortableID, err))
		} else if seen[s.PortableID] {
			errs = append(errs, fmt.Errorf("stack %s stands there twice: keep one of them", s.PortableID))
		}
		seen[s.PortableID] = true
	}
	return errs
}

// check finds mistakes in a stack.
func (s *BaselineStack) check() error {
	if s.Count < 1 {
		return fmt.Errorf("count is %d, but a stack that stands there has one goroutine at least: remove the stack if it is not accepted", s.Count)
	}
	if s.Rise < 0 || s.Rise > s.Count {
		return fmt.Errorf("rise is %d, but of %d goroutines between none and all may have come during the soak: %s", s.Rise, s.Count, renew)
	}
	if len(s.Functions) == 0 || slices.Contains(s.Functions, "") {
		return fmt.Errorf("functions are missing: %s", renew)
	}
	sig := profile.Signature(strings.Join(s.Functions, ";"))
	if len(s.Functions) > profile.SignatureDepth || !slices.Equal(sig.Functions(), s.Functions) || sig.Portable() != sig {
		return fmt.Errorf("its functions are not those of a portable signature: %s", renew)
	}
	if id := sig.ID(); id != s.PortableID {
		return fmt.Errorf("its functions have the ID %s: if they were edited on purpose, give it that ID, else %s", id, renew)
	}
	return nil
}

// baselineErrors is the number of mistakes that are told: one wrong edit may make
// thousands.
const baselineErrors = 5

// firstOf joins the first errors and says how many more there are.
func firstOf(errs []error) error {
	if n := len(errs) - baselineErrors; n > 0 {
		errs = append(errs[:baselineErrors:baselineErrors], fmt.Errorf("and %s", Count(n, "more mistake")))
	}
	return errors.Join(errs...)
}
