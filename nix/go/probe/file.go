package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// checkFile returns why a file's time of change does not say that whoever touches it is alive. A time
// further ahead than the age allows counts as old: the clock was set back, and nothing was touched
// since.
func checkFile(path string, age time.Duration, now time.Time) error {
	found, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file yet")
	case err != nil:
		return err
	}
	switch since := now.Sub(found.ModTime()); {
	case since > age:
		return fmt.Errorf("it was touched last %v ago", since.Round(time.Second))
	case since < -age:
		return fmt.Errorf("it was touched %v from now: the clock was set back", -since.Round(time.Second))
	}
	return nil
}
