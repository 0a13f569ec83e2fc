package store

import "sync"

// merge waits for a reply that nobody sends: a leak that no advisory knows.
//
//go:noinline
func merge(stuck func()) int {
	reply := make(chan int)
	n := 0
	var readers sync.WaitGroup
	readers.Add(1)
	go func() {
		defer readers.Done()
		stuck()
		n = <-reply
	}()
	readers.Wait()
	return n
}
