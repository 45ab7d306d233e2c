package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"time"
)

// Waits after a failure; the last one stays. Let's Encrypt takes five failures of a name an hour
// (https://letsencrypt.org/docs/rate-limits/).
var waits = []time.Duration{30 * time.Second, 2 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour}

// tries are those that brought no certificate. They stand in a file beside that, since a new
// container must not ask sooner than the one before would have.
type tries struct {
	Names    []string  `json:"names"`
	Settings string    `json:"settings"` // stands for how it was asked
	Failures int       `json:"failures"`
	NotAgain time.Time `json:"not_again"` // before that
}

// readTries reads what is remembered of these names; nothing is, when there is no such file or
// nothing good in it. Who has changed how it is asked need not wait: but failures are remembered.
func readTries(path string, given acmeSettings) tries {
	none := tries{Names: given.names, Settings: given.mark()}
	var held tries
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &held) != nil || held.Failures < 0 || !slices.Equal(held.Names, given.names) {
		return none
	}
	if held.Settings != none.Settings {
		none.Failures = held.Failures
		return none
	}
	return held
}

// put writes them whole.
func (t tries) put(path string) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return put(path, text, 0o600)
}

// another is these and one that has failed now, and how long nobody is asked after it.
func (t tries) another(now time.Time) (tries, time.Duration) {
	wait := waits[min(t.Failures, len(waits)-1)]
	t.Failures, t.NotAgain = t.Failures+1, now.Add(wait)
	return t, wait
}

// capped is these with no longer to wait than the longest wait: a clock that was ahead may have said
// any time.
func (t tries) capped(now time.Time) tries {
	if longest := now.Add(waits[len(waits)-1]); t.NotAgain.After(longest) {
		t.NotAgain = longest
	}
	return t
}

// mark stands for how an authority is asked, without telling it.
func (s acmeSettings) mark() string {
	text, _ := os.ReadFile(s.dnsFile) // None is as good as an empty one.
	return mark(strings.Join([]string{s.email, s.dns, strings.Join(s.resolvers, " "), string(text)}, "\n"))
}
